"""How work walks through a network: fan-out, joins, branches, calls, rounds, queues."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.examples import review_loop
from tests.simulation.networks import agent, link, network
from tests.simulation.stories import of, story, visits
from windtunnel.domain.architectures import Architecture, Distribution, LinkKind, ResiliencePolicy, ServiceTime
from windtunnel.domain.events import EventKind

TASKS = ("task-1", "task-2", "task-3")


def _order(architecture: Architecture, seed: int = 1) -> list[list[str | None]]:
    drafts = story(architecture, seed=seed)
    return [visits(drafts, task) for task in TASKS]


def test_work_fans_out_and_joins_once() -> None:
    pairs = [(0, 1), (0, 2), (1, 3), (2, 3)]
    architecture = network([agent(n) for n in range(4)], [link(n, *pair) for n, pair in enumerate(pairs)])
    for seen in _order(architecture):
        assert seen[0] == "a0"
        assert sorted(map(str, seen[1:3])) == ["a1", "a2"]
        assert seen[3:] == ["a3"]


def test_a_join_waits_for_the_longer_way() -> None:
    pairs = [(0, 3), (0, 1), (1, 2), (2, 3)]
    architecture = network([agent(n) for n in range(4)], [link(n, *pair) for n, pair in enumerate(pairs)])
    assert all(seen == ["a0", "a1", "a2", "a3"] for seen in _order(architecture))


def test_a_join_does_not_wait_for_a_branch_that_was_not_taken() -> None:
    links = [link(0, 0, 1, share=0.5), link(1, 0, 2, share=0.5), link(2, 1, 3), link(3, 2, 3)]
    architecture = network([agent(n) for n in range(4)], links)
    for seen in _order(architecture):
        assert seen in (["a0", "a1", "a3"], ["a0", "a2", "a3"])


def test_branches_are_taken_by_their_shares() -> None:
    links = [link(0, 0, 1, share=0.7), link(1, 0, 2, share=0.2), link(2, 0, 3, share=0.1)]
    architecture = network([agent(n) for n in range(4)], links)
    taken = Counter(seen[1] for seed in range(200) for seen in _order(architecture, seed))
    assert taken["a1"] / 600 == pytest.approx(0.7, abs=0.06)
    assert taken["a2"] / 600 == pytest.approx(0.2, abs=0.05)
    assert taken["a3"] / 600 == pytest.approx(0.1, abs=0.04)


def test_shares_below_one_let_the_rest_leave() -> None:
    architecture = network([agent(0), agent(1)], [link(0, 0, 1, share=0.25)])
    onward = sum(len(seen) == 2 for seed in range(100) for seen in _order(architecture, seed))
    assert onward / 300 == pytest.approx(0.25, abs=0.08)


def test_control_is_handed_to_one_agent_only() -> None:
    links = [link(0, 0, 1, LinkKind.HANDOFF), link(1, 0, 2, LinkKind.HANDOFF), link(2, 0, 3, LinkKind.EVENT)]
    architecture = network([agent(n) for n in range(4)], links)
    seen = [set(one) for seed in range(20) for one in _order(architecture, seed)]
    assert all(one in ({"a0", "a1", "a3"}, {"a0", "a2", "a3"}) for one in seen)
    assert {"a0", "a1", "a3"} in seen
    assert {"a0", "a2", "a3"} in seen


def test_called_agents_report_back_before_the_caller_goes_on() -> None:
    links = [
        link(0, 0, 1, LinkKind.CALL),
        link(1, 0, 2, LinkKind.CALL),
        link(2, 1, 0),
        link(3, 2, 0),
        link(4, 0, 3),
    ]
    architecture = network([agent(n) for n in range(4)], links)
    for seen in _order(architecture):
        assert seen[0] == "a0"
        assert sorted(map(str, seen[1:3])) == ["a1", "a2"]
        assert seen[3:] == ["a0", "a3"]


def test_a_call_without_a_way_back_is_waited_for_too() -> None:
    links = [link(0, 0, 1, LinkKind.CALL), link(1, 1, 2), link(2, 0, 3)]
    architecture = network([agent(n) for n in range(4)], links)
    assert all(seen == ["a0", "a1", "a2", "a3"] for seen in _order(architecture))


def test_feedback_comes_back_a_bounded_number_of_times() -> None:
    links = [link(0, 0, 1), link(1, 1, 0, LinkKind.FEEDBACK, 1.0), link(2, 1, 2)]
    architecture = network([agent(n) for n in range(3)], links)
    assert all(seen == ["a0", "a1"] * 3 + ["a2"] for seen in _order(architecture))


def test_feedback_is_given_by_its_share() -> None:
    rounds = [len(seen) for seed in range(100) for seen in _order(review_loop(), seed)]
    assert rounds.count(3) / 300 == pytest.approx(0.7, abs=0.08)


def test_a_cycle_of_plain_links_ends() -> None:
    pairs = [(0, 1), (1, 2), (2, 0), (2, 3)]
    architecture = network([agent(n) for n in range(4)], [link(n, *pair) for n, pair in enumerate(pairs)])
    for seen in _order(architecture):
        assert seen[:3] == ["a0", "a1", "a2"]
        assert set(seen) == {"a0", "a1", "a2", "a3"}


def test_an_agent_that_only_feedback_reaches_is_visited() -> None:
    architecture = network([agent(0), agent(1)], [link(0, 0, 1, LinkKind.FEEDBACK)])
    assert all(seen == ["a0", "a1"] for seen in _order(architecture))


def test_every_entry_point_receives_work() -> None:
    agents = [agent(n) for n in range(6)]
    links = [link(n, n, 5) for n in range(5)]
    architecture = network(agents, links, entries=[f"a{n}" for n in range(5)])
    assert {one for seen in _order(architecture) for one in seen} == {f"a{n}" for n in range(6)}


def _overlaps(concurrency: int) -> int:
    service = ServiceTime(10_000, distribution=Distribution.DETERMINISTIC)
    policy = ResiliencePolicy(concurrency=concurrency)
    quick = agent(1, service=ServiceTime(1))
    architecture = network(
        [agent(0, service=service, policy=policy), *(replace(quick, key=f"a{n}") for n in (1, 2))],
        [
            link(0, 0, 1),
            link(1, 1, 2),
        ],
    )
    running = most = 0
    for draft in of(story(architecture), EventKind.AGENT_START, EventKind.AGENT_END):
        if draft.agent_key == "a0":
            running += 1 if draft.kind is EventKind.AGENT_START else -1
            most = max(most, running)
    return most


def test_an_agent_works_on_as_many_tasks_as_its_policy_allows() -> None:
    assert [_overlaps(concurrency) for concurrency in (1, 2, 3)] == [1, 2, 3]


def test_waiting_in_a_queue_is_told() -> None:
    slow = agent(0, service=ServiceTime(60_000))
    architecture = network(
        [slow, agent(1, service=ServiceTime(1)), agent(2, service=ServiceTime(1))],
        [
            link(0, 0, 1),
            link(1, 1, 2),
        ],
    )
    starts = [one.message for one in of(story(architecture), EventKind.AGENT_START) if one.agent_key == "a0"]
    assert "in the queue" not in starts[0]
    assert all("in the queue" in message for message in starts[1:])
