"""What an experiment simulates: base, variant, and the base with one thing forced to go wrong at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from windtunnel.domain.experiments import Load
from windtunnel.experiments.measures import Measures, measured
from windtunnel.experiments.model import Model
from windtunnel.experiments.percentiles import kept_of
from windtunnel.experiments.soundness import attempts_per_task
from windtunnel.experiments.warmup import PILOTS, warmup_tasks
from windtunnel.simulation.engine import simulate_many
from windtunnel.simulation.outcome import Batch

PROBES = 25
"""So many replications say what is lost when one thing is forced to go wrong."""
CHUNK_TASKS = 30_000
"""A chunk has about so many tasks: some tenths of a second of work."""
CHUNK_ATTEMPTS = 3_000_000
"""In a network where a task may make many attempts, a chunk has fewer tasks: about so many attempts at most."""
PILOT_ATTEMPTS = 100_000_000
"""The pilot replications are one piece of work: fewer where they would be more than this."""
CHUNK_REPLICATIONS = 500
"""At most: what is measured of a chunk shall not be large."""


class Purpose(StrEnum):
    """Why a side is simulated."""

    BASE = "base"
    VARIANT = "variant"
    NODE_DOWN = "node_down"
    FAILURE_MODE = "failure_mode"
    VARIANT_NODE_DOWN = "variant_node_down"


@dataclass(frozen=True, slots=True)
class Side:
    """One model under the load. `subject` is the agent or tool forced down, or the code of the forced failure mode."""

    purpose: Purpose
    model: Model
    replications: int
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Replications `first` to `first` + `count` - 1 of a side: a piece of work that can be done anywhere.

    Of each at most `kept` latencies are kept for percentiles.
    """

    side: int
    first: int
    count: int
    kept: int = 0


@dataclass(frozen=True)
class Study:
    """Everything to simulate, in order, and how many tasks at the start of each replication are left out."""

    load: Load
    sides: tuple[Side, ...]
    warmup: int

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The work, cut into pieces."""
        return tuple(_pieces(self.sides, self.load.tasks))

    def do(self, chunk: Chunk) -> Measures:
        """Simulate a chunk. The result depends on nothing but the study and the chunk."""
        return simulated(self.sides[chunk.side].model, self.load, self.warmup, chunk)


def simulated(model: Model, load: Load, warmup: int, chunk: Chunk) -> Measures:
    """Simulate a chunk, given the model of its side: all that it takes, and little to send."""
    return measured(_batch(model, load, chunk.first, chunk.count, warmup), warmup, chunk.kept)


def study_of(
    base: Model, variant: Model | None, load: Load, *, probes: bool = True, warmup: int | None = None
) -> Study:
    """Lay out an experiment. Pilot replications of the base say how long the network fills, unless `warmup` does.

    With `probes`, each agent and tool of both is forced down, and each failure mode of the base forced to happen.
    """
    sides = [Side(Purpose.BASE, base, load.replications)]
    if variant is not None:
        sides.append(Side(Purpose.VARIANT, variant, load.replications))
    if probes:
        few = min(PROBES, load.replications)
        sides += [Side(Purpose.NODE_DOWN, base.without(owner), few, owner) for owner in base.owners]
        sides += [Side(Purpose.FAILURE_MODE, base.struck_by(mode), few, mode.code) for mode in base.modes]
        if variant is not None:
            sides += [Side(Purpose.VARIANT_NODE_DOWN, variant.without(owner), few, owner) for owner in variant.owners]
    if warmup is None:
        pilots = min(PILOTS, load.replications, max(1, int(PILOT_ATTEMPTS / _attempts(base, load.tasks))))
        # None of those that count: the cut that looks best in these makes their own rest look too calm.
        warmup = warmup_tasks(_batch(base, load, load.replications, pilots))
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


def _pieces(sides: tuple[Side, ...], tasks: int) -> Iterator[Chunk]:
    attempts = 1.0
    for number, side in enumerate(sides):
        kept = 0  # nobody asks for percentiles while something is down
        if side.purpose in {Purpose.BASE, Purpose.VARIANT}:  # whatever goes wrong, no more is tried than in these
            attempts, kept = max(attempts, _attempts(side.model, tasks)), kept_of(side.replications)
        size = max(1, min(CHUNK_TASKS // tasks, int(CHUNK_ATTEMPTS / attempts), CHUNK_REPLICATIONS))
        for first in range(0, side.replications, size):
            yield Chunk(number, first, min(size, side.replications - first), kept)


def _attempts(model: Model, tasks: int) -> float:
    """How many attempts the tasks of one replication may make."""
    return max(1.0, attempts_per_task(model)) * tasks
