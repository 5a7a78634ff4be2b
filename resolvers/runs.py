"""Whole runs: what can only be told from all events of a simulation, read once for everything that is asked."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from strawberry.dataloader import DataLoader

from windtunnel.domain.events import SimulationEvent
from windtunnel.domain.simulations import Simulation

R = TypeVar("R")

EVENTS_AT_ONCE = 2_000
"""Runs are read together up to so many events: few statements for short runs, little memory for long ones."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[R]):
    """What to make of the events of a run. Two readings of one `name` with equal `arguments` are the same."""

    name: str
    arguments: tuple[object, ...]
    make: Callable[[Sequence[SimulationEvent]], R]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reading) and (self.name, self.arguments) == (other.name, other.arguments)

    def __hash__(self) -> int:
        return hash((self.name, self.arguments))


class WholeRuns:
    """Reads runs, of which `load` has all events. They are dropped once every reading of the moment has been made."""

    def __init__(self, load: Callable[[list[str]], Awaitable[Mapping[str, Sequence[SimulationEvent]]]]) -> None:
        self._events = load
        self._loader: DataLoader[tuple[str, int, Reading[Any]], Any] = DataLoader(self._load)

    async def read(self, simulation: Simulation, reading: Reading[R]) -> R:
        """What `reading` makes of all stored events of the simulation."""
        return cast("R", await self._loader.load((simulation.id, simulation.last_seq, reading)))

    async def _load(self, keys: list[tuple[str, int, Reading[Any]]]) -> list[Any]:
        made: dict[tuple[str, Reading[Any]], Any] = {}
        for ids in _packed({raw: length for raw, length, _ in keys}):
            runs = await self._events(ids)
            for raw, _, reading in keys:
                if raw in runs and (raw, reading) not in made:
                    made[raw, reading] = reading.make(runs[raw])
        return [made[raw, reading] for raw, _, reading in keys]


def _packed(lengths: dict[str, int]) -> list[list[str]]:
    packs: list[list[str]] = []
    room = 0
    for raw, length in lengths.items():
        if not packs or length > room:
            packs.append([])
            room = EVENTS_AT_ONCE
        packs[-1].append(raw)
        room -= length
    return packs
