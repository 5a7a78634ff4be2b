"""Back-off, retry budgets, breakers and fallbacks in the discrete-event core, against what one can count by hand."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.outcome import Outcome
from windtunnel.simulation.resilience import RETRY_BURST, Breaker, Fallback, Quota
from windtunnel.simulation.safeguards import Circuit, CircuitState

FIXED = Distribution.DETERMINISTIC
STUDENT_99 = 3.250  # two-sided 99 % point of Student's t with nine degrees of freedom


def _fixed(key: str = "a", mean_ms: float = 10.0) -> Node:
    return Node(key, ServiceTime(mean_ms, distribution=FIXED))


def _alone(node: Node) -> Network:
    return compile_network([node], [], [node.key])


def _run(network: Network, *, tasks: int = 1, arrivals: float = 0.001, seed: int = 1, told: bool = False) -> Outcome:
    return simulate(network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals, told=told)


def test_a_network_with_nothing_to_add_runs_as_the_plain_loop_does() -> None:
    nodes = [
        Node("a", ServiceTime(40), servers=2),
        Node("b", ServiceTime(300), failure_probability=0.2, timeout_ms=900, max_attempts=3, backoff_ms=40),
        Node("c", ServiceTime(100, distribution=Distribution.EXPONENTIAL)),
    ]
    routes = [Route("a", "b", 0.8), Route("b", "c"), Route("c", "b", 0.2)]
    endless = [replace(nodes[0], quota="endless", tokens=1.0), *nodes[1:]]
    plain = compile_network(nodes, routes, ["a", "b"])
    resilient = compile_network(endless, routes, ["a", "b"], quotas=[Quota("endless", inf)])
    assert plain.extras is None
    assert resilient.extras is not None
    expected, seen = (_run(one, tasks=2_000, arrivals=0.002, told=True) for one in (plain, resilient))
    assert seen.log == expected.log
    assert seen.nodes == expected.nodes
    assert np.array_equal(seen.left_ms, expected.left_ms)
    assert np.array_equal(seen.succeeded, expected.succeeded)


@pytest.mark.parametrize(("failure", "retries"), [(0.5, 3), (0.2, 1)])
def test_attempts_follow_the_retry_series_with_jitter_too(failure: float, retries: int) -> None:
    node = replace(
        _fixed(), servers=50, failure_probability=failure, max_attempts=retries + 1, backoff_ms=5.0, jitter=1.0
    )
    exact = (1 - failure ** (retries + 1)) / (1 - failure)
    values = []
    for seed in range(10):
        statistics = _run(_alone(node), tasks=5_000, arrivals=1.0, seed=seed).nodes[0]
        values.append(statistics.attempts / statistics.visits)
    assert abs(np.mean(values) - exact) <= STUDENT_99 * np.std(values, ddof=1) / 10**0.5


def test_jitter_takes_at_most_its_share_of_each_pause() -> None:
    node = replace(_fixed(), failure_probability=1.0, max_attempts=2, backoff_ms=100.0, jitter=0.5)
    pauses = []
    for seed in range(400):
        outcome = _run(_alone(node), seed=seed)
        pauses.append(outcome.left_ms[0] - outcome.born_ms[0] - 20.0)
    assert min(pauses) >= 50.0
    assert max(pauses) <= 100.0 + 1e-6
    # Uniform between 50 and 100.
    assert np.mean(pauses) == pytest.approx(75.0, abs=4 * 50 / 12**0.5 / 400**0.5)


def test_the_retry_budget_lets_a_burst_and_then_its_share_through() -> None:
    node = replace(_fixed(), servers=1_000, failure_probability=1.0, max_attempts=10, retry_budget=0.25)
    statistics = _run(_alone(node), tasks=4_000).nodes[0]
    assert statistics.visits == 4_000
    # The first visits find the bucket full, so that what they earn is lost.
    assert statistics.retries == pytest.approx(RETRY_BURST + 0.25 * 4_000, abs=3)
    # The first visit found nine retries and used them all; every other one was refused in the end.
    assert statistics.over_budget == 3_999
    assert statistics.attempts == statistics.visits + statistics.retries


def test_a_retry_budget_of_tenths_lets_one_in_ten_through() -> None:
    node = replace(_fixed(), servers=1_000, failure_probability=1.0, max_attempts=2, retry_budget=0.1)
    statistics = _run(_alone(node), tasks=1_010).nodes[0]
    assert statistics.retries == 10 + 100


def _state(circuit: Circuit) -> CircuitState:
    return circuit.state


def test_a_breaker_goes_from_closed_to_open_to_half_open_and_back() -> None:
    circuit = Circuit(window=4, limit=2, open_ms=100.0)
    states = []
    for now, failed in [(1.0, True), (2.0, False), (3.0, False), (4.0, True)]:
        assert not circuit.refuses(now)
        begun = circuit.begin()
        states.append(circuit.state)
        circuit.end(begun, now, failed=failed)
    assert states == [CircuitState.CLOSED] * 4
    assert _state(circuit) is CircuitState.OPEN
    assert circuit.refuses(103.9)
    assert not circuit.refuses(104.0)
    probe = circuit.begin()
    assert _state(circuit) is CircuitState.HALF_OPEN
    assert circuit.refuses(105.0)
    circuit.end(probe - 1, 106.0, failed=False)  # one that began before the opening
    assert _state(circuit) is CircuitState.HALF_OPEN
    circuit.end(probe, 110.0, failed=True)
    assert circuit.opened == 2
    assert circuit.refuses(209.9)
    assert not circuit.refuses(210.0)
    circuit.end(circuit.begin(), 220.0, failed=False)
    assert _state(circuit) is CircuitState.CLOSED
    # The window begins anew.
    for now in (221.0, 222.0, 223.0):
        circuit.end(circuit.begin(), now, failed=True)
    assert _state(circuit) is CircuitState.CLOSED
    circuit.end(circuit.begin(), 224.0, failed=False)
    assert _state(circuit) is CircuitState.OPEN


def test_the_window_of_a_breaker_slides() -> None:
    circuit = Circuit(window=3, limit=2, open_ms=100.0)
    for failed in (True, False, False, True, False):
        circuit.end(circuit.begin(), 1.0, failed=failed)
    assert _state(circuit) is CircuitState.CLOSED
    circuit.end(circuit.begin(), 1.0, failed=True)
    assert _state(circuit) is CircuitState.OPEN


def test_an_open_breaker_short_circuits_and_probes() -> None:
    # One task every 100 ms on average; always failing, so that one probe per open time is all that is let through.
    breaker = Breaker(window=5, threshold=1.0, open_ms=10_000.0)
    node = replace(_fixed(), failure_probability=1.0, breaker=breaker, servers=10)
    outcome = _run(_alone(node), tasks=10_000, arrivals=0.01, told=True)
    statistics = outcome.nodes[0]
    assert outcome.log is not None
    times = [time for time, *_ in outcome.log]
    assert statistics.attempts + statistics.short_circuited == statistics.visits == 10_000
    assert statistics.attempts == len(times)
    # All but those under way when it opened.
    probes = times[6:]
    assert min(np.diff(probes)) >= 10_000.0
    assert statistics.opened == pytest.approx(outcome.end_ms / 10_150.0, rel=0.02)


def test_a_short_circuited_visit_takes_no_time_and_is_not_retried() -> None:
    breaker = Breaker(window=1, threshold=1.0, open_ms=1e12)
    node = replace(_fixed(), failure_probability=1.0, max_attempts=3, backoff_ms=1.0, breaker=breaker)
    outcome = _run(_alone(node), tasks=20, arrivals=1e-6)
    times = outcome.left_ms - outcome.born_ms
    # The first fails and opens the breaker, which meets its own retry.
    assert times[0] == pytest.approx(11.0)
    assert (times[1:] == 0.0).all()
    assert (outcome.nodes[0].attempts, outcome.nodes[0].short_circuited) == (1, 20)


def test_an_opening_breaker_empties_the_line() -> None:
    node = replace(_fixed(mean_ms=1_000.0), failure_probability=1.0, breaker=Breaker(1, 1.0, 1e9))
    outcome = _run(_alone(node), tasks=50, arrivals=1.0)
    assert np.unique(outcome.left_ms).size == 1
    assert outcome.nodes[0].queue_max == 49
    assert outcome.nodes[0].attempts == 1


def test_a_fallback_degrades_and_takes_its_own_time() -> None:
    fallback = Fallback(ServiceTime(7.0, distribution=FIXED))
    nodes = [replace(_fixed(), failure_probability=1.0, max_attempts=2, backoff_ms=5.0, fallback=fallback), _fixed("b")]
    outcome = _run(compile_network(nodes, [Route("a", "b")], ["a"]), tasks=3, arrivals=1e-6)
    assert outcome.succeeded.all()
    assert outcome.degraded.all()
    assert outcome.left_ms - outcome.born_ms == pytest.approx([10 + 5 + 10 + 7 + 10] * 3)
    assert (outcome.nodes[0].fallbacks, outcome.nodes[1].visits) == (3, 3)


def test_fallbacks_fail_as_often_as_they_are_said_to() -> None:
    fallback = Fallback(ServiceTime(7.0), failure_probability=0.3)
    node = replace(_fixed(), servers=100, failure_probability=0.5, fallback=fallback)
    outcome = _run(_alone(node), tasks=20_000, arrivals=0.1)
    assert outcome.succeeded.mean() == pytest.approx(1 - 0.5 * 0.3, abs=4 * (0.15 * 0.85 / 20_000) ** 0.5)
    assert outcome.degraded.mean() == pytest.approx(0.5 * 0.7, abs=4 * (0.35 * 0.65 / 20_000) ** 0.5)
    assert not (outcome.degraded & ~outcome.succeeded).any()
    assert outcome.nodes[0].fallback_failures == np.count_nonzero(~outcome.succeeded)
