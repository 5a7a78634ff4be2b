"""The failures of one simulation: what was predicted or asked for, and what the stored events say of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from resolvers.context import Context
from resolvers.loaders import Stretch
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.failures import FailureMode, FailureOutcome
from windtunnel.domain.simulations import Simulation
from windtunnel.planning import failure_mode_for

FAILURES = frozenset({EventKind.FAILURE_EVENT, EventKind.RECOVERY})
_BADNESS = (None, FailureOutcome.RECOVERED, FailureOutcome.DEGRADED, FailureOutcome.UNRECOVERED)


@dataclass(frozen=True, slots=True)
class SimulationFailureMode:
    """A failure mode in one simulation: the events in which it struck, and how it ended at worst."""

    mode: FailureMode
    triggered_seqs: tuple[int, ...]
    outcome: FailureOutcome | None


async def of_simulation(
    context: Context, simulation: Simulation, architecture: Architecture
) -> list[SimulationFailureMode]:
    """The architecture's modes, then those that were injected beside them."""
    modes = {mode.key: mode for mode in architecture.failure_modes}
    for mode in await _injected(context, simulation, architecture):
        modes.setdefault(mode.key, mode)
    told = _by_key(await context.loaders.events.load(simulation.id, Stretch(0, None, FAILURES)))
    return [_met(mode, told.get(mode.key, ())) for mode in modes.values()]


async def _injected(context: Context, simulation: Simulation, architecture: Architecture) -> Iterable[FailureMode]:
    book = context.services.book
    asked = [failure_mode_for(book, code, architecture, None) for code in simulation.inject_failures]
    commands = await context.loaders.commands.load(simulation.id) or ()
    return [*asked, *(command.mode for command in commands)]


def _by_key(events: Iterable[SimulationEvent]) -> Mapping[str, Sequence[SimulationEvent]]:
    told: dict[str, list[SimulationEvent]] = {}
    for event in events:
        told.setdefault(event.body["failure_key"], []).append(event)
    return told


def _met(mode: FailureMode, events: Sequence[SimulationEvent]) -> SimulationFailureMode:
    # A failure event without an outcome is the strike itself; later ones, and recoveries, say how it ended.
    strikes = tuple(event.seq for event in events if event.body["outcome"] is None)
    outcomes = [FailureOutcome(event.body["outcome"]) for event in events if event.body["outcome"] is not None]
    return SimulationFailureMode(mode, strikes, max(outcomes, key=_BADNESS.index, default=None))
