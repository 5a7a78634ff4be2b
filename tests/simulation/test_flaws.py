"""Silent faults: results that are wrong, that verifiers catch and have done anew, and that votes outweigh."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.outcome import Outcome
from windtunnel.simulation.resilience import Fallback, NodeMode

TASKS = 20_000


def _node(key: str, mean_ms: float = 10.0) -> Node:
    return Node(key, ServiceTime(mean_ms, distribution=Distribution.DETERMINISTIC), servers=1_000)


def _line(*nodes: Node) -> Network:
    routes = [Route(one.key, other.key) for one, other in pairwise(nodes)]
    return compile_network(nodes, routes, [nodes[0].key])


def _run(network: Network, *, tasks: int = TASKS, seed: int = 1) -> Outcome:
    return simulate(network, seed=seed, tasks=tasks, arrivals_per_ms=0.1)


def _near(share: float) -> object:
    return pytest.approx(share, abs=4 * (share * (1 - share) / TASKS) ** 0.5)


def test_flaws_pass_along_a_pipeline_unseen() -> None:
    steps = [replace(_node(key), flaw_probability=0.1) for key in "abc"]
    outcome = _run(_line(*steps))
    assert outcome.delivered.all()
    assert outcome.succeeded.mean() == _near(0.9**3)
    # Each node makes its flaws, whether what came was flawed already or not.
    assert [node.flawed / TASKS for node in outcome.nodes] == [_near(0.1)] * 3
    assert (outcome.left_ms - outcome.born_ms) == pytest.approx(np.full(TASKS, 30.0))


def test_a_verifier_without_rework_fails_visibly_what_it_catches() -> None:
    outcome = _run(_line(replace(_node("a"), flaw_probability=0.5), replace(_node("v"), catch_probability=0.8)))
    assert outcome.succeeded.mean() == _near(0.5)
    assert (~outcome.delivered).mean() == _near(0.4)
    assert outcome.nodes[1].caught == np.count_nonzero(~outcome.delivered)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_rework_gives_each_flaw_that_is_caught_another_chance(rounds: int) -> None:
    author = replace(_node("a"), flaw_probability=0.5)
    verifier = replace(_node("v"), catch_probability=0.8, rework="a", rework_rounds=rounds)
    outcome = _run(_line(author, verifier))
    again = 0.5 * 0.8
    assert outcome.delivered.all()
    assert outcome.succeeded.mean() == _near(0.5 * sum(again**number for number in range(rounds + 1)))
    visits = sum(again**number for number in range(rounds + 1))
    assert outcome.nodes[0].visits / TASKS == pytest.approx(visits, rel=0.02)
    assert outcome.nodes[1].caught == outcome.nodes[0].visits - TASKS


def test_a_fallback_neither_makes_flaws_nor_catches_them() -> None:
    fallback = Fallback(ServiceTime(1.0))
    author = replace(_node("a"), flaw_probability=1.0)
    verifier = replace(_node("v"), catch_probability=1.0, failure_probability=1.0, fallback=fallback)
    flawed = _run(_line(author, verifier), tasks=10)
    assert flawed.delivered.all()
    assert not flawed.succeeded.any()
    assert not flawed.degraded.any()
    helped = _run(_line(replace(author, failure_probability=1.0, fallback=fallback)), tasks=10)
    assert helped.succeeded.all()


@pytest.mark.parametrize(("vote", "exact"), [(True, 0.8**3 + 3 * 0.2 * 0.8**2), (False, 0.8**3)])
def test_a_vote_outweighs_the_flaws_of_a_minority(exact: float, *, vote: bool) -> None:
    voters = [replace(_node(key), flaw_probability=0.2) for key in "abc"]
    nodes = [replace(_node("fork"), mode=NodeMode.FORK), *voters, replace(_node("join"), join=3, vote=vote)]
    routes = [*(Route("fork", key) for key in "abc"), *(Route(key, "join") for key in "abc")]
    outcome = _run(compile_network(nodes, routes, ["fork"]))
    assert outcome.succeeded.mean() == _near(exact)


def test_only_the_quorum_votes() -> None:
    voters = [_node("a", 1.0), _node("b", 2.0), replace(_node("c", 3.0), flaw_probability=1.0)]
    nodes = [replace(_node("fork"), mode=NodeMode.FORK), *voters, replace(_node("join"), join=2)]
    routes = [*(Route("fork", key) for key in "abc"), *(Route(key, "join") for key in "abc")]
    assert _run(compile_network(nodes, routes, ["fork"]), tasks=20).succeeded.all()


def test_without_a_join_one_flawed_branch_is_enough() -> None:
    nodes = [replace(_node("fork"), mode=NodeMode.FORK), _node("a"), replace(_node("b"), flaw_probability=0.3)]
    outcome = _run(compile_network(nodes, [Route("fork", "a"), Route("fork", "b")], ["fork"]))
    assert outcome.delivered.all()
    assert outcome.succeeded.mean() == _near(0.7)


def test_branches_inherit_the_rounds_that_are_used_up() -> None:
    # Whoever carries on for the fork has been reworked as often as the task has.
    nodes = [replace(_node("fork"), mode=NodeMode.FORK), _node("a", 20.0), replace(_node("b", 5.0))]
    nodes += [replace(_node("join"), join=1, flaw_probability=1.0)]
    nodes += [replace(_node("v"), catch_probability=1.0, rework="fork", rework_rounds=2)]
    routes = [Route("fork", "a"), Route("fork", "b"), Route("a", "join"), Route("b", "join"), Route("join", "v")]
    outcome = _run(compile_network(nodes, routes, ["fork"]), tasks=10)
    assert outcome.delivered.all()
    assert not outcome.succeeded.any()
    assert outcome.nodes[0].visits == 30


def test_nodes_of_one_stream_meet_common_numbers_wherever_they_stand() -> None:
    worker = Node("w", ServiceTime(100.0), servers=10, failure_probability=0.2, stream=7)
    extra = replace(_node("x"), stream=9)
    alone = _run(_line(worker), tasks=500)
    behind = _run(_line(extra, worker), tasks=500)
    assert compile_network([worker], [], ["w"]).extras is None
    assert behind.nodes[1].busy_ms == alone.nodes[0].busy_ms
    assert behind.nodes[1].failures == alone.nodes[0].failures
