"""The discrete-event core: repeatable to the last bit, paired between variants, and exact about its rules."""

import hashlib
import struct
from collections.abc import Sequence

import numpy as np
import pytest

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation import ahead
from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.outcome import Outcome

FIXED = Distribution.DETERMINISTIC


def _office(*, desk_servers: int = 2) -> Network:
    nodes = [
        Node("door", ServiceTime(50), servers=2),
        Node(
            "desk",
            ServiceTime(400),
            servers=desk_servers,
            failure_probability=0.1,
            timeout_ms=900,
            max_attempts=3,
            backoff_ms=40,
        ),
        Node("check", ServiceTime(100, distribution=Distribution.EXPONENTIAL)),
    ]
    routes = [Route("door", "desk", 0.8), Route("desk", "check"), Route("check", "desk", 0.2)]
    return compile_network(nodes, routes, ["door"])


def _run(network: Network, *, seed: int = 1, tasks: int = 500, told: bool = False, replication: int = 0) -> Outcome:
    return simulate(network, seed=seed, tasks=tasks, arrivals_per_ms=0.004, told=told, replication=replication)


def _digest(log: Sequence[tuple[float, int, int, int, bool]]) -> str:
    return hashlib.sha256(b"".join(struct.pack(">diiib", *step) for step in log)).hexdigest()


def test_the_same_seed_gives_the_same_log_on_every_machine() -> None:
    told = _run(_office(), told=True)
    assert told.log is not None
    assert len(told.log) == told.steps
    assert _digest(told.log) == "5593d432ae9428191b90da8c4571679e0db90ab748c3f01f25e6af8ce8b027ef"


def test_silent_and_told_replications_agree() -> None:
    silent, told = _run(_office()), _run(_office(), told=True)
    assert silent.log is None
    assert silent.nodes == told.nodes
    assert np.array_equal(silent.left_ms, told.left_ms)


def test_seeds_and_replications_differ() -> None:
    logs = [_run(_office(), seed=seed, replication=number, told=True).log for seed in (1, 2) for number in (0, 1)]
    digests = {_digest(log) for log in logs if log is not None}
    assert len(digests) == 4


def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _run(_office(), told=True)
    monkeypatch.setattr(ahead, "BLOCK_MIN", 3)
    monkeypatch.setattr(ahead, "BLOCK_MAX", 7)
    assert _run(_office(), told=True).log == expected.log


def test_variants_meet_common_random_numbers() -> None:
    base, variant = _run(_office()), _run(_office(desk_servers=8))
    assert base.nodes[0] == variant.nodes[0]
    assert np.array_equal(base.born_ms, variant.born_ms)
    assert base.nodes[1].attempts == pytest.approx(variant.nodes[1].attempts, rel=0.05)
    assert base.nodes[1].wait_ms > 10 * variant.nodes[1].wait_ms


def test_every_attempt_takes_its_time_and_backs_off_twice_as_long() -> None:
    node = Node("a", ServiceTime(10, distribution=FIXED), failure_probability=1.0, max_attempts=4, backoff_ms=100)
    outcome = _run(compile_network([node], [], ["a"]), tasks=1, told=True)
    assert outcome.log is not None
    starts = outcome.born_ms[0]
    assert [time - starts for time, *_ in outcome.log] == pytest.approx([10, 120, 330, 740])
    assert [attempt for *_, attempt, _ in outcome.log] == [0, 1, 2, 3]
    assert not outcome.succeeded[0]
    assert outcome.nodes[0].visits == 1
    assert outcome.nodes[0].failures == 4


def test_back_off_holds_no_server() -> None:
    failing = Node("a", ServiceTime(1, distribution=FIXED), failure_probability=0.5, max_attempts=2, backoff_ms=1e9)
    outcome = simulate(compile_network([failing], [], ["a"]), seed=1, tasks=50, arrivals_per_ms=1.0)
    assert outcome.nodes[0].failures > 0
    assert outcome.nodes[0].wait_ms < 1e6


def test_a_time_limit_ends_the_attempt_and_fails_it() -> None:
    node = Node("a", ServiceTime(500, distribution=FIXED), timeout_ms=200)
    outcome = _run(compile_network([node], [], ["a"]), tasks=1)
    assert outcome.left_ms[0] - outcome.born_ms[0] == pytest.approx(200)
    assert not outcome.succeeded[0]


def test_shares_below_one_let_the_rest_leave() -> None:
    nodes = [Node("a", ServiceTime(1)), Node("b", ServiceTime(1))]
    outcome = _run(compile_network(nodes, [Route("a", "b", 0.3)], ["a"]), tasks=5_000)
    assert outcome.succeeded.all()
    assert outcome.nodes[1].visits / 5_000 == pytest.approx(0.3, abs=0.02)


def test_arrivals_are_split_evenly_over_the_entries() -> None:
    nodes = [Node("a", ServiceTime(1)), Node("b", ServiceTime(1))]
    outcome = _run(compile_network(nodes, [], ["a", "b"]), tasks=5_000)
    assert outcome.nodes[0].visits / 5_000 == pytest.approx(0.5, abs=0.02)


def test_no_tasks_no_steps() -> None:
    outcome = _run(_office(), tasks=0)
    assert (outcome.steps, outcome.end_ms) == (0, 0.0)


def test_a_route_to_nowhere_is_refused() -> None:
    with pytest.raises(KeyError):
        compile_network([Node("a", ServiceTime(1))], [Route("a", "b")], ["a"])


def test_a_variation_too_small_to_matter_is_none() -> None:
    network = compile_network([Node("a", ServiceTime(100.0, 1e-9))], [], ["a"])
    outcome = simulate(network, seed=1, tasks=2, arrivals_per_ms=1e-5)
    assert (outcome.left_ms - outcome.born_ms).tolist() == pytest.approx([100.0, 100.0])
