"""The part of a compiled network that only networks with resilience, forks, quotas or hours have: more columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.nodes import Node
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.resilience import HOUR_MS, Breaker, Fallback, NodeMode, Quota
from windtunnel.simulation.service import level_and_spread, service_times
from windtunnel.simulation.working_hours import Calendar, compile_calendar

BEGINS_MS = 9 * HOUR_MS
"""When simulated time begins unless somebody says otherwise: on Monday at 9:00."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Columns by node number, quotas by quota number.

    Off is: an infinite `budget`, a `breaker_window` and a `join` of 0, `hours` of None, `quota` and `rework` of -1.
    A breaker opens at `breaker_failures` in its window. `join_place` numbers the `joins` nodes that join, -1 for the
    others. `rate` is tokens per millisecond.
    """

    jitter: tuple[float, ...]
    budget: tuple[float, ...]
    breaker_window: tuple[int, ...]
    breaker_failures: tuple[int, ...]
    breaker_open: tuple[float, ...]
    fallback: tuple[bool, ...]
    fallback_distribution: tuple[Distribution, ...]
    fallback_level: tuple[float, ...]
    fallback_spread: tuple[float, ...]
    fallback_failure: tuple[float, ...]
    fork: tuple[bool, ...]
    join: tuple[int, ...]
    join_place: tuple[int, ...]
    joins: int
    flaw: tuple[float, ...]
    catch: tuple[float, ...]
    rework: tuple[int, ...]
    rework_rounds: tuple[int, ...]
    vote: tuple[bool, ...]
    hours: tuple[Calendar | None, ...]
    quota: tuple[int, ...]
    tokens: tuple[float, ...]
    rate: tuple[float, ...]
    burst: tuple[float, ...]
    waits: tuple[bool, ...]

    def fallback_durations(self, node: int, draws: Floats) -> Floats:
        """How long the fallback takes, for uniform numbers."""
        level, spread = self.fallback_level[node], self.fallback_spread[node]
        return service_times(self.fallback_distribution[node], level, spread, draws)


def compile_extras(nodes: Sequence[Node], quotas: Sequence[Quota], begins_ms: float) -> Extras | None:
    """Lay out what the nodes use beyond service, retries and routes; None when it is nothing.

    Raises KeyError for an unknown quota and ValueError for hours that never open.
    """
    return _lay_out(nodes, quotas, begins_ms) if any(_uses_extras(node) for node in nodes) else None


def no_extras(nodes: int) -> Extras:
    """The columns of so many nodes that use nothing of it."""
    return _lay_out([Node(str(number), ServiceTime(0.0)) for number in range(nodes)], (), 0.0)


def _lay_out(nodes: Sequence[Node], quotas: Sequence[Quota], begins_ms: float) -> Extras:
    number = {quota.key: place for place, quota in enumerate(quotas)}
    breakers = [node.breaker or Breaker(window=0) for node in nodes]
    fallbacks = [node.fallback or Fallback(ServiceTime(0.0)) for node in nodes]
    levels = [level_and_spread(fallback.service) for fallback in fallbacks]
    places = {node.key: place for place, node in enumerate(nodes)}
    joining = [node.key for node in nodes if node.join is not None]
    return Extras(
        jitter=tuple(node.jitter for node in nodes),
        budget=tuple(inf if node.retry_budget is None else node.retry_budget for node in nodes),
        breaker_window=tuple(breaker.window for breaker in breakers),
        breaker_failures=tuple(max(1, ceil(one.threshold * one.window - 1e-9)) for one in breakers),
        breaker_open=tuple(breaker.open_ms for breaker in breakers),
        fallback=tuple(node.fallback is not None for node in nodes),
        fallback_distribution=tuple(fallback.service.distribution for fallback in fallbacks),
        fallback_level=tuple(level for level, _ in levels),
        fallback_spread=tuple(spread for _, spread in levels),
        fallback_failure=tuple(fallback.failure_probability for fallback in fallbacks),
        fork=tuple(node.mode is NodeMode.FORK for node in nodes),
        join=tuple(node.join or 0 for node in nodes),
        join_place=tuple(-1 if node.join is None else joining.index(node.key) for node in nodes),
        joins=len(joining),
        flaw=tuple(node.flaw_probability for node in nodes),
        catch=tuple(node.catch_probability for node in nodes),
        rework=tuple(-1 if node.rework is None else places[node.rework] for node in nodes),
        rework_rounds=tuple(node.rework_rounds for node in nodes),
        vote=tuple(node.vote for node in nodes),
        hours=tuple(None if node.hours is None else compile_calendar(node.hours, begins_ms) for node in nodes),
        quota=tuple(-1 if node.quota is None else number[node.quota] for node in nodes),
        tokens=tuple(node.tokens for node in nodes),
        rate=tuple(quota.tokens_per_minute / 60_000.0 for quota in quotas),
        burst=tuple(quota.tokens_per_minute if quota.burst is None else quota.burst for quota in quotas),
        waits=tuple(quota.waits for quota in quotas),
    )


# What the plain loop knows of a node.
_PLAIN = (
    "servers",
    "failure_probability",
    "timeout_ms",
    "max_attempts",
    "backoff_ms",
    "tokens",
    "rework",
    "rework_rounds",
    "vote",
    "stream",
)


def _uses_extras(node: Node) -> bool:
    off = Node(node.key, node.service)
    return replace(node, **{name: getattr(off, name) for name in _PLAIN}) != off
