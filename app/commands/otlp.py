"""Where `--otlp` takes a run's telemetry: to a collector, or into files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.scenario_input import InputError
from app.settings import Settings
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.telemetry.collector import Collector, collector_of

if TYPE_CHECKING:
    from windtunnel.telemetry.export import Exported

_NOUNS = {"traces": "spans", "metrics": "metrics", "logs": "log records"}


@dataclass(frozen=True, slots=True)
class ToCollector:
    """Sends to an address; each signal to its own path below it."""

    collector: Collector

    async def deliver(self, exported: "Exported") -> list[str]:
        """What was sent, and what was not wanted. Raises UnavailableError."""
        from windtunnel.drawing.text import clean
        from windtunnel.telemetry.sending import send

        rejections = await send(exported, self.collector)
        counts = ", ".join(f"{count} {_NOUNS[kind]}" for kind, count in exported.counts().items() if count)
        lines = [f"sent {counts} to {self.collector.place}"]
        told = [f"it rejected {each.count} {_NOUNS[each.kind]}: {each.reason}" for each in rejections]
        return [clean(line) for line in lines + told]


@dataclass(frozen=True, slots=True)
class ToFiles:
    """Writes JSON lines: into a file, all signals one after another, or into a directory, a file for each."""

    path: Path
    whole: bool

    async def deliver(self, exported: "Exported") -> list[str]:
        """What was written. Raises InputError."""
        from windtunnel.telemetry.export import Kind

        lines = {kind: exported.line(kind) for kind in Kind}
        if self.whole:
            files = {self.path: b"".join(lines.values())}
        else:
            files = {self.path / f"{kind.value}.jsonl": line for kind, line in lines.items()}
        for path, data in files.items():
            _try(partial(path.write_bytes, data), path)
        return [f"wrote {path}" for path in files]


Outlet = ToCollector | ToFiles


def outlet_of(given: str | None, settings: Settings) -> Outlet | None:
    """The outlet that `--otlp` names, tried as far as can be before any work is done.

    Something with a scheme is a collector's address. A directory, or a name without an ending, is a directory;
    everything else is a file. Raises InputError and ValidationError.
    """
    if given is None:
        return None
    if "://" in given:
        return ToCollector(collector_of(given, settings.otlp_headers))
    path = Path(given)
    whole = bool(path.suffix) and not path.is_dir() and not given.endswith("/")
    directory = path.parent if whole else path
    _try(lambda: directory.mkdir(parents=True, exist_ok=True), path)
    probe = path if whole else directory / "traces.jsonl"
    _try(partial(_touch, probe), path)
    return ToFiles(path, whole)


def telemetry_of(events: Sequence[SimulationEvent], seed: int, settings: Settings) -> "Exported":
    """The telemetry of a run that was just told; its time begins when its network was planned."""
    from windtunnel.telemetry.conventions import profile_of
    from windtunnel.telemetry.export import exported
    from windtunnel.telemetry.values import About

    began = next(event for event in events if event.kind is EventKind.ARCHITECTURE_PLANNED)
    profile = profile_of(settings.semconv_opt_in)
    return exported(events, About(began.simulation_id, seed, began.at, profile))


def _touch(path: Path) -> None:
    """Write nothing to a file; one that was not there is gone again."""
    there = path.exists()
    path.open("ab").close()
    if not there:
        path.unlink()


def _try(act: Callable[[], object], path: Path) -> None:
    try:
        act()
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"--otlp {str(path)!r} cannot be written to: {reason}.") from None
