"""The places and routes that a network is made of."""

from dataclasses import dataclass

from windtunnel.domain.architectures import ServiceTime
from windtunnel.simulation.resilience import Breaker, Fallback, NodeMode, WorkingHours


@dataclass(frozen=True, slots=True)
class Node:
    """A place of service: `servers` at once, the rest in line. Times are milliseconds, `timeout_ms` bounds an attempt.

    A visit is one token at the node with all its attempts. A failed attempt takes its full service time, up to the time
    limit; then it backs off without a server and queues anew, at most `max_attempts` times in all. Back-off doubles,
    `backoff_ms` first, and `jitter` is the largest share of it that chance takes away (1: anything from none to all).

    `retry_budget` is how many retries each visit earns for the node, on top of a burst (RETRY_BURST); without
    it every visit may use all its attempts. A retry that the budget refuses ends the visit.

    `join` is a quorum: the node waits, without a server, for so many tokens of one fork and is then visited once; those
    that come later are dropped. A token that no fork made has nobody to wait for and passes. The branches of a fork
    meet at one join or leave the network.

    An attempt takes `tokens` from the quota named `quota`.
    """

    key: str
    service: ServiceTime
    servers: int = 1
    failure_probability: float = 0.0
    timeout_ms: float | None = None
    max_attempts: int = 1
    backoff_ms: float = 0.0
    jitter: float = 0.0
    retry_budget: float | None = None
    breaker: Breaker | None = None
    fallback: Fallback | None = None
    mode: NodeMode = NodeMode.ROUTE
    join: int | None = None
    hours: WorkingHours | None = None
    quota: str | None = None
    tokens: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where work goes after a success: the shares of a node sum to at most 1, and the rest leaves."""

    source: str
    target: str
    probability: float = 1.0
