"""Forks and joins in the discrete-event core: order statistics, quorums, late tokens, losses and loops."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.outcome import Outcome
from windtunnel.simulation.resilience import Fallback, NodeMode

FIXED = Distribution.DETERMINISTIC
STUDENT_99 = 3.250  # two-sided 99 % point of Student's t with nine degrees of freedom


def _fixed(key: str, mean_ms: float) -> Node:
    return Node(key, ServiceTime(mean_ms, distribution=FIXED), servers=1_000)


def _fork(key: str = "fork") -> Node:
    return replace(_fixed(key, 0.0), mode=NodeMode.FORK)


def _panel(branches: list[Node], quorum: int | None) -> Network:
    """A fork to the branches and a join behind them, none of which takes time; without a quorum there is no join."""
    routes = [Route("fork", branch.key) for branch in branches]
    if quorum is None:
        return compile_network([_fork(), *branches], routes, ["fork"])
    routes += [Route(branch.key, "join") for branch in branches]
    return compile_network([_fork(), *branches, replace(_fixed("join", 0.0), join=quorum)], routes, ["fork"])


def _run(network: Network, *, tasks: int = 1, arrivals: float = 0.001, seed: int = 1) -> Outcome:
    return simulate(network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals)


def _times(outcome: Outcome) -> list[float]:
    times: list[float] = (outcome.left_ms - outcome.born_ms).tolist()
    return times


@pytest.mark.parametrize(("quorum", "of"), [(1, 3), (2, 3), (3, 3), (3, 5), (5, 5)])
def test_the_quorum_comes_when_order_statistics_of_exponentials_say(quorum: int, of: int) -> None:
    service = ServiceTime(10.0, distribution=Distribution.EXPONENTIAL)
    network = _panel([Node(f"b{number}", service, servers=1_000) for number in range(of)], quorum)
    exact = 10.0 * float(sum(Fraction(1, of - number) for number in range(quorum)))
    means = []
    for seed in range(10):
        outcome = _run(network, tasks=1_500, arrivals=0.1, seed=seed)
        assert outcome.succeeded.all()
        assert outcome.nodes[-1].late == 1_500 * (of - quorum)
        assert outcome.nodes[-1].visits == 1_500
        means.append(np.mean(_times(outcome)))
    assert abs(np.mean(means) - exact) <= STUDENT_99 * np.std(means, ddof=1) / 10**0.5


def test_without_a_join_a_task_has_left_when_its_last_branch_has() -> None:
    outcome = _run(_panel([_fixed("x", 5.0), _fixed("y", 30.0), _fixed("z", 10.0)], None), tasks=4)
    assert _times(outcome) == pytest.approx([30.0] * 4)
    assert outcome.succeeded.all()


def test_without_a_join_every_branch_is_needed() -> None:
    broken = replace(_fixed("y", 3.0), failure_probability=1.0)
    outcome = _run(_panel([_fixed("x", 5.0), broken], None), tasks=4)
    assert not outcome.succeeded.any()
    # It has failed when nothing of it is left.
    assert _times(outcome) == pytest.approx([5.0] * 4)


@pytest.mark.parametrize(("quorum", "succeeds"), [(1, True), (2, True), (3, False)])
def test_a_quorum_forgives_the_branches_it_does_not_need(quorum: int, *, succeeds: bool) -> None:
    broken = replace(_fixed("z", 3.0), failure_probability=1.0)
    outcome = _run(_panel([_fixed("x", 5.0), _fixed("y", 20.0), broken], quorum), tasks=4)
    assert outcome.succeeded.tolist() == [succeeds] * 4
    assert _times(outcome) == pytest.approx([5.0 if quorum == 1 else 20.0] * 4)


@pytest.mark.parametrize("quorum", [1, 2, 3, 4])
def test_a_quorum_is_met_as_often_as_the_binomial_says(quorum: int) -> None:
    branches = [replace(_fixed(f"b{number}", 5.0), failure_probability=0.3) for number in range(4)]
    outcome = _run(_panel(branches, quorum), tasks=20_000)
    chances = {0: 0.3**4, 1: 4 * 0.7 * 0.3**3, 2: 6 * 0.49 * 0.09, 3: 4 * 0.343 * 0.3, 4: 0.7**4}
    exact = sum(chances[count] for count in range(quorum, 5))
    assert outcome.succeeded.mean() == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 20_000) ** 0.5)


def test_late_tokens_go_on_to_their_join() -> None:
    outcome = _run(_panel([_fixed("x", 5.0), _fixed("y", 500.0)], 1))
    assert _times(outcome) == pytest.approx([5.0])
    assert outcome.end_ms - outcome.born_ms[0] == pytest.approx(500.0)
    assert outcome.nodes[2].busy_ms == 500.0


def test_only_what_counted_at_the_join_degrades_a_task() -> None:
    fallback = Fallback(ServiceTime(1.0, distribution=FIXED))
    helped = replace(_fixed("y", 30.0), failure_probability=1.0, fallback=fallback)
    branches = [_fixed("x", 5.0), helped, _fixed("z", 10.0)]
    assert not _run(_panel(branches, 2)).degraded.any()
    assert _run(_panel(branches, 3)).degraded.all()
    assert _run(_panel(branches, None)).degraded.all()


def test_forks_within_forks_meet_inner_joins_first() -> None:
    nodes = [_fork(), _fork("inner"), _fixed("x", 5.0), _fixed("y", 30.0), _fixed("z", 10.0)]
    nodes += [replace(_fixed("inner join", 1.0), join=2), replace(_fixed("join", 2.0), join=2)]
    routes = [Route("fork", "inner"), Route("fork", "x"), Route("inner", "y"), Route("inner", "z")]
    routes += [Route("y", "inner join"), Route("z", "inner join"), Route("inner join", "join"), Route("x", "join")]
    outcome = _run(compile_network(nodes, routes, ["fork"]), tasks=3)
    assert outcome.succeeded.all()
    assert _times(outcome) == pytest.approx([33.0] * 3)
    assert [node.visits for node in outcome.nodes] == [3] * 7


def test_a_fork_within_a_fork_may_leave_without_a_join() -> None:
    nodes = [_fork(), _fork("inner"), _fixed("x", 5.0), _fixed("y", 30.0), _fixed("z", 10.0)]
    routes = [Route("fork", "inner"), Route("fork", "x"), Route("inner", "y"), Route("inner", "z")]
    outcome = _run(compile_network(nodes, routes, ["fork"]))
    assert outcome.succeeded.all()
    assert _times(outcome) == pytest.approx([30.0])


def test_rework_forks_anew_and_stragglers_of_the_first_round_stay_late() -> None:
    # Two of three meet after 10 ms, check sends half of the tasks back; the slow branch is late in every round.
    nodes = [_fork(), _fixed("x", 5.0), _fixed("y", 10.0), replace(_fixed("z", 25.0), failure_probability=0.5)]
    nodes += [replace(_fixed("join", 0.0), join=2), _fixed("check", 1.0)]
    routes = [*(Route("fork", key) for key in "xyz"), *(Route(key, "join") for key in "xyz")]
    routes += [Route("join", "check"), Route("check", "fork", 0.5)]
    outcome = _run(compile_network(nodes, routes, ["fork"]), tasks=2_000)
    rounds = np.array(_times(outcome)) / 11.0
    assert outcome.succeeded.all()
    assert rounds == pytest.approx(np.rint(rounds))
    assert rounds.mean() == pytest.approx(2.0, abs=4 * 2**0.5 / 2_000**0.5)
    assert outcome.nodes[4].visits == outcome.nodes[0].visits
    assert outcome.nodes[4].late == outcome.nodes[3].visits - outcome.nodes[3].failures


def test_a_token_that_no_fork_made_passes_a_join() -> None:
    outcome = _run(compile_network([replace(_fixed("a", 5.0), join=3)], [], ["a"]))
    assert outcome.succeeded.all()
    assert outcome.nodes[0].visits == 1


def test_branches_that_leave_beside_a_join_are_not_waited_for() -> None:
    nodes = [_fork(), _fixed("x", 5.0), _fixed("y", 10.0), _fixed("aside", 99.0), replace(_fixed("join", 0.0), join=2)]
    routes = [Route("fork", "x"), Route("fork", "y"), Route("fork", "aside"), Route("x", "join"), Route("y", "join")]
    outcome = _run(compile_network(nodes, routes, ["fork"]))
    assert outcome.succeeded.all()
    assert _times(outcome) == pytest.approx([10.0])
