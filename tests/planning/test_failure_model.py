"""Failure modes in architectures: any code can be injected anywhere, and the numbers keep their meaning."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.examples import pipeline, review_loop, support_triage
from tests.planning.steps import Steps
from windtunnel.domain.architectures import AgentRole, Architecture
from windtunnel.domain.failures import Severity, likelihood_of
from windtunnel.domain.networks import validate
from windtunnel.knowledge import load_book
from windtunnel.planning import failure_mode_for, offline_planner
from windtunnel.planning.failure_model import expectations
from windtunnel.planning.features import FEATURES, features_of
from windtunnel.planning.reading.lexicon import concepts_of
from windtunnel.planning.shape import shape_of

EXAMPLES = (support_triage, pipeline, review_loop)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_code_of_the_book_can_be_injected_everywhere(example: Callable[[], Architecture]) -> None:
    architecture = example()
    book = load_book()
    for code in book.definitions:
        mode = failure_mode_for(book, code, architecture)
        assert mode.code == code
        assert mode.effect == book.canonical(code).effect
        assert mode.provenance == book.definition(code).provenance
        assert mode.likelihood is likelihood_of(mode.probability)
        assert 0 < mode.probability < 1
        assert mode.rationale
        assert mode.mitigation
        assert mode.detection
        assert validate(replace(architecture, failure_modes=(*architecture.failure_modes, mode))) == []


def test_the_key_is_free_although_the_mode_was_planned() -> None:
    architecture = support_triage()
    taken = {mode.key for mode in architecture.failure_modes}
    mode = failure_mode_for(load_book(), "tool_api_timeout", architecture)
    assert mode.key not in taken
    assert mode.code == "tool_api_timeout"


def test_a_target_is_hit_where_it_is() -> None:
    architecture, book = support_triage(), load_book()
    at_agent = failure_mode_for(book, "llm_hallucination", architecture, "product")
    assert (at_agent.targets, at_agent.target_tool) == (("product",), None)
    at_tool = failure_mode_for(book, "tool_api_timeout", architecture, "tool_crm")
    assert (at_tool.targets, at_tool.target_tool) == (("billing", "technical"), "tool_crm")


@pytest.mark.parametrize(("code", "target"), [("no_such_mode", None), ("asi01", "no_such_agent")])
def test_unknown_names_are_key_errors(code: str, target: str | None) -> None:
    with pytest.raises(KeyError):
        failure_mode_for(load_book(), code, support_triage(), target)


def test_modes_hit_what_they_are_about() -> None:
    architecture, book = support_triage(), load_book()
    roles = {agent.key: agent.role for agent in architecture.agents}
    delay = failure_mode_for(book, "human_approval_delay", architecture)
    assert {roles[key] for key in delay.targets} == {AgentRole.HUMAN}
    wrong_tool = failure_mode_for(book, "tool_wrong_selection", architecture)
    assert {roles[key] for key in wrong_tool.targets} == {AgentRole.ROUTER}
    retrieval = failure_mode_for(book, "rag_retrieval_miss", architecture)
    assert retrieval.target_tool == "tool_vector_search"


def test_a_wrong_output_is_worse_where_something_is_written() -> None:
    order = list(Severity)
    book = load_book()
    reading = failure_mode_for(book, "llm_hallucination", without_writing(pipeline()))
    writing = failure_mode_for(book, "llm_hallucination", pipeline())
    assert order.index(writing.severity) > order.index(reading.severity)


def without_writing(architecture: Architecture) -> Architecture:
    tools = tuple(replace(tool, side_effects=False) for tool in architecture.tools)
    return replace(architecture, tools=tools)


def test_the_semantic_modes_share_one_total() -> None:
    book = load_book()
    shares = sum(book.definition(code).effect.probability for code in book.triggers if code.startswith("mast_"))
    for example in EXAMPLES:
        weighed = expectations(book, shape_of(example()))
        total = sum(one.probability for code, one in weighed.items() if code.startswith("mast_"))
        assert total == pytest.approx(shares, rel=0.01)
        assert shares == pytest.approx(0.17, rel=0.2)


def test_triggers_make_a_mode_likelier() -> None:
    book = load_book()
    shape = shape_of(pipeline())
    told = replace(shape, concepts=frozenset({"volume", "parallel"}))
    assert (
        expectations(book, told)["llm_rate_limited"].probability
        > expectations(book, shape)["llm_rate_limited"].probability
    )


def test_every_trigger_of_the_book_can_be_found() -> None:
    known = concepts_of("concepts") | concepts_of("tools")
    for triggers in load_book().triggers.values():
        assert set(triggers.structure) <= FEATURES
        assert set(triggers.concepts) <= known


def test_features_tell_the_examples_apart() -> None:
    triage, loop = features_of(shape_of(support_triage())), features_of(shape_of(review_loop()))
    assert {"router", "human_gate", "write_tool", "retrieval"} <= triage
    assert {"cycle", "critic", "judge_only"} <= loop
    assert "cycle" not in triage
    assert triage | loop <= FEATURES


async def test_the_reason_names_this_scenario() -> None:
    text = "An agent writes code, runs the tests in a sandbox and repeats until they pass."
    architecture = (await offline_planner().plan(text, Steps())).architecture
    names = {agent.name for agent in architecture.agents}
    assert "asi05" in {mode.code for mode in architecture.failure_modes}
    for mode in architecture.failure_modes:
        assert any(name in mode.rationale for name in names)
