"""The discrete-event core against what queueing theory knows exactly."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.outcome import Outcome

REPLICATIONS = 10
TASKS = 20_000
STUDENT_99 = 3.250  # two-sided 99 % point of Student's t with nine degrees of freedom


def _node(key: str, mean_ms: float, kind: Distribution, *, servers: int = 1, cv: float = 1.0) -> Node:
    return Node(key, ServiceTime(mean_ms, cv, kind), servers=servers)


def _single(kind: Distribution, *, servers: int = 1, cv: float = 1.0) -> Network:
    return compile_network([_node("a", 1.0, kind, servers=servers, cv=cv)], [], ["a"])


def _tandem(*means: float) -> Network:
    nodes = [_node(f"n{place}", mean, Distribution.EXPONENTIAL) for place, mean in enumerate(means)]
    routes = [Route(f"n{place}", f"n{place + 1}") for place in range(len(means) - 1)]
    return compile_network(nodes, routes, ["n0"])


def _feedback(mean: float, again: float) -> Network:
    return compile_network([_node("a", mean, Distribution.EXPONENTIAL)], [Route("a", "a", again)], ["a"])


def _erlang_c(servers: int, load: float) -> float:
    """The share of tasks that wait in M/M/c."""
    idle = sum(load**k / math.factorial(k) for k in range(servers))
    full = load**servers / math.factorial(servers) * servers / (servers - load)
    return full / (idle + full)


@dataclass
class Anchor:
    """A network whose mean time in the system is known; arrivals and times in milliseconds."""

    name: str
    network: Network
    arrivals: float
    exact: float
    tolerance: float = 0.07


ANCHORS = [
    Anchor("M/M/1", _single(Distribution.EXPONENTIAL), 0.7, 1 / (1 - 0.7)),
    Anchor("M/M/5", _single(Distribution.EXPONENTIAL, servers=5), 4.0, _erlang_c(5, 4.0) / (5 - 4.0) + 1),
    Anchor("M/D/1", _single(Distribution.DETERMINISTIC), 0.7, 1 + 0.7 / (2 * 0.3)),
    Anchor("M/G/1 lognormal", _single(Distribution.LOGNORMAL, cv=0.8), 0.7, 1 + 0.7 * (1 + 0.64) / (2 * 0.3)),
    Anchor("tandem", _tandem(0.5, 0.6, 0.75), 1.0, 1 / (2 - 1) + 1 / (1 / 0.6 - 1) + 1 / (1 / 0.75 - 1)),
    # A quarter goes round again: 4/3 visits at rate 2 keep the server two thirds busy, two tasks in the system.
    Anchor("feedback", _feedback(0.5, 0.25), 1.0, 2.0),
]


def _estimate(measure: Callable[[Outcome], float], network: Network, arrivals: float) -> tuple[float, float]:
    """Mean and half-width of its 99 % confidence interval over the replications."""
    values = [
        measure(simulate(network, seed=20, tasks=TASKS, arrivals_per_ms=arrivals, replication=number))
        for number in range(REPLICATIONS)
    ]
    return float(np.mean(values)), STUDENT_99 * float(np.std(values, ddof=1)) / math.sqrt(REPLICATIONS)


def _mean_time(outcome: Outcome) -> float:
    """Mean time in the system, without the first tenth, in which the network fills."""
    return float((outcome.left_ms - outcome.born_ms)[TASKS // 10 :].mean())


@pytest.mark.parametrize("anchor", ANCHORS, ids=[anchor.name for anchor in ANCHORS])
def test_mean_time_in_the_system_is_what_theory_says(anchor: Anchor) -> None:
    mean, half_width = _estimate(_mean_time, anchor.network, anchor.arrivals)
    assert abs(mean - anchor.exact) <= half_width
    assert half_width <= anchor.tolerance * anchor.exact


@pytest.mark.parametrize(("failure", "retries"), [(0.5, 3), (0.2, 1), (0.9, 2)])
def test_attempts_per_visit_follow_the_retry_formula(failure: float, retries: int) -> None:
    service = ServiceTime(1.0, distribution=Distribution.EXPONENTIAL)
    node = Node("a", service, servers=50, failure_probability=failure, max_attempts=retries + 1, backoff_ms=0.1)
    network = compile_network([node], [], ["a"])
    exact = (1 - failure ** (retries + 1)) / (1 - failure)
    mean, half_width = _estimate(lambda one: one.nodes[0].attempts / one.nodes[0].visits, network, 1.0)
    assert abs(mean - exact) <= half_width
    assert half_width <= 0.02 * exact


def test_utilisation_is_the_load_offered_per_server() -> None:
    network = _single(Distribution.LOGNORMAL, servers=4, cv=0.8)
    mean, half_width = _estimate(lambda one: one.nodes[0].busy_ms / (4 * one.end_ms), network, 2.0)
    assert abs(mean - 0.5) <= half_width
    assert half_width <= 0.01
