"""Closed forms of k of n against textbook values and simulated networks; none where none is exact."""

from dataclasses import replace
from math import comb, exp, log, sqrt
from statistics import NormalDist
from typing import Any

import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.experiments.closed_forks import forked_form
from windtunnel.experiments.closed_forms import ClosedForm, Model, closed_form
from windtunnel.experiments.estimates import estimate
from windtunnel.simulation.engine import simulate_many
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.resilience import Breaker, NodeMode

EXPONENTIAL, LOGNORMAL, FIXED = Distribution.EXPONENTIAL, Distribution.LOGNORMAL, Distribution.DETERMINISTIC
MANY = 1_000


def _branch(mean_ms: float = 100.0, kind: Distribution = EXPONENTIAL, **more: Any) -> Node:
    return Node("", ServiceTime(mean_ms, 0.8, kind), **{"servers": MANY, **more})


def _network(branches: list[Node], quorum: int, *, fork: Node | None = None, join: Node | None = None) -> Network:
    named = [replace(node, key=f"b{number}") for number, node in enumerate(branches)]
    first = replace(fork or _branch(0.0, FIXED), key="fork", mode=NodeMode.FORK)
    last = replace(join or _branch(0.0, FIXED), key="join", join=quorum)
    routes = [Route("fork", node.key) for node in named] + [Route(node.key, "join") for node in named]
    return compile_network([first, *named, last], routes, ["fork"])


def _form(network: Network, per_ms: float = 0.01) -> ClosedForm:
    assert closed_form(network, per_ms) is None
    found = forked_form(network, per_ms)
    assert found is not None
    return found


def _mean(form: ClosedForm) -> float:
    assert form.latency_ms is not None
    return form.latency_ms["mean"]


@pytest.mark.parametrize(("needed", "many", "failure"), [(1, 4, 0.0), (3, 5, 0.1), (5, 5, 0.2)])
def test_exponential_branches_are_the_order_statistic_of_textbooks(needed: int, many: int, failure: float) -> None:
    form = _form(_network([_branch(failure_probability=failure)] * many, needed))
    chances = {n: comb(many, n) * (1 - failure) ** n * failure ** (many - n) for n in range(needed, many + 1)}
    exact = sum(chance * sum(100 / (n - k) for k in range(needed)) for n, chance in chances.items())
    assert form.success_rate == pytest.approx(sum(chances.values()))
    assert _mean(form) == pytest.approx(exact / sum(chances.values()), rel=1e-9)
    assert [node.model for node in form.nodes] == [Model.MGI] * (many + 2)
    assert form.nodes[1].load == pytest.approx(0.01 * 100 / MANY)


def test_branches_may_differ() -> None:
    # The maximum of 30 ms and an exponential time of 100 ms is 30 + 100 exp(-0.3); of two lognormal ones, H. A. David.
    assert _mean(_form(_network([_branch(30.0, FIXED), _branch()], 2))) == pytest.approx(30 + 100 * exp(-0.3), rel=1e-9)
    sigma = sqrt(log(1 + 0.8**2))
    exact = 2 * 100 * NormalDist().cdf(sigma / sqrt(2))
    assert _mean(_form(_network([_branch(kind=LOGNORMAL)] * 2, 2))) == pytest.approx(exact, rel=1e-9)


SIMULATED = {
    "retries and back-off": (
        [_branch(failure_probability=0.4, max_attempts=3, backoff_ms=60.0), _branch(150.0)],
        2,
        {},
    ),
    "a time limit": ([_branch(kind=LOGNORMAL, timeout_ms=140.0), _branch(80.0), _branch(60.0, FIXED)], 2, {}),
    "one that waits before, one after": (
        [_branch(failure_probability=0.2), _branch(70.0), _branch(90.0)],
        2,
        {"fork": _branch(50.0, servers=1), "join": _branch(20.0, servers=2, failure_probability=0.1)},
    ),
}


@pytest.mark.parametrize("name", SIMULATED)
def test_the_simulated_network_agrees(name: str) -> None:
    branches, quorum, ends = SIMULATED[name]
    network = _network(branches, quorum, **ends)
    form = _form(network)
    batch = simulate_many(network, seed=4, tasks=900, arrivals_per_ms=0.01, first=0, count=10, warmup=200)
    known = batch.succeeded[:, 200:]
    stays = [stay[ok].mean() for stay, ok in zip((batch.left_ms - batch.born_ms)[:, 200:], known, strict=True)]
    for values, exact in ((known.mean(axis=1).tolist(), form.success_rate), (stays, form.latency_ms)):
        found = estimate(values)
        wanted = exact["mean"] if isinstance(exact, dict) else exact
        if wanted is not None:
            assert abs(found.mean - wanted) <= 1.5 * found.half_width + 1e-9
    for place, node in enumerate(form.nodes):
        attempts = estimate((batch.attempts[:, place] / batch.visits[:, place]).tolist())
        assert abs(attempts.mean - node.attempts_per_visit) <= 1.5 * attempts.half_width + 1e-9
    # Behind a queue the branches begin as a Poisson stream, but those that meet do not end as one.
    assert (form.latency_ms is None) == (name == "one that waits before, one after")


def test_branches_that_wait_have_waits_and_no_time_of_their_join() -> None:
    form = _form(_network([_branch(80.0, servers=1)] * 3, 2))
    assert form.nodes[1].model is Model.MM1
    assert form.nodes[1].wait_ms == pytest.approx(0.8 / 0.2 * 80)
    assert (form.latency_ms, form.success_rate, form.throughput_per_s) == (None, 1.0, 10.0)
    full = _form(_network([_branch(80.0, servers=1)] * 3, 2), 0.02)
    assert (full.unstable, full.throughput_per_s) == (("b0", "b1", "b2"), None)


def test_sums_of_times_that_no_formula_gives_are_left_out() -> None:
    tried = _branch(kind=LOGNORMAL, failure_probability=0.1, max_attempts=2)
    form = _form(_network([tried, _branch()], 2))
    assert form.latency_ms is None
    assert form.success_rate == pytest.approx(0.99)


def test_very_many_branches_are_no_long_sum() -> None:
    tried = [_branch(failure_probability=0.1, max_attempts=9, backoff_ms=float(place)) for place in range(1, 60)]
    form = _form(_network(tried, 30))
    assert form.latency_ms is None
    assert form.success_rate == pytest.approx(1.0)


def test_work_that_takes_no_time_is_a_branch_like_any_other() -> None:
    instant = _branch(0.0, failure_probability=0.5, max_attempts=2, backoff_ms=10.0)
    assert _mean(_form(_network([instant], 1))) == pytest.approx(10.0 / 3.0)


def test_other_shapes_and_safeguards_have_none() -> None:
    nodes = [_branch(0.0, FIXED), _branch(), _branch()]
    fork, one, other = (replace(node, key=key) for node, key in zip(nodes, "fab", strict=True))
    fork = replace(fork, mode=NodeMode.FORK)
    routes = [Route("f", "a"), Route("f", "b")]
    assert forked_form(compile_network([fork, one, other], routes, ["f"]), 0.01) is not None
    chained = compile_network([fork, one, other], [Route("f", "a"), Route("a", "b")], ["f"])
    assert forked_form(chained, 0.01) is None
    assert forked_form(compile_network([fork, one, other], routes, ["f", "a"]), 0.01) is None
    guarded = replace(one, breaker=Breaker())
    assert forked_form(compile_network([fork, guarded, other], routes, ["f"]), 0.01) is None
    assert forked_form(compile_network([one], [], ["a"]), 0.01) is None
