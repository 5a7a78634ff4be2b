"""What keeps a node's work going, or stops it: breaker, fallback, quota, working hours. Times are milliseconds."""

from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.architectures import ServiceTime

DAY_MS = 86_400_000.0
WEEK_MS = 7 * DAY_MS
HOUR_MS = 3_600_000.0

RETRY_BURST = 10.0
"""Retries that a full retry budget allows at once; a budget starts full."""


class NodeMode(StrEnum):
    """What a node does with its outgoing routes after a success."""

    ROUTE = "route"
    """One route is taken, by its share; what the shares leave over leaves the network."""
    FORK = "fork"
    """Every route is taken at the same moment, whatever its share: one token goes in, one per route comes out."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """A circuit breaker in front of a node.

    Closed: the results of the last `window` attempts are kept; as soon as `window` of them are known and the share of
    failures among them is at least `threshold`, it opens and forgets them. Open: every attempt is short-circuited.
    After `open_ms` it is half open: the next attempt is the probe, all others are short-circuited until it ends. A
    success closes the breaker, a failure opens it for another `open_ms`. Results of attempts that began before it
    opened count for nothing. A 429 is a failure like any other.

    A short-circuited attempt takes no time, no server and no tokens and is not retried: the visit ends in the fallback,
    else in failure. The breaker is asked when an attempt arrives and again when a server would take it.
    """

    window: int = 20
    threshold: float = 0.5
    open_ms: float = 30_000.0


@dataclass(frozen=True, slots=True)
class Fallback:
    """What answers instead once a visit has given up: attempts or retry budget used up, or breaker open.

    It holds no server, takes no tokens, and is tried once. After its success the token goes on along the node's routes,
    degraded; after its failure the token is lost.
    """

    service: ServiceTime
    failure_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a node works: from `opens_ms` to `closes_ms` after midnight, on `days` of the week (Monday is 0).

    An attempt begins only while the node is open; the time to the next opening counts as waiting. An attempt that is
    not finished at closing time stops and goes on at the next opening; with `overtime` it is finished first. Service
    times and time limits count time worked, back-off counts time passed.
    """

    opens_ms: float = 9 * HOUR_MS
    closes_ms: float = 17 * HOUR_MS
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    overtime: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """A bucket of tokens that nodes share: it starts with `burst` (default: a minute's worth) and never holds more.

    Every attempt takes its node's `tokens` when a server takes it. Without enough of them it fails at once as a 429: it
    takes no time and no tokens, counts as a failed attempt, and is retried as the node's policy says. With `waits` it
    keeps its server and begins when its tokens have come, in the order of asking.
    """

    key: str
    tokens_per_minute: float
    burst: float | None = None
    waits: bool = False
