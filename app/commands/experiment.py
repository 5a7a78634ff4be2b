"""`windtunnel experiment`: many silent replications in the terminal, without a server or a database."""

import asyncio
import contextlib
import json
import secrets
import shlex
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.ending import clean_endings
from app.commands.json_input import read_json
from app.commands.out import writable, written
from app.commands.scenario_input import InputError, scenario_text
from app.prices import price_of_model
from app.settings import Settings, load_settings
from windtunnel.domain.errors import UnavailableError, ValidationError
from windtunnel.domain.experiments import Load
from windtunnel.domain.policy import SEED_MAX
from windtunnel.domain.scenarios import title_of

if TYPE_CHECKING:
    from app.studies import Base, Studied, Variant
    from windtunnel.domain.experiments import Findings
    from windtunnel.experiments.model import Model
    from windtunnel.experiments.study import Study


def experiment(  # noqa: PLR0917
    text: Annotated[str | None, typer.Argument(help="The scenario in words; - reads it from standard input.")] = None,
    file: Annotated[str | None, typer.Option(help="Read the scenario from a file; - is standard input.")] = None,
    network: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="A network of nodes and links instead of words.")
    ] = None,
    replications: Annotated[int, typer.Option(metavar="R", help="How often the load is repeated.")] = 200,
    tasks: Annotated[int, typer.Option(metavar="N", help="Tasks offered in each replication.")] = 300,
    arrival_rate: Annotated[float, typer.Option(metavar="L", help="Tasks per simulated second.")] = 1.0,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Repeats an experiment; chosen at random else.")] = None,
    variant: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="What to compare with: overrides by key, or another network."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the report, the result and the picture there.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="tcp://HOST:PORT", help="Have it done by the workers of a Dask scheduler.")
    ] = None,
) -> None:
    """Put an agent network under load, many times: success, latency, cost and load, with 95 % intervals."""
    with clean_endings():
        from app import studies
        from windtunnel.experiments.loads import check_load
        from windtunnel.experiments.study import study_of

        load = Load(secrets.randbelow(SEED_MAX + 1) if seed is None else seed, replications, tasks, arrival_rate)
        check_load(load)
        settings = load_settings(dask_scheduler=scheduler)
        if text is None and file is None and network is None:
            raise InputError('Give a scenario: windtunnel experiment "TEXT", or --file FILE, or --network FILE.json.')
        base = _network(network, text, file) if network else _planned(scenario_text(text, file))
        other = None if variant is None else _variant(base.model, variant)
        directory = writable(out)
        began = perf_counter()
        findings = _findings(study_of(base.model, None if other is None else other.model, load), settings)
        elapsed_s = perf_counter() - began
        command = _command(load, text=text, file=file, network=network, variant=variant)
        studied = studies.Studied(base, other, load, findings, command)
        paths = written(studies.files(studied, elapsed_s), directory) if directory else []
        _show(studied, elapsed_s, paths, as_json=as_json)


def _show(studied: "Studied", elapsed_s: float, paths: list[Path], *, as_json: bool) -> None:
    if as_json:
        from windtunnel.experiments.rendering import as_json as rendered

        typer.echo(json.dumps(rendered(studied.load, studied.findings, elapsed_s), ensure_ascii=False))
        return
    from rich.console import Console

    from app.terminal.closing import wrote
    from app.terminal.experiments import show

    console = Console(highlight=False, emoji=False, markup=False)
    names, titles = studied.words
    show(console, studied.load, studied.findings, names, titles)
    wrote(console, paths)


def _command(load: Load, **given: str | Path | None) -> str:
    """The command that gives the same numbers again; words that came from standard input are left to the reader."""
    words = ["windtunnel", "experiment"]
    for name, value in given.items():
        if value is not None:
            words += [str(value)] if name == "text" else [f"--{name}", str(value)]
    words += ["--replications", str(load.replications), "--tasks", str(load.tasks)]
    words += ["--arrival-rate", f"{load.arrival_rate:g}", "--seed", str(load.seed)]
    return shlex.join(words)


def _findings(study: "Study", settings: Settings) -> "Findings":
    from app.clustering import conducted
    from windtunnel.experiments.cluster import UnfitClusterError
    from windtunnel.experiments.findings import findings_of

    try:
        measures = conducted(study, settings.dask_scheduler, lambda said: typer.echo(f"windtunnel: {said}", err=True))
    except UnfitClusterError as error:
        raise InputError(str(error)) from None
    except (MemoryError, BrokenProcessPool):
        raise UnavailableError("The experiment takes more memory than there is. Ask for fewer --tasks.") from None
    return findings_of(study, measures, price_of_model(settings))


def _planned(text: str) -> "Base":
    from app.studies import Base
    from app.wiring.planners import planner_of
    from windtunnel.experiments.from_architecture import model_of

    async def on_step(_: Any) -> None:
        pass

    plan = asyncio.run(planner_of(load_settings()).plan(text, on_step))
    return Base(title_of(text), model_of(plan.architecture), plan.architecture, text)


def _network(path: Path, text: str | None, file: str | None) -> "Base":
    """A network of nodes and links, or an architecture as `simulate --out` and `calibrate` write it."""
    from app.studies import Base
    from windtunnel.experiments.network_file import architecture_in, read_network

    if text is not None or file is not None:
        raise InputError("Give a scenario or --network, not both.")
    data = read_json(path)
    with _named(path):
        return Base(path.name, read_network(data), architecture_in(data))


def _variant(base: "Model", path: Path) -> "Variant":
    """Another network, or changes to the base by key."""
    from pydantic_core import from_json

    from app.studies import Variant, changes_of
    from windtunnel.experiments.network_file import architecture_in, read_network
    from windtunnel.experiments.overrides import overridden

    data = read_json(path)
    try:
        given = from_json(data)
    except ValueError as error:
        raise InputError(f"The file {str(path)!r} is no JSON: {error}.") from None
    with _named(path):
        if isinstance(given, dict) and isinstance(given.get("nodes"), dict):
            return Variant(overridden(base, given, path=("variant",)), changes_of(given))
        other = read_network(data).paired_with(base)
        return Variant(other, (f"Another network: {path.name}.",), is_other=True, architecture=architecture_in(data))


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Who gives two files is told which of them is refused."""
    try:
        yield
    except ValidationError as error:
        raise InputError(f"{path}: {error.message}") from None
