"""Architectures under load: every branch meets its siblings, loops end, and nothing that goes right is lost."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.domain.test_networks import chain
from tests.simulation.networks import architectures
from windtunnel.domain.architectures import AgentRole, Architecture, LinkKind, ResiliencePolicy, ServiceTime
from windtunnel.experiments.from_architecture import model_of
from windtunnel.experiments.model import Model
from windtunnel.experiments.soundness import check_model
from windtunnel.knowledge import load_book
from windtunnel.simulation.engine import simulate
from windtunnel.simulation.outcome import Outcome


def _calm(architecture: Architecture) -> Architecture:
    """The same network, in which nothing goes wrong."""
    agents = [replace(agent, policy=ResiliencePolicy()) for agent in architecture.agents]
    modes = [replace(mode, probability=0.0) for mode in architecture.failure_modes]
    return replace(architecture, agents=tuple(agents), failure_modes=tuple(modes))


def _run(model: Model, tasks: int = 40) -> Outcome:
    return simulate(model.network, seed=1, tasks=tasks, arrivals_per_ms=0.001)


def _visits(model: Model, outcome: Outcome) -> dict[str, int]:
    return {node.key: node.visits for node in outcome.nodes}


@settings(max_examples=60, deadline=None)
@given(architectures())
def test_where_nothing_goes_wrong_everything_succeeds(architecture: Architecture) -> None:
    model = model_of(_calm(architecture))
    check_model(model)
    assert _run(model).succeeded.all()


@settings(max_examples=40, deadline=None)
@given(architectures())
def test_every_architecture_can_be_put_under_load(architecture: Architecture) -> None:
    model = model_of(architecture)
    check_model(model)
    known = {agent.key for agent in architecture.agents} | {tool.key for tool in architecture.tools}
    assert set(model.owners) <= known
    assert {agent.key for agent in architecture.agents} <= set(model.owners)
    outcome = _run(model, 20)
    assert (outcome.left_ms >= outcome.born_ms).all()


def test_branches_come_together_once_per_task() -> None:
    network = chain(["a", "b", "c", "d"], [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    model = model_of(_calm(network))
    visits = _visits(model, _run(model))
    assert [visits[key] for key in "abcd"] == [40, 40, 40, 40]


def test_forks_within_branches_come_together_first() -> None:
    links = [("a", "b"), ("a", "c"), ("b", "d"), ("b", "e"), ("d", "f"), ("e", "f"), ("c", "f")]
    model = model_of(_calm(chain(list("abcdef"), links)))
    visits = _visits(model, _run(model))
    assert {visits[key] for key in "abcdef"} == {40}


def test_branches_that_cross_are_done_one_after_another() -> None:
    links = [("a", "b"), ("a", "c"), ("b", "d"), ("b", "e"), ("c", "e"), ("d", "f"), ("e", "f")]
    model = model_of(_calm(chain(list("abcdef"), links)))
    outcome = _run(model)
    assert outcome.succeeded.all()
    assert {_visits(model, outcome)[key] for key in "abcdef"} == {40}


def test_work_takes_one_of_the_conditional_links() -> None:
    network = chain(["a", "b", "c", "d"], [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    shares = {"a-b": 0.75, "a-c": 0.25}
    links = [replace(link, probability=shares.get(link.key)) for link in network.links]
    model = model_of(_calm(replace(network, links=tuple(links))))
    visits = _visits(model, _run(model, 2_000))
    assert visits["b"] + visits["c"] == visits["d"] == 2_000
    assert 0.7 < visits["b"] / 2_000 < 0.8


def test_feedback_repeats_the_work() -> None:
    network = chain(["a", "b"], [("a", "b"), ("b", "a")])
    links = [network.links[0], replace(network.links[1], kind=LinkKind.FEEDBACK, probability=0.5)]
    model = model_of(_calm(replace(network, links=tuple(links))))
    visits = _visits(model, _run(model, 2_000))
    assert 1.85 < visits["a"] / 2_000 < 2.15
    assert visits["a"] == visits["b"]


def test_a_caller_goes_on_when_the_answers_are_there() -> None:
    network = chain(["boss", "b", "c", "end"], [("boss", "b"), ("boss", "c"), ("boss", "end")])
    kinds = {"boss-b": LinkKind.CALL, "boss-c": LinkKind.CALL}
    links = [replace(link, kind=kinds.get(link.key, link.kind)) for link in network.links]
    model = model_of(_calm(replace(network, links=tuple(links))))
    outcome = _run(model)
    visits = _visits(model, outcome)
    assert [visits[key] for key in ("boss", "b", "c", "end")] == [40, 40, 40, 40]
    assert outcome.succeeded.all()


def test_tools_are_places_of_their_own() -> None:
    network = _calm(chain(["a", "b"], [("a", "b")]))
    model = model_of(network)
    tool = network.tools[0].key
    calls = {place.node.key for place in model.places if place.owner == tool}
    assert calls == {f"{agent.key}/{tool}" for agent in network.agents if tool in agent.tools}


def test_people_work_in_the_day_when_that_is_asked_for() -> None:
    network = _calm(chain(["a", "b"], [("a", "b")]))
    people = [replace(agent, role=AgentRole.HUMAN) for agent in network.agents]
    humans = replace(network, agents=tuple(people))
    assert all(place.node.hours is None for place in model_of(humans).places)
    model = model_of(humans, working_hours=True)
    assert [place.node.hours is not None for place in model.places if place.owner == place.agent] == [True, True]


def test_any_number_of_tasks_fit_on_the_list_of_a_person() -> None:
    network = _calm(chain(["a", "b"], [("a", "b")]))
    tools = [replace(tool, kind="human_task", service=ServiceTime(3_600_000.0)) for tool in network.tools]
    human = replace(network.agents[1], role=AgentRole.HUMAN, service=ServiceTime(1.0))
    slow = replace(network, agents=(network.agents[0], human), tools=tuple(tools))
    waits = {place.owner: place.node.servers for place in model_of(slow).places if place.agent == "b"}
    assert waits["b"] == 1
    outcome = _run(model_of(slow))
    listed = [node for node in outcome.nodes if node.key.startswith("b/")]
    assert listed
    assert all(node.wait_ms == 0.0 for node in listed)


def test_what_is_late_with_people_is_no_more_work_for_them() -> None:
    network = _calm(chain(["a", "b"], [("a", "b")]))
    late = load_book().canonical("human_approval_delay")
    tools = [replace(tool, kind="human_task", service=ServiceTime(1_000.0)) for tool in network.tools]
    human = replace(network.agents[1], role=AgentRole.HUMAN, service=ServiceTime(1_000.0))
    mode = replace(
        network.failure_modes[0], code=late.code, effect=late.effect, probability=0.5, targets=("b",), target_tool=None
    )
    made = replace(network, agents=(network.agents[0], human), tools=tuple(tools), failure_modes=(mode,))
    model = model_of(made)
    means = {place.owner: place.node.service.mean_ms for place in model.places if place.agent == "b"}
    assert means.pop("b") == 1_000.0
    assert list(means.values()) == [3_000.0]
    assert [node.key.partition("/")[0] for node in model.modes[0].struck] == ["b"]
    assert model.modes[0].struck[0].service.mean_ms == 15_000.0


@pytest.mark.parametrize("key", ["a", "b", "c"])
def test_without_an_agent_of_a_line_nothing_succeeds(key: str) -> None:
    model = model_of(_calm(chain(list("abc"), [("a", "b"), ("b", "c")])))
    assert not _run(model.without(key)).succeeded.any()
