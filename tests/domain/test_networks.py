"""What makes an architecture valid, and what its graph measures."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import pipeline, review_loop, support_triage
from windtunnel.domain.architectures import Architecture, Link, LinkKind
from windtunnel.domain.networks import distances, metrics_of, successors_of, validate


def chain(keys: list[str], links: list[tuple[str, str]]) -> Architecture:
    """A network of equal agents with these keys and links; the first is the entry, the last the exit."""
    base = pipeline()
    agents = [replace(base.agents[0], key=key, name=key, layer=0) for key in keys]
    drawn = tuple(Link(f"{a}-{b}", a, b, LinkKind.DATA, "x") for a, b in links)
    made = replace(
        base,
        agents=tuple(agents),
        links=drawn,
        tools=(replace(base.tools[0], used_by=tuple(keys)),),
        failure_modes=(replace(base.failure_modes[0], targets=tuple(keys[:1])),),
        entry_points=tuple(keys[:1]),
        exit_points=tuple(keys[-1:]),
        telemetry=replace(base.telemetry, agents=()),
    )
    layers = distances(successors_of(made), made.entry_points)
    return replace(made, agents=tuple(replace(agent, layer=layers.get(agent.key, 0)) for agent in agents))


@pytest.mark.parametrize("example", [support_triage, pipeline, review_loop])
def test_the_examples_are_valid(example: Callable[[], Architecture]) -> None:
    assert validate(example()) == []


def test_metrics_of_a_pipeline() -> None:
    metrics = metrics_of(pipeline())
    assert (metrics.agent_count, metrics.link_count, metrics.tool_count, metrics.depth) == (3, 2, 2, 3)
    assert not metrics.has_cycle
    assert metrics.critical_path == ("extract", "check", "load")
    assert metrics.single_points_of_failure == ("extract", "check", "load")


def test_a_branch_is_no_single_point_of_failure() -> None:
    metrics = metrics_of(support_triage())
    assert metrics.single_points_of_failure == ("triage", "reply")
    assert metrics.critical_path == ("triage", "billing", "manager", "refund", "reply")


def test_a_loop_is_a_cycle_and_counts_once_on_the_critical_path() -> None:
    metrics = metrics_of(review_loop())
    assert metrics.has_cycle
    assert metrics.critical_path == ("writer", "critic", "publisher")


BROKEN: dict[str, Callable[[Architecture], Architecture]] = {
    "is used 2 times": lambda a: replace(a, agents=(*a.agents, a.agents[0])),
    "names an unknown agent": lambda a: replace(a, links=(*a.links, Link("l", "load", "ghost", LinkKind.DATA, ""))),
    "There is no entry point": lambda a: replace(a, entry_points=()),
    "exit point 'ghost' is no agent": lambda a: replace(a, exit_points=("ghost",)),
    "cannot be reached": lambda a: replace(a, links=a.links[:1]),
    "There is no tool": lambda a: replace(a, tools=(), agents=tuple(replace(g, tools=()) for g in a.agents)),
    "There is no failure mode": lambda a: replace(a, failure_modes=()),
    "No agent uses tool": lambda a: replace(a, agents=tuple(replace(g, tools=()) for g in a.agents)),
    "are not the agents that name it": lambda a: replace(a, tools=(replace(a.tools[0], used_by=()), a.tools[1])),
    "uses an unknown tool": lambda a: replace(a, tools=a.tools[:1]),
    "says layer 7": lambda a: replace(a, agents=(replace(a.agents[0], layer=7), *a.agents[1:])),
    "targets no agent": lambda a: replace(a, failure_modes=(replace(a.failure_modes[0], targets=("ghost",)),)),
    "has no target": lambda a: replace(a, failure_modes=(replace(a.failure_modes[0], targets=()),)),
    "probability of link": lambda a: replace(a, links=(replace(a.links[0], probability=1.5), a.links[1])),
    "The confidence": lambda a: replace(a, confidence=-0.1),
    "has an empty key": lambda a: replace(a, links=(replace(a.links[0], key=" "), a.links[1])),
    "agents; at most 64": lambda _: chain([f"a{n}" for n in range(65)], [(f"a{n}", f"a{n + 1}") for n in range(64)]),
}


@pytest.mark.parametrize("problem", BROKEN)
def test_each_broken_rule_is_named(problem: str) -> None:
    assert any(problem in sentence for sentence in validate(BROKEN[problem](pipeline())))


KEYS = [f"n{number}" for number in range(7)]
LINKS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=16, unique=True)


@settings(max_examples=80)
@given(LINKS)
def test_measures_agree_with_their_definitions(links: list[tuple[str, str]]) -> None:
    architecture = chain(KEYS, links)
    metrics = metrics_of(architecture)
    reach = reachable(links)
    reached = reach[KEYS[0]] | {KEYS[0]}
    assert metrics.has_cycle == any(key in reach[key] for key in KEYS)
    assert bool([problem for problem in validate(architecture) if "reached" in problem]) == (reached != set(KEYS))
    assert set(metrics.critical_path) <= reached
    assert len(set(metrics.critical_path)) == len(metrics.critical_path)
    assert set(zip(metrics.critical_path, metrics.critical_path[1:], strict=False)) <= set(links)
    assert 1 <= metrics.depth <= len(reached)
    for key in KEYS:
        rest = reachable([link for link in links if key not in link])
        cut_off = key in {KEYS[0], KEYS[-1]} or KEYS[-1] not in rest[KEYS[0]]
        assert (key in metrics.single_points_of_failure) == cut_off


@settings(max_examples=60)
@given(LINKS)
def test_without_a_cycle_no_way_is_longer_than_the_critical_path(links: list[tuple[str, str]]) -> None:
    forward = [(a, b) for a, b in links if a < b]
    metrics = metrics_of(chain(KEYS, forward))
    assert len(metrics.critical_path) == longest(KEYS[0], forward)


def reachable(links: list[tuple[str, str]]) -> dict[str, set[str]]:
    """Who can be reached from whom by at least one link, the slow and simple way."""
    reach = {key: {b for a, b in links if a == key} for key in KEYS}
    for _ in KEYS:
        reach = {key: found.union(*(reach[other] for other in found)) for key, found in reach.items()}
    return reach


def longest(start: str, links: list[tuple[str, str]]) -> int:
    return 1 + max((longest(b, links) for a, b in links if a == start), default=0)
