"""Closed forms against textbook values, and against the simulated network that they stand beside."""

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.experiments.closed_forms import ClosedForm, Model, closed_form, erlang_c
from windtunnel.experiments.estimates import Estimate, estimate
from windtunnel.simulation.engine import simulate
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.outcome import Outcome

EXPONENTIAL, LOGNORMAL, FIXED = Distribution.EXPONENTIAL, Distribution.LOGNORMAL, Distribution.DETERMINISTIC
REPLICATIONS = 12
TASKS = 6_000


def _node(key: str, mean_ms: float = 100.0, kind: Distribution = EXPONENTIAL, **more: float | None) -> Node:
    return Node(key, ServiceTime(mean_ms, float(more.pop("cv", None) or 0.8), kind), **more)  # type: ignore[arg-type]


def _form(network: Network, per_ms: float) -> ClosedForm:
    found = closed_form(network, per_ms)
    assert found is not None
    return found


def _latency(form: ClosedForm, name: str = "mean") -> float:
    assert form.latency_ms is not None
    return form.latency_ms[name]


def test_erlang_c_is_that_of_the_tables() -> None:
    # L. Kleinrock, Queueing Systems 1, M/M/m: one server waits with its load; two at load 0.75 with 9/14.
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.5) == pytest.approx(9 / 14)
    assert erlang_c(200, 150.0) < 1e-3


def test_one_server_is_mm1_with_its_quantiles() -> None:
    form = _form(compile_network([_node("a")], [], ["a"]), 0.007)
    assert form.nodes[0].model is Model.MM1
    assert form.nodes[0].load == pytest.approx(0.7)
    assert form.nodes[0].wait_ms == pytest.approx(0.7 / 0.3 * 100)
    assert _latency(form) == pytest.approx(100 / 0.3)
    # The time in M/M/1 is exponential.
    assert _latency(form, "p95") == pytest.approx(-np.log(0.05) * 100 / 0.3)
    assert form.throughput_per_s == pytest.approx(7.0)


@pytest.mark.parametrize(("kind", "model", "square"), [(FIXED, Model.MD1, 1.0), (LOGNORMAL, Model.MG1, 1.64)])
def test_general_service_is_pollaczek_khinchine(kind: Distribution, model: Model, square: float) -> None:
    form = _form(compile_network([_node("a", kind=kind)], [], ["a"]), 0.007)
    assert form.nodes[0].model is model
    assert form.nodes[0].wait_ms == pytest.approx(0.007 * square * 100**2 / (2 * 0.3))


def test_the_retry_series_multiplies_the_load_and_saves_success() -> None:
    node = _node("a", failure_probability=0.5, max_attempts=4, backoff_ms=10, servers=3)
    form = _form(compile_network([node], [], ["a"]), 0.01)
    series = (1 - 0.5**4) / (1 - 0.5)
    assert form.nodes[0].attempts_per_visit == pytest.approx(series)
    assert form.nodes[0].load == pytest.approx(0.01 * 100 * series / 3)
    assert form.success_rate == pytest.approx(1 - 0.5**4)


def test_what_never_settles_has_a_load_and_no_wait() -> None:
    form = _form(compile_network([_node("door", 10), _node("a", 100)], [Route("door", "a")], ["door"]), 0.02)
    assert form.unstable == ("a",)
    assert form.nodes[1].load == pytest.approx(2.0)
    assert (form.latency_ms, form.throughput_per_s, form.success_rate) == (None, None, 1.0)


def test_work_that_never_leaves_has_no_long_run() -> None:
    routes = [Route("a", "b"), Route("b", "a")]
    assert closed_form(compile_network([_node("a"), _node("b")], routes, ["a"]), 0.001) is None


def test_no_formula_is_claimed_where_none_holds() -> None:
    nodes = [_node("a", kind=FIXED), _node("b"), _node("c", timeout_ms=200), _node("d", kind=LOGNORMAL, servers=2)]
    routes = [Route("a", "b"), Route("b", "c"), Route("c", "d")]
    form = _form(compile_network(nodes, routes, ["a"]), 0.001)
    assert [node.model for node in form.nodes] == [Model.MD1, None, None, None]
    assert form.latency_ms is None
    assert all(node.load > 0 for node in form.nodes)


NETWORKS = {
    "M/M/3 with retries": ([_node("a", servers=3, failure_probability=0.3, max_attempts=3, backoff_ms=50)], [], 0.014),
    "two servers in line, second lognormal": (
        [_node("a", 60), _node("b", 50, LOGNORMAL)],
        [Route("a", "b")],
        0.01,
    ),
    "rework and losses": (
        [
            _node("a", 20, servers=2),
            _node("b", 50, failure_probability=0.1, max_attempts=2),
            _node("c", 10, failure_probability=0.05),
        ],
        [Route("a", "b", 0.7), Route("b", "c"), Route("c", "a", 0.3)],
        0.008,
    ),
    "time limits": ([_node("a", 80, LOGNORMAL, timeout_ms=150, servers=1)], [], 0.006),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_simulated_network_agrees(name: str) -> None:
    nodes, routes, per_ms = NETWORKS[name]
    network = compile_network(nodes, routes, [nodes[0].key])
    form = _form(network, per_ms)
    outcomes = [
        simulate(network, seed=11, tasks=TASKS, arrivals_per_ms=per_ms, replication=number)
        for number in range(REPLICATIONS)
    ]
    agrees(estimate([float(one.succeeded.mean()) for one in outcomes]), form.success_rate)
    agrees(estimate([_mean_latency(one) for one in outcomes]), _latency(form))
    for place, node in enumerate(form.nodes):
        busy = [one.nodes[place].busy_ms / one.end_ms / network.servers[place] for one in outcomes]
        agrees(estimate(busy), node.load)
        assert node.wait_ms is not None
        agrees(estimate([one.nodes[place].wait_ms / one.nodes[place].visits for one in outcomes]), node.wait_ms)


def agrees(found: Estimate, exact: float) -> None:
    """Within one and a half of the 95 % interval (a dozen are looked at), or half a per cent."""
    assert abs(found.mean - exact) <= max(1.5 * found.half_width, 0.005 * exact)
    assert found.half_width <= 0.25 * max(exact, 0.05)


def _mean_latency(outcome: Outcome) -> float:
    times = (outcome.left_ms - outcome.born_ms)[outcome.succeeded]
    return float(times[len(times) // 20 :].mean())
