"""What an experiment simulates: base, variant, and the base with one thing forced to go wrong at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.experiments import Load
from windtunnel.experiments.measures import Measures, measured
from windtunnel.experiments.model import Model
from windtunnel.experiments.warmup import PILOTS, warmup_tasks
from windtunnel.simulation.engine import simulate_many
from windtunnel.simulation.outcome import Batch

PROBES = 25
"""So many replications say what is lost when one thing is forced to go wrong."""
CHUNK_TASKS = 30_000
"""A chunk has about so many tasks: some tenths of a second of work."""
CHUNK_REPLICATIONS = 500
"""At most: what is measured of a chunk shall not be large."""


class Purpose(StrEnum):
    """Why a side is simulated."""

    BASE = "base"
    VARIANT = "variant"
    NODE_DOWN = "node_down"
    FAILURE_MODE = "failure_mode"


@dataclass(frozen=True, slots=True)
class Side:
    """One model under the load. `subject` is the agent or tool forced down, or the code of the forced failure mode."""

    purpose: Purpose
    model: Model
    replications: int
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Replications `first` to `first` + `count` - 1 of a side: a piece of work that can be done anywhere."""

    side: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Study:
    """Everything to simulate, in order, and how many tasks at the start of each replication are left out."""

    load: Load
    sides: tuple[Side, ...]
    warmup: int

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The work, cut into pieces."""
        size = min(max(1, CHUNK_TASKS // self.load.tasks), CHUNK_REPLICATIONS)
        return tuple(_pieces(self.sides, size))

    def do(self, chunk: Chunk) -> Measures:
        """Simulate a chunk. The result depends on nothing but the study and the chunk."""
        return simulated(self.sides[chunk.side].model, self.load, self.warmup, chunk)


def simulated(model: Model, load: Load, warmup: int, chunk: Chunk) -> Measures:
    """Simulate a chunk, given the model of its side: all that it takes, and little to send."""
    return measured(_batch(model, load, chunk.first, chunk.count, warmup), warmup)


def study_of(
    base: Model, variant: Model | None, load: Load, *, probes: bool = True, warmup: int | None = None
) -> Study:
    """Lay out an experiment. Pilot replications of the base say how long the network fills, unless `warmup` does.

    With `probes`, each agent and tool of the base is forced down, and each of its failure modes forced to happen.
    """
    sides = [Side(Purpose.BASE, base, load.replications)]
    if variant is not None:
        sides.append(Side(Purpose.VARIANT, variant, load.replications))
    if probes:
        few = min(PROBES, load.replications)
        sides += [Side(Purpose.NODE_DOWN, base.without(owner), few, owner) for owner in base.owners]
        sides += [Side(Purpose.FAILURE_MODE, base.struck_by(mode), few, mode.code) for mode in base.modes]
    if warmup is None:
        warmup = warmup_tasks(_batch(base, load, 0, min(PILOTS, load.replications)))
    return Study(load, tuple(sides), warmup)


def _batch(model: Model, load: Load, first: int, count: int, warmup: int = 0) -> Batch:
    return simulate_many(
        model.network,
        seed=load.seed,
        tasks=load.tasks,
        arrivals_per_ms=load.arrival_rate / 1_000.0,
        first=first,
        count=count,
        warmup=warmup,
    )


def _pieces(sides: tuple[Side, ...], size: int) -> Iterator[Chunk]:
    for number, side in enumerate(sides):
        for first in range(0, side.replications, size):
            yield Chunk(number, first, min(size, side.replications - first))
