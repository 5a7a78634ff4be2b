"""`windtunnel simulate`: the main job in the terminal, without a server or a database."""

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.ending import clean_endings
from app.commands.otlp import Outlet, outlet_of, telemetry_of
from app.commands.out import writable, written
from app.commands.scenario_input import InputError, scenario_text
from app.prices import price_of_model
from app.settings import load_settings
from windtunnel.domain.policy import SEED_MAX

if TYPE_CHECKING:
    from windtunnel.operations.requests import SimulateRequest


def simulate(  # noqa: PLR0917
    text: Annotated[str | None, typer.Argument(help="The scenario in words; - reads it from standard input.")] = None,
    file: Annotated[str | None, typer.Option(help="Read the scenario from a file; - is standard input.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="Repeats a run; chosen at random when absent.")] = None,
    pace: Annotated[
        str, typer.Option(metavar="X", help="Simulated seconds per real second; 0 is as fast as possible.")
    ] = "0",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the report, the pictures and the events there.")
    ] = None,
    otlp: Annotated[
        str | None,
        typer.Option(metavar="URL|FILE|DIR", help="Send the telemetry to a collector, or write it as OTLP JSON lines."),
    ] = None,
) -> None:
    """Plan a scenario's agent network, simulate it and say what happened."""
    with clean_endings():
        from windtunnel.knowledge import load_book
        from windtunnel.operations.requests import SimulateRequest, check_request

        request = SimulateRequest(scenario_text(text, file), seed=_whole(seed), pace=_number(pace))
        check_request(request, load_book())
        directory = writable(out)
        outlet = outlet_of(otlp, load_settings())
        asyncio.run(_simulate(request, as_json=as_json, directory=directory, outlet=outlet))


async def _simulate(
    request: "SimulateRequest", *, as_json: bool, directory: Path | None, outlet: Outlet | None
) -> None:
    # Imported here, so that other commands start without the drawing, and a wrong option is told at once.
    from rich.console import Console

    from app import rehearsals
    from app.terminal.closing import closing, wrote
    from app.terminal.progress import LiveProgress, PlainProgress, Progress
    from app.wiring.planners import planner_of
    from windtunnel.operations.rehearse import rehearse

    text = request.text or ""
    seed = secrets.randbelow(SEED_MAX + 1) if request.seed is None else request.seed
    settings = load_settings()
    planner, price = planner_of(settings), price_of_model(settings)
    console = Console(highlight=False, emoji=False, markup=False, quiet=as_json)
    show = Progress()
    if not as_json:
        show = LiveProgress(console, request.pace) if console.is_terminal else PlainProgress(console)
    with show:
        done = await rehearse(
            planner, text, seed, planned=show.planned, tell=rehearsals.paced(show.tell, request.pace), price=price
        )
    told = rehearsals.Told(text, seed, planner, done)
    paths = written(rehearsals.files(told), directory) if directory else []
    if as_json:
        typer.echo(rehearsals.as_json(told))
    else:
        closing(console, told)
        wrote(console, paths)
    if outlet is not None:
        for line in await outlet.deliver(telemetry_of(done.events, seed, settings)):
            console.print(line, soft_wrap=True)


def _whole(given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return int(given)
    except ValueError:
        raise InputError(f"--seed {given!r} is refused; allowed: a whole number.") from None


def _number(given: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise InputError(f"--pace {given!r} is refused; allowed: a number, e.g. 10.") from None
