"""What is counted after the warm-up is what a look at every single attempt says."""

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Node, Route, compile_network
from windtunnel.simulation.outcome import NodeStatistics

WARMUP = 30


@pytest.mark.parametrize("budget", [None, 100.0], ids=["plain loop", "resilient loop"])
@pytest.mark.parametrize("servers", [1, 3])
def test_counted_is_what_begins_in_that_time(budget: float | None, servers: int) -> None:
    fixed = ServiceTime(100.0, distribution=Distribution.DETERMINISTIC)
    network = compile_network([Node("a", fixed, servers=servers, retry_budget=budget)], [], ["a"])
    assert (network.extras is not None) == (budget is not None)
    seen = simulate(network, seed=4, tasks=200, arrivals_per_ms=0.009 * servers, warmup=WARMUP)
    begun = seen.left_ms - 100.0
    inside = (begun >= seen.born_ms[WARMUP] - 1e-6) & (begun < seen.born_ms[-1] - 1e-6)
    (node,) = seen.nodes
    assert 100 < inside.sum() <= 170
    assert node.counted_visits == inside.sum()
    assert node.counted_busy_ms == pytest.approx(100.0 * inside.sum())
    assert node.counted_wait_ms == pytest.approx((begun - seen.born_ms)[inside].sum())


@pytest.mark.parametrize("budget", [None, 100.0], ids=["plain loop", "resilient loop"])
def test_retries_are_work_but_no_visits(budget: float | None) -> None:
    work = Node("a", ServiceTime(90.0), failure_probability=0.4, max_attempts=5, backoff_ms=30, retry_budget=budget)
    network = compile_network([work, Node("b", ServiceTime(40.0))], [Route("a", "b")], ["a"])
    seen = simulate(network, seed=4, tasks=2_000, arrivals_per_ms=0.005, warmup=1)
    first, second = seen.nodes
    # Nearly all of the time is counted, so nearly all of everything is.
    for node in (first, second):
        assert 0.97 * node.visits < node.counted_visits < node.visits
        assert node.counted_busy_ms == pytest.approx(node.busy_ms, rel=0.03)
        assert node.counted_wait_ms == pytest.approx(node.wait_ms, rel=0.08)
    assert first.attempts > 1.5 * first.counted_visits


@pytest.mark.parametrize(("tasks", "warmup"), [(0, 0), (1, 0), (5, 4), (5, 99)])
def test_no_time_has_nothing_in_it(tasks: int, warmup: int) -> None:
    network = compile_network([Node("a", ServiceTime(100.0))], [], ["a"])
    (node,) = simulate(network, seed=1, tasks=tasks, arrivals_per_ms=0.01, warmup=warmup).nodes
    assert node == NodeStatistics("a", tasks, 0, tasks, node.busy_ms, node.wait_ms, queue_max=node.queue_max)
    assert np.isfinite(node.busy_ms)
