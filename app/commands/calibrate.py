"""`windtunnel calibrate`: recorded traces in, an architecture with measured numbers out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from app.commands.ending import clean_endings
from app.commands.scenario_input import InputError
from app.encoding import encode_json
from windtunnel.domain.architectures import Architecture, architecture_from_json, canonical_json
from windtunnel.domain.networks import validate

if TYPE_CHECKING:
    from windtunnel.telemetry.calibrating import Calibrated

TRACES_MAX_BYTES = 4 * 1024**3
ARCHITECTURE_MAX_BYTES = 4 * 1024 * 1024


def calibrate(
    traces: Annotated[str, typer.Argument(metavar="TRACES", help="OTLP: JSON lines, JSON or protobuf; - is stdin.")],
    architecture: Annotated[
        Path, typer.Option("--architecture", "-a", metavar="FILE.json", help="As `simulate --out` writes it.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.json", help="Write the calibrated one there.")
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=KEY", help="A name in the traces, and the agent or tool it stands for; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Fit service times and failure rates of agents and tools to recorded traces, and say how well that went."""
    with clean_endings():
        from windtunnel.telemetry.reporting import as_data

        drawn = _architecture(architecture)
        found = _calibrated(drawn, traces, _matches(match or []))
        data = canonical_json(found.architecture) + b"\n"
        if output is not None:
            _write(output, data)
        if as_json:
            typer.echo(encode_json(as_data(found)))
        else:
            _show(found, output)


def _calibrated(drawn: Architecture, traces: str, matches: dict[str, str]) -> "Calibrated":
    from windtunnel.telemetry.calibration import calibration_of

    if traces == "-":
        return calibration_of(drawn, sys.stdin.buffer, TRACES_MAX_BYTES, name="standard input", matches=matches)
    with _opened(Path(traces)) as stream:
        return calibration_of(drawn, stream, TRACES_MAX_BYTES, name=Path(traces).name, matches=matches)


def _architecture(path: Path) -> Architecture:
    with _opened(path) as stream:
        data = stream.read(ARCHITECTURE_MAX_BYTES + 1)
    if len(data) > ARCHITECTURE_MAX_BYTES:
        raise InputError(f"The file {str(path)!r} is over the limit of {ARCHITECTURE_MAX_BYTES:,} bytes.")
    try:
        drawn = architecture_from_json(data)
    except ValueError:
        raise InputError(f"The file {str(path)!r} is no architecture; `simulate --out` writes one.") from None
    if problems := validate(drawn):
        raise InputError(f"The architecture in {str(path)!r} is not valid: {problems[0]}")
    return drawn


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise InputError(f"The file {str(path)!r} cannot be read: {_reason(error)}.") from None


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except (OSError, ValueError) as error:
        raise InputError(f"-o {str(path)!r} cannot be written: {_reason(error)}.") from None


def _matches(given: list[str]) -> dict[str, str]:
    found = {}
    for pair in given:
        name, separator, key = pair.rpartition("=")
        if not (separator and name and key):
            raise InputError(f"--match {pair!r} is refused; allowed: NAME=KEY.")
        found[name] = key
    return found


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _show(found: "Calibrated", output: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    from windtunnel.drawing.text import clean
    from windtunnel.telemetry.reporting import remarks

    console = Console(highlight=False, emoji=False, markup=False)
    table = Table("Agent or tool", "Service time", "n", "KS", "Fit", "Failures", "95 %", box=None, pad_edge=False)
    for each in found.findings:
        table.add_row(clean(each.name), *_cells(each.calibration))
    console.print(table)
    for remark in remarks(found):
        console.print(clean(remark), soft_wrap=True)
    if output is not None:
        console.print(f"wrote {output}", soft_wrap=True)


def _cells(calibration: Any) -> list[str]:
    from windtunnel.drawing.words import duration

    latency, failures = (calibration.latency, calibration.failures) if calibration else (None, None)
    fit = ["prior", "", "", ""]
    if latency is not None:
        shape = f"{latency.distribution} {duration(latency.mean_ms)}, cv {latency.cv:.2g}"
        fit = [shape, str(latency.samples), f"{latency.ks_distance:.3f}", latency.quality.lower()]
    if failures is None:
        return [*fit, "prior", ""]
    return [*fit, f"{failures.failures} of {failures.attempts}", f"{failures.low:.2%} to {failures.high:.2%}"]
