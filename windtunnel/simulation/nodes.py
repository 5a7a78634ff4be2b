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

    `flaw_probability` is the chance that a successful attempt's result is wrong and nobody sees it: the token is flawed
    from then on. With `catch_probability` a node notices, when its attempt has succeeded, that what came to it is
    flawed; then the token goes to the node `rework` and is flawed no more, so that the work there is done anew, at most
    `rework_rounds` times per token and node, whose branches inherit what is used up; without `rework` the token is lost
    there. What comes flawed and is not caught, or has used up its rounds, goes on flawed. A fallback neither makes
    flaws nor catches them. At a join the token that goes on is flawed when any of those counted is; with `vote`, when
    more than half of them are. A task whose last needed token leaves flawed, or one of the branches of a fork without a
    join, has failed.

    `stream` keys the node's random numbers instead of its place among the nodes, so that variants meet the same ones.
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
    flaw_probability: float = 0.0
    catch_probability: float = 0.0
    rework: str | None = None
    rework_rounds: int = 2
    vote: bool = False
    stream: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Where work goes after a success: the shares of a node sum to at most 1, and the rest leaves."""

    source: str
    target: str
    probability: float = 1.0
