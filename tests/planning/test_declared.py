"""Declared networks: taken as they are, completed to architectures that are valid whatever was declared."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.domain.architectures import AgentRole, DataSensitivity, LinkKind, ToolCategory, digest_of
from windtunnel.domain.errors import ErrorCode, ValidationError
from windtunnel.domain.events import StepStatus
from windtunnel.domain.networks import validate
from windtunnel.domain.planning import Plan, PlannerAgent, PlannerStep
from windtunnel.domain.simulations import FailureInjection
from windtunnel.knowledge import Access
from windtunnel.planning import Declared, DeclaredAgent, DeclaredTool, plan_declared
from windtunnel.simulation.run import Run

TEXT = "Customers report outages. Sort each ticket by urgency, then a manager approves the answer."


def agent(id: str, role: AgentRole = AgentRole.WORKER, *handoffs: str) -> DeclaredAgent:
    return DeclaredAgent(id, role, f"Does what {id} does.", "As packaged.", handoffs)


def tool(id: str, words: str = "", access: Access = Access.COMPUTE, **more: Any) -> DeclaredTool:
    usual: dict[str, Any] = {"external": False, "category": None, "sensitivity": DataSensitivity.INTERNAL}
    return DeclaredTool(id, words or id, f"Called {id}.", access, **(usual | more))


async def planned(declared: Declared, text: str = TEXT) -> tuple[Plan, list[PlannerStep]]:
    steps: list[PlannerStep] = []

    async def note(step: PlannerStep) -> None:
        steps.append(step)

    return await plan_declared(declared, text, note), steps


async def test_agents_handoffs_and_tools_are_those_declared() -> None:
    declared = Declared(
        "Triage of tickets.",
        (agent("Router.1", AgentRole.ROUTER, "billing", "ops"), agent("billing"), agent("ops")),
        (tool("send-mail", "send e-mail", Access.WRITE, external=True, category=ToolCategory.HTTP_API), tool("lookup")),
        ("Assumed.",),
    )
    plan, steps = await planned(declared)
    made = plan.architecture
    assert [(each.key, each.name, each.role) for each in made.agents] == [
        ("router_1", "Router.1", AgentRole.ROUTER),
        ("billing", "billing", AgentRole.WORKER),
        ("ops", "ops", AgentRole.WORKER),
    ]
    assert {(link.source, link.target, link.kind) for link in made.links} == {
        ("router_1", "billing", LinkKind.HANDOFF),
        ("router_1", "ops", LinkKind.HANDOFF),
    }
    assert (made.entry_points, made.exit_points, made.patterns) == (
        ("router_1",),
        ("billing", "ops"),
        ("router_triage",),
    )
    mail, lookup = made.tools
    assert (mail.key, mail.kind, mail.side_effects, mail.category) == (
        "send_mail",
        "email",
        True,
        ToolCategory.HTTP_API,
    )
    assert (lookup.kind, lookup.side_effects) == ("calculator", False)
    assert mail.used_by == ("router_1", "billing", "ops")
    assert made.summary == "Triage of tickets."
    assert made.assumptions[0] == "Assumed."
    assert plan.interpretation.goal
    assert validate(made) == []
    assert [(step.planner, step.status) for step in steps] == [
        (PlannerAgent.SCENARIO_INTERPRETER, StepStatus.STARTED),
        (PlannerAgent.SCENARIO_INTERPRETER, StepStatus.OK),
        (PlannerAgent.ARCHITECTURE_PLANNER, StepStatus.SKIPPED),
        (PlannerAgent.TOOL_SKILL_MAPPER, StepStatus.SKIPPED),
        (PlannerAgent.FAILURE_SIMULATION, StepStatus.OK),
        (PlannerAgent.OBSERVABILITY_NARRATIVE, StepStatus.OK),
    ]
    assert [step.message for step in steps[2:4]] == [
        "The network is declared: 3 agents, 2 handoffs.",
        "The tools are declared: 2.",
    ]


async def test_many_tools_are_dealt_in_turn_to_those_who_act() -> None:
    tools = tuple(tool(f"t{number}") for number in range(6))
    declared = Declared("Many tools.", (agent("a", AgentRole.WORKER, "boss"), agent("boss", AgentRole.HUMAN)), tools)
    made = (await planned(declared))[0].architecture
    assert {each.used_by for each in made.tools} == {("a",)}
    assert made.agents[1].tools == ()


async def test_a_circle_of_handoffs_ends() -> None:
    declared = Declared(
        "Round and round.", (agent("a", AgentRole.WORKER, "b"), agent("b", AgentRole.CRITIC, "a")), (tool("t"),)
    )
    made = (await planned(declared))[0].architecture
    assert made.entry_points == ("a",)
    assert {link.kind for link in made.links} == {LinkKind.HANDOFF, LinkKind.FEEDBACK}
    run = Run(made, 7, failures=FailureInjection.AUTO)
    while not run.over:
        run.advance()
    assert run.narrative


async def test_words_that_cannot_be_planned_are_refused() -> None:
    with pytest.raises(ValidationError) as refusal:
        await planned(Declared("One.", (agent("a"),), (tool("t"),)), "   ")
    assert refusal.value.code is ErrorCode.SCENARIO_EMPTY


IDS = st.text("abAB01._-", min_size=1, max_size=6).filter(lambda text: text[0].isalnum())


@st.composite
def networks(draw: st.DrawFn) -> Declared:
    ids = draw(st.lists(IDS, min_size=1, max_size=8, unique=True))
    roles = st.sampled_from(list(AgentRole))
    agents = tuple(agent(id_, draw(roles), *draw(st.lists(st.sampled_from(ids), max_size=4))) for id_ in ids)
    names = draw(st.lists(IDS, min_size=1, max_size=8, unique=True))
    return Declared(
        "Whatever.", agents, tuple(tool(name, access=draw(st.sampled_from(list(Access)))) for name in names)
    )


@settings(max_examples=40, deadline=None)
@given(networks())
def test_whatever_is_declared_is_valid_and_always_the_same(declared: Declared) -> None:
    first, again = asyncio.run(planned(declared))[0].architecture, asyncio.run(planned(declared))[0].architecture
    assert validate(first) == []
    assert digest_of(first) == digest_of(again)
    assert len(first.agents) == len(declared.agents)
    assert len(first.tools) == len(declared.tools)
    run = Run(first, 3, failures=FailureInjection.AUTO)
    while not run.over:
        run.advance()
