"""What replications of a network give: one of them as an outcome, several as arrays."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from windtunnel.simulation.portable import Floats

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

Step = tuple[float, int, int, int, bool]
"""A completed attempt: time, node, task, attempts before, success."""


@dataclass(frozen=True, slots=True)
class NodeStatistics:
    """One node in one replication. A visit is one token at the node, with all its attempts; times in milliseconds.

    `attempts` are completed ones: served or answered with 429, never short-circuited; `failures` of them failed.
    `retries` are attempts after the first of a visit that were let through by attempts and budget. So
    attempts + short_circuited == visits + retries, and failures == retries + visits that ended in a failed attempt.

    `busy_ms` is time worked by all servers, retries included. `wait_ms` is time in line for a server, for tokens
    or for the working day, of all attempts.

    - `throttled`: attempts that got a 429. `delayed`: attempts that waited for tokens.
    - `short_circuited`: attempts that an open breaker refused. `opened`: how often the breaker opened.
    - `over_budget`: retries that the retry budget refused.
    - `fallbacks`: visits that ended in the fallback. `fallback_failures` of them lost their token.
    - `flawed`: attempts whose result is wrong. `caught`: tokens reworked or lost because they came flawed.
    - `late`: tokens dropped at the join because their quorum was already met.
    - `queue_max`: the longest line for a server.

    The last three are about the time from the birth of the first task after the warm-up to that of the last task, in
    which a network that keeps up is neither filling nor running empty: the work of the attempts begun in it, how long
    attempts that got a server in it had waited, and the visits that came to their first attempt in it.
    """

    key: str
    attempts: int
    failures: int
    visits: int
    busy_ms: float
    wait_ms: float
    retries: int = 0
    throttled: int = 0
    delayed: int = 0
    short_circuited: int = 0
    opened: int = 0
    over_budget: int = 0
    fallbacks: int = 0
    fallback_failures: int = 0
    flawed: int = 0
    caught: int = 0
    late: int = 0
    queue_max: int = 0
    counted_busy_ms: float = 0.0
    counted_wait_ms: float = 0.0
    counted_visits: int = 0


COLUMNS = tuple(field.name for field in fields(NodeStatistics) if field.name != "key")
"""What is counted per node."""
TIMES = tuple(field.name for field in fields(NodeStatistics) if field.type is float)
"""Those of it that are times."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One replication: when each task was born and left (in order of birth), and whether it succeeded.

    A task is one token until a fork makes several of it. It is delivered when its token leaves the network, or when,
    of the tokens of a fork, the quorum of their join, else all, came through; then it has left. It is not delivered,
    and has failed, when none of its tokens is left in the network. Tokens that nobody waits for any more go on, and
    take servers, to their join. A task has succeeded when it was delivered without a flaw. `degraded` marks the tasks
    that succeeded with the help of a fallback.

    `steps` counts completed attempts. `end_ms` is when the last token was gone. `log` holds every step
    when it was asked for.
    """

    born_ms: Floats
    left_ms: Floats
    succeeded: Flags
    delivered: Flags
    degraded: Flags
    steps: int
    end_ms: float
    nodes: tuple[NodeStatistics, ...]
    log: list[Step] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Replications `first`, `first` + 1, ... as arrays, equal bit for bit to as many single outcomes.

    `born_ms` to `degraded` are [replication, task], `steps` and `end_ms` [replication], the rest [replication, node];
    what they count is said in Outcome and NodeStatistics.
    """

    first: int
    born_ms: Floats
    left_ms: Floats
    succeeded: Flags
    delivered: Flags
    degraded: Flags
    steps: Counts
    end_ms: Floats
    attempts: Counts
    failures: Counts
    visits: Counts
    busy_ms: Floats
    wait_ms: Floats
    retries: Counts
    throttled: Counts
    delayed: Counts
    short_circuited: Counts
    opened: Counts
    over_budget: Counts
    fallbacks: Counts
    fallback_failures: Counts
    flawed: Counts
    caught: Counts
    late: Counts
    queue_max: Counts
    counted_busy_ms: Floats
    counted_wait_ms: Floats
    counted_visits: Counts

    def put(self, row: int, outcome: Outcome) -> None:
        """Write one of the replications down."""
        for name in ("born_ms", "left_ms", "succeeded", "delivered", "degraded", "steps", "end_ms"):
            getattr(self, name)[row] = getattr(outcome, name)
        for name in COLUMNS:
            getattr(self, name)[row] = [getattr(node, name) for node in outcome.nodes]

    def outcome(self, row: int, keys: tuple[str, ...]) -> Outcome:
        """One of the replications by itself; `keys` are those of the network's nodes."""
        return Outcome(
            born_ms=self.born_ms[row],
            left_ms=self.left_ms[row],
            succeeded=self.succeeded[row],
            delivered=self.delivered[row],
            degraded=self.degraded[row],
            steps=int(self.steps[row]),
            end_ms=float(self.end_ms[row]),
            nodes=tuple(
                NodeStatistics(key, **{name: getattr(self, name)[row, node].item() for name in COLUMNS})
                for node, key in enumerate(keys)
            ),
        )
