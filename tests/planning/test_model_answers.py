"""Answers of a model that fit the schema and are odd: they are used, mapped or dropped, and the result is valid."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from tests.planning.endpoint_plans import codes, plan_at
from tests.planning.fake_endpoint import Behaviour, Call, Reply, fake_endpoint, sensible
from tests.planning.steps import Steps
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.planning import PlannerAgent
from windtunnel.planning.answers import MapperAnswer
from windtunnel.planning.model import AnswerSchema


def altered(place: PlannerAgent, change: Callable[[dict[str, Any]], None]) -> Behaviour:
    """A good model whose answer at one place is changed."""

    def behaviour(call: Call) -> Reply:
        reply = sensible(call)
        if call.agent is not place:
            return reply
        answer = json.loads(reply.text)
        change(answer)
        return Reply(json.dumps(answer))

    return behaviour


def network(agents: list[str], links: list[tuple[str, str]], **more: Any) -> dict[str, Any]:
    return {
        "summary": "S",
        "patterns": ["router_triage"],
        "agents": [
            {"key": key, "name": key, "role": "WORKER", "responsibility": "r", "instructions": "i", "concurrency": 1}
            for key in agents
        ],
        "links": [
            {"source": source, "target": target, "kind": "DATA", "label": "x", "condition": None, "probability": None}
            for source, target in links
        ],
        "entry_points": agents[:1],
        "exit_points": agents[-1:],
        **more,
    }


async def architecture_from(place: PlannerAgent, change: Callable[[dict[str, Any]], None]) -> Architecture:
    with fake_endpoint(altered(place, change)) as endpoint:
        plan = await plan_at(endpoint)
    assert not {code for code in codes(plan.architecture) if code.startswith("MODEL_")}, "the answer fits: it is used"
    return plan.architecture


async def test_unknown_words_of_the_network_are_mapped_or_dropped() -> None:
    def change(answer: dict[str, Any]) -> None:
        answer.update(network(["a", "b", "b", ""], [("a", "b"), ("a", "nobody"), ("a", "a"), ("b", "a")]))
        answer["patterns"] = ["Router / triage", "quantum_entanglement"]
        answer["agents"][0]["role"] = "Supervisor"
        answer["agents"][1]["role"] = "wizard"
        answer["agents"][1]["concurrency"] = -5
        answer["links"][0].update(kind="telepathy", probability=7.5)
        answer["entry_points"] = ["nowhere"]
        answer["exit_points"] = []

    architecture = await architecture_from(PlannerAgent.ARCHITECTURE_PLANNER, change)
    assert architecture.patterns == ("router_triage",)
    assert [agent.role.value for agent in architecture.agents[:2]] == ["ORCHESTRATOR", "WORKER"]
    assert len({agent.key for agent in architecture.agents}) == 4
    assert {"UNKNOWN_PATTERN", "LINKS_DROPPED", "UNREACHABLE_AGENTS_LINKED"} <= codes(architecture)
    assert min(agent.policy.concurrency for agent in architecture.agents) == 1


async def test_a_loop_without_a_share_becomes_feedback() -> None:
    def change(answer: dict[str, Any]) -> None:
        answer.update(network(["a", "b", "c"], [("a", "b"), ("b", "a"), ("b", "c")]))

    architecture = await architecture_from(PlannerAgent.ARCHITECTURE_PLANNER, change)
    back = next(link for link in architecture.links if link.target == "a")
    assert back.kind.value == "FEEDBACK"
    assert back.probability == 0.3
    assert next(link for link in architecture.links if link.target == "c").probability == 0.7


async def test_a_hundred_agents_collapse_to_the_limit() -> None:
    def change(answer: dict[str, Any]) -> None:
        keys = [f"bus_{number}" for number in range(1, 101)]
        answer.update(network(["depot", *keys], [("depot", key) for key in keys]))

    architecture = await architecture_from(PlannerAgent.ARCHITECTURE_PLANNER, change)
    assert len(architecture.agents) == 2
    assert architecture.agents[1].policy.concurrency == 100
    assert "COMPLEXITY_LIMIT" in codes(architecture)


async def test_a_hundred_different_agents_keep_to_the_limit() -> None:
    def change(answer: dict[str, Any]) -> None:
        letters = "abcdefghij"
        keys = [f"{one}{two}" for one in letters for two in letters]
        answer.update(network(keys, [(keys[0], key) for key in keys]))

    architecture = await architecture_from(PlannerAgent.ARCHITECTURE_PLANNER, change)
    assert len(architecture.agents) == 64
    assert sum(agent.policy.concurrency for agent in architecture.agents) == 100


async def test_an_empty_network_does_not_count_as_an_answer() -> None:
    def change(answer: dict[str, Any]) -> None:
        answer["agents"] = []

    with fake_endpoint(altered(PlannerAgent.ARCHITECTURE_PLANNER, change)) as endpoint:
        plan = await plan_at(endpoint)
    assert codes(plan.architecture) == {"MODEL_NONSENSE"}
    assert endpoint.agents().count(PlannerAgent.ARCHITECTURE_PLANNER) == 2


async def test_unknown_tools_are_mapped_or_dropped_and_unused_ones_left_out() -> None:
    def change(answer: dict[str, Any]) -> None:
        user = answer["tools"][0]["used_by"]
        answer["tools"] = [
            {"kind": "Stripe payments API", "purpose": "pay", "used_by": user},
            {"kind": "crystal_ball", "purpose": "zzz", "used_by": user},
            {"kind": "weather", "purpose": "rain", "used_by": ["nobody"]},
        ]

    architecture = await architecture_from(PlannerAgent.TOOL_SKILL_MAPPER, change)
    assert [tool.kind for tool in architecture.tools] == ["payments"]
    assert "UNKNOWN_TOOL" in codes(architecture)


async def test_no_usable_tool_falls_back_to_the_built_in_mapping() -> None:
    architecture = await architecture_from(PlannerAgent.TOOL_SKILL_MAPPER, lambda answer: answer.update(tools=[]))
    assert {tool.kind for tool in architecture.tools} >= {"human_task"}


async def test_unknown_failure_modes_are_dropped_and_aliases_made_canonical() -> None:
    def change(answer: dict[str, Any]) -> None:
        mode = answer["failure_modes"][0] | {"targets": ["nobody"], "tool": "unobtainium"}
        codes = ["msft_xpia", "asi01", "gremlins", "TOOL_API_TIMEOUT"]
        answer["failure_modes"] = [mode | {"code": code} for code in codes]

    architecture = await architecture_from(PlannerAgent.FAILURE_SIMULATION, change)
    assert [mode.code for mode in architecture.failure_modes] == ["asi01", "tool_api_timeout"]
    assert all(mode.targets for mode in architecture.failure_modes)
    assert "UNKNOWN_FAILURE_MODE" in codes(architecture)


async def test_probabilities_come_from_the_book_not_from_the_model() -> None:
    def change(answer: dict[str, Any]) -> None:
        for mode in answer["failure_modes"]:
            mode["rationale"] = "This is 100 % certain."

    architecture = await architecture_from(PlannerAgent.FAILURE_SIMULATION, change)
    assert all(mode.probability < 0.9 and mode.provenance for mode in architecture.failure_modes)


async def test_text_of_the_model_is_made_safe_to_store_and_to_format() -> None:
    def change(answer: dict[str, Any]) -> None:
        answer["opening"] = "Once\x00 upon\u202e a time\n" * 500
        answer["agents"] = [
            {"agent": one["agent"], "log": "{task} {0} {evil!r} {status", "metric": "a b\x00", "unit": ""}
            for one in answer["agents"]
        ]

    architecture = await architecture_from(PlannerAgent.OBSERVABILITY_NARRATIVE, change)
    telemetry = architecture.telemetry
    assert "\x00" not in telemetry.opening
    assert len(telemetry.opening) <= 600
    for told in telemetry.agents:
        assert told.log.format(task="T", duration_ms=1, status="OK") == "T (0) (evil!r) (status"
        assert told.metric == "a_b"


async def test_what_is_told_of_a_step_is_safe_to_store() -> None:
    def behaviour(call: Call) -> Reply:
        if len(call.messages) == 1 and call.agent is PlannerAgent.TOOL_SKILL_MAPPER:
            return Reply('{"\\u0000": 1}')
        reply = sensible(call)
        if call.agent is PlannerAgent.SCENARIO_INTERPRETER:
            return Reply(json.dumps(json.loads(reply.text) | {"domain": "a\x00b\n" * 100}))
        return reply

    steps = Steps()
    with fake_endpoint(behaviour) as endpoint:
        await plan_at(endpoint, steps=steps)
    assert all(step.message.isprintable() and len(step.message) < 300 for step in steps)


async def test_numbers_that_are_none_are_put_right() -> None:
    def behaviour(call: Call) -> Reply:
        text = sensible(call).text
        if call.agent is PlannerAgent.SCENARIO_INTERPRETER:
            answer = json.loads(text) | {"confidence": 12.5}
            return Reply(json.dumps(answer))
        return Reply(text)

    with fake_endpoint(behaviour) as endpoint:
        plan = await plan_at(endpoint)
    assert plan.interpretation.confidence == 1.0


def test_the_runner_has_no_schema_to_copy() -> None:
    """The Runner takes dataclasses apart and copies them, the whole JSON schema too, several times in every run."""
    assert not dataclasses.is_dataclass(AnswerSchema(MapperAnswer))
    assert AnswerSchema(MapperAnswer).is_strict_json_schema()
