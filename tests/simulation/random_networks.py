"""Networks of every kind, for tests that must hold for all of them."""

from dataclasses import replace

from hypothesis import strategies as st

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.resilience import DAY_MS, HOUR_MS, WEEK_MS, Breaker, Fallback, NodeMode, Quota, WorkingHours

_SHARES = st.sampled_from([0.0, 0.05, 0.3, 0.7, 1.0])
_TIMES = st.sampled_from([0.0, 1.0, 50.0, 333.3, 4_000.0])

SERVICES = st.builds(
    ServiceTime, mean_ms=_TIMES, cv=st.sampled_from([0.0, 0.3, 2.0]), distribution=st.sampled_from(Distribution)
)
PLAIN = {
    "service": SERVICES,
    "servers": st.integers(1, 4),
    "failure_probability": _SHARES,
    "timeout_ms": st.none() | st.sampled_from([10.0, 500.0]),
    "max_attempts": st.integers(1, 5),
    "backoff_ms": _TIMES,
}
RESILIENT = PLAIN | {
    "jitter": st.sampled_from([0.0, 0.5, 1.0]),
    "retry_budget": st.none() | st.sampled_from([0.0, 0.1, 0.5]),
    "breaker": st.none()
    | st.builds(
        Breaker, window=st.integers(1, 6), threshold=st.sampled_from([0.1, 0.5, 1.0]), open_ms=st.floats(0.0, 10_000.0)
    ),
    "fallback": st.none() | st.builds(Fallback, service=SERVICES, failure_probability=_SHARES),
    "mode": st.sampled_from(NodeMode),
    "join": st.none() | st.integers(1, 3),
    "hours": st.none()
    | st.builds(
        WorkingHours,
        opens_ms=st.sampled_from([0.0, 9 * HOUR_MS]),
        closes_ms=st.sampled_from([17 * HOUR_MS, 9.1 * HOUR_MS, DAY_MS]),
        days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
        overtime=st.booleans(),
    ),
    "quota": st.none() | st.sampled_from(["tight", "patient"]),
    "tokens": st.sampled_from([0.0, 7.5, 100.0]),
    "flaw_probability": _SHARES,
    "catch_probability": _SHARES,
    "rework_rounds": st.integers(0, 2),
    "vote": st.booleans(),
    "stream": st.none() | st.integers(0, 2**32),
}
QUOTAS = st.tuples(
    st.builds(
        Quota,
        key=st.just("tight"),
        tokens_per_minute=st.sampled_from([60.0, 6_000.0]),
        burst=st.none() | st.sampled_from([10.0, 150.0]),
        waits=st.just(value=False),
    ),
    st.builds(
        Quota, key=st.just("patient"), tokens_per_minute=st.sampled_from([600.0, 60_000.0]), waits=st.just(value=True)
    ),
)


@st.composite
def networks(draw: st.DrawFn, *, resilient: bool) -> Network:
    """A network of one to six nodes. With a fork, routes go forward only: tokens never multiply for ever."""
    count = draw(st.integers(1, 6))
    fields = RESILIENT if resilient else PLAIN
    nodes = [draw(st.builds(Node, key=st.just(f"n{number}"), **fields)) for number in range(count)]
    if resilient:
        rework = st.none() | st.sampled_from([node.key for node in nodes])
        nodes = [replace(node, rework=draw(rework)) for node in nodes]
    routes = []
    for number, node in enumerate(nodes):
        first = number + 1 if any(one.mode is NodeMode.FORK for one in nodes) else 0
        targets = draw(st.lists(st.integers(first, count - 1), max_size=3)) if first < count else []
        share = draw(st.sampled_from([0.9, 1.0])) if first else 0.8
        routes += [Route(node.key, f"n{target}", share / len(targets)) for target in targets]
    entry = draw(st.lists(st.sampled_from([node.key for node in nodes]), min_size=1, max_size=2))
    quotas = draw(QUOTAS) if resilient else ()
    return compile_network(nodes, routes, entry, quotas=quotas, begins_ms=draw(st.floats(0.0, WEEK_MS)))
