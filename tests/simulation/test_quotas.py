"""Token quotas as shared queues: nothing is taken twice, waiting is in order, and retry storms come about."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.outcome import Outcome
from windtunnel.simulation.resilience import Breaker, Quota
from windtunnel.simulation.safeguards import Bucket

FIXED = Distribution.DETERMINISTIC
MODEL = Node("model", ServiceTime(100.0, distribution=FIXED), servers=1_000, quota="model", tokens=10.0)


def _network(quota: Quota, *nodes: Node) -> Network:
    return compile_network(list(nodes), [], [node.key for node in nodes], quotas=[quota])


def _run(network: Network, *, tasks: int, arrivals: float, seed: int = 1, told: bool = False) -> Outcome:
    return simulate(network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals, told=told)


def test_a_bucket_fills_at_its_rate_up_to_its_burst() -> None:
    bucket = Bucket(0.5, 20.0, waits=False)
    assert bucket.take(15.0, 0.0) == 0.0
    assert bucket.take(15.0, 19.9) == inf
    assert bucket.take(15.0, 20.0) == 20.0
    assert bucket.take(20.5, 1_000.0) == inf
    assert bucket.take(20.0, 1_000.0) == 1_000.0


def test_a_bucket_that_waits_serves_in_order() -> None:
    bucket = Bucket(0.5, 20.0, waits=True)
    assert [bucket.take(10.0, 0.0) for _ in range(4)] == [0.0, 0.0, 20.0, 40.0]
    assert bucket.take(10.0, 30.0) == 60.0
    # A wait that is longer than the bucket is deep is possible as well.
    assert bucket.take(100.0, 60.0) == 260.0


def test_no_more_tokens_are_taken_than_there_were() -> None:
    quota = Quota("model", tokens_per_minute=6_000.0, burst=50.0)
    network = _network(quota, replace(MODEL, key="a"), replace(MODEL, key="b"))
    outcome = _run(network, tasks=5_000, arrivals=0.05, told=True)
    assert outcome.log is not None
    starts = [time - 100.0 for time, *_, succeeded in outcome.log if succeeded]
    served = sum(node.attempts - node.throttled for node in outcome.nodes)
    assert len(starts) == served == np.count_nonzero(outcome.succeeded)
    # 0.1 tokens a millisecond, 10 an attempt: five at once, then one each 100 ms.
    places = np.arange(1, served + 1)
    assert (places * 10.0 <= 50.0 + 0.1 * np.array(starts) + 1e-6).all()
    # Demand is five times the quota, so that nothing of it is lost for long.
    assert served == pytest.approx((50.0 + 0.1 * outcome.end_ms) / 10.0, rel=0.01)


def test_a_429_takes_no_time_and_counts_as_a_failed_attempt() -> None:
    outcome = _run(_network(Quota("model", 60.0, burst=10.0), MODEL), tasks=100, arrivals=1.0)
    statistics = outcome.nodes[0]
    assert (statistics.throttled, statistics.failures, statistics.attempts) == (99, 99, 100)
    assert statistics.busy_ms == 100.0
    assert (outcome.left_ms[1:] == outcome.born_ms[1:]).all()


def test_a_quota_that_waits_is_a_queue_with_fixed_service_times() -> None:
    # Ten tokens come each 100 ms and the bucket holds ten: M/D/1 with half the load, and 100 ms of service behind it.
    network = _network(Quota("model", 6_000.0, burst=10.0, waits=True), MODEL)
    means = []
    for seed in range(10):
        outcome = _run(network, tasks=10_000, arrivals=0.005, seed=seed)
        assert outcome.succeeded.all()
        waits = (outcome.left_ms - outcome.born_ms - 100.0)[1_000:]
        assert outcome.nodes[0].wait_ms / 10_000 == pytest.approx(waits.mean(), rel=0.05)
        means.append(waits.mean())
    exact = 0.5 * 100.0 / (2 * 0.5)
    assert abs(np.mean(means) - exact) <= 3.250 * np.std(means, ddof=1) / 10**0.5


def test_a_waiting_attempt_keeps_its_server() -> None:
    network = _network(Quota("model", 600.0, burst=10.0, waits=True), replace(MODEL, servers=1))
    outcome = _run(network, tasks=3, arrivals=1e3)
    # Tokens at 0, 1,000 and 2,000 ms.
    assert outcome.left_ms == pytest.approx([100.0, 1_100.0, 2_100.0], abs=1.0)
    assert outcome.nodes[0].delayed == 2
    assert outcome.nodes[0].wait_ms == pytest.approx(100.0 + 1_100.0 + 900.0 + 900.0, abs=3.0)


def _storm(**changes: object) -> Outcome:
    """Demand a tenth above the quota for a while, retried at once and for long."""
    eager = {"max_attempts": 12, "backoff_ms": 20.0} | changes
    model = replace(MODEL, **eager)  # type: ignore[arg-type]
    return _run(_network(Quota("model", 6_000.0, burst=100.0), model), tasks=4_000, arrivals=0.011)


def test_retry_storms_come_about_and_budgets_and_breakers_calm_them() -> None:
    storm, budgeted = _storm(), _storm(retry_budget=0.1)
    broken = _storm(breaker=Breaker(window=20, threshold=0.5, open_ms=2_000.0))
    # One task in ten is too many; yet there are several calls per task, most of them answered with 429.
    calls = storm.nodes[0].attempts / storm.nodes[0].visits
    assert calls > 2.0
    assert storm.nodes[0].throttled > 0.5 * storm.nodes[0].attempts
    assert budgeted.nodes[0].attempts <= 1.1 * budgeted.nodes[0].visits + 10
    assert broken.nodes[0].throttled < 0.5 * storm.nodes[0].throttled
    assert broken.nodes[0].opened > 0


def test_an_unknown_quota_is_refused() -> None:
    with pytest.raises(KeyError):
        compile_network([MODEL], [Route("model", "model", 0.1)], ["model"])
