"""The five planning agents at a real HTTP endpoint, and each way that it fails."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.planning.fake_endpoint import Behaviour, Call, FakeEndpoint, Reply, fake_endpoint, sensible
from tests.planning.steps import IN_ORDER, Steps
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.events import StepStatus
from windtunnel.domain.networks import validate
from windtunnel.domain.planning import Plan, PlannerAgent, PlannerMode, PlannerStep
from windtunnel.planning import offline_planner, openai_planner
from windtunnel.planning.asking import Api, Limits

TEXT = (
    "Customers e-mail us about bills and bugs. A triage agent routes each message to the right specialist. "
    "Refunds over 200 dollars need a manager to sign off before they are paid."
)
QUICK = Limits(agent_s=20.0, total_s=50.0, retry_wait_s=0.0)
HASTY = Limits(agent_s=0.4, total_s=2.0, retry_wait_s=0.0)


async def plan_at(
    endpoint: FakeEndpoint, api: Api = "responses", limits: Limits = QUICK, steps: Steps | None = None
) -> Plan:
    planner = openai_planner("fake-model", endpoint.base_url, "secret-key", api, limits)
    assert (planner.mode, planner.model) == (PlannerMode.OPENAI, "fake-model")
    plan = await planner.plan(TEXT, steps if steps is not None else Steps())
    assert validate(plan.architecture) == []
    return plan


def codes(architecture: Architecture) -> set[str]:
    return {warning.code for warning in architecture.warnings}


async def offline(text: str = TEXT) -> Plan:
    return await offline_planner().plan(text, Steps())


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_all_five_agents_go_through_the_endpoint(api: Api) -> None:
    steps = Steps()
    with fake_endpoint() as endpoint:
        plan = await plan_at(endpoint, api, steps=steps)
    assert sorted(endpoint.agents()) == sorted(IN_ORDER)
    assert endpoint.agents()[:2] == IN_ORDER[:2]
    assert {call.dialect for call in endpoint.calls} == {api}
    assert {call.authorization for call in endpoint.calls} == {"Bearer secret-key"}
    assert all(call.schema["type"] == "object" and not call.schema["additionalProperties"] for call in endpoint.calls)
    assert codes(plan.architecture) == set()
    assert plan == await offline()


async def test_each_agent_reports_start_and_end_with_its_duration() -> None:
    steps = Steps()
    with fake_endpoint() as endpoint:
        await plan_at(endpoint, steps=steps)
    assert sorted(steps.with_status(StepStatus.STARTED)) == sorted(IN_ORDER)
    assert sorted(steps.with_status(StepStatus.OK)) == sorted(IN_ORDER)
    ended = [step for step in steps if step.status is StepStatus.OK]
    assert all(step.duration_ms is not None and step.duration_ms >= 0 for step in ended)


async def test_mapper_failures_and_narrator_work_at_the_same_time() -> None:
    together = asyncio.Event()
    waiting: set[PlannerAgent] = set()

    async def on_step(step: PlannerStep) -> None:
        if step.status is StepStatus.STARTED and step.planner in IN_ORDER[2:]:
            waiting.add(step.planner)
            if len(waiting) == 3:
                together.set()
            await together.wait()  # only ends when all three have begun

    with fake_endpoint() as endpoint:
        planner = openai_planner("fake-model", endpoint.base_url, "key", "responses", QUICK)
        await planner.plan(TEXT, on_step)
    assert waiting == set(IN_ORDER[2:])


async def test_auto_turns_to_chat_completions_where_responses_is_unknown() -> None:
    with fake_endpoint(dialects=("chat",)) as endpoint:
        plan = await plan_at(endpoint, "auto")
    assert sorted(endpoint.agents()) == sorted(IN_ORDER)
    assert codes(plan.architecture) == set()


async def test_the_scenario_is_sent_as_data_and_whole() -> None:
    with fake_endpoint() as endpoint:
        await plan_at(endpoint)
    assert {call.brief["scenario"] for call in endpoint.calls} == {TEXT}


FAILURES: dict[str, tuple[Reply, str]] = {
    "too many requests": (Reply(status=429, raw=b"{}", headers={"Retry-After": "60"}), "MODEL_RATE_LIMITED"),
    "server error": (Reply(status=500, raw=b'{"error": {"message": "oops"}}'), "MODEL_UNAVAILABLE"),
    "bad gateway page": (Reply(status=502, raw=b"<html>Bad gateway</html>"), "MODEL_UNAVAILABLE"),
    "key refused": (Reply(status=401, raw=b'{"error": {"message": "bad key"}}'), "MODEL_REFUSED"),
    "bad request": (Reply(status=400, raw=b'{"error": {"message": "no such model"}}'), "MODEL_REFUSED"),
    "no JSON": (Reply(raw=b"<html>hello</html>", headers={"Content-Type": "text/html"}), "MODEL_NONSENSE"),
    "broken JSON": (Reply(raw=b'{"id": '), "MODEL_NONSENSE"),
    "JSON of something else": (Reply(raw=b"[1, 2, 3]"), "MODEL_NONSENSE"),
    "null": (Reply(raw=b"null"), "MODEL_NONSENSE"),
    "prose": (Reply("I would rather talk about the weather."), "MODEL_NONSENSE"),
    "wrong schema": (Reply('{"answer": 42}'), "MODEL_NONSENSE"),
    "empty text": (Reply(""), "MODEL_NONSENSE"),
    "no output at all": (Reply(empty=True), "MODEL_NONSENSE"),
    "refusal": (Reply(refusal=True), "MODEL_NONSENSE"),
}


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failing_endpoint_ends_in_the_named_built_in_plan(failure: str, api: Api) -> None:
    reply, code = FAILURES[failure]
    steps = Steps()
    with fake_endpoint(lambda _: reply) as endpoint:
        plan = await plan_at(endpoint, api, steps=steps)
    assert codes(plan.architecture) == {code}
    assert {warning.message.partition(":")[0] for warning in plan.architecture.warnings} == {
        "Scenario Interpreter",
        "Architecture Planner",
        "Tool and Skill Mapper",
        "Failure Simulation Agent",
        "Observability and Narrative Agent",
    }
    assert sorted(steps.with_status(StepStatus.FAILED)) == sorted(IN_ORDER)
    expected = await offline()
    assert plan.interpretation == expected.interpretation
    assert plan.architecture.agents == expected.architecture.agents


@pytest.mark.parametrize("hang", ["before", "midway"])
async def test_an_endpoint_that_hangs_is_given_up_once(hang: str) -> None:
    steps = Steps()
    with fake_endpoint(lambda _: Reply(hang=hang)) as endpoint:
        plan = await plan_at(endpoint, limits=HASTY, steps=steps)
    assert codes(plan.architecture) == {"MODEL_TIMEOUT"}
    assert endpoint.agents() == [PlannerAgent.SCENARIO_INTERPRETER]
    assert sorted(steps.with_status(StepStatus.FAILED)) == sorted(IN_ORDER)


async def test_an_endpoint_that_is_not_there_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    planner = openai_planner("m", f"http://127.0.0.1:{port}/v1", "key", "auto", QUICK)
    plan = await planner.plan(TEXT, Steps())
    assert codes(plan.architecture) == {"MODEL_UNREACHABLE"}
    assert validate(plan.architecture) == []


async def test_one_agent_that_fails_does_not_spoil_the_others() -> None:
    def behaviour(call: Call) -> Reply:
        return Reply(status=503, raw=b"{}") if call.agent is PlannerAgent.TOOL_SKILL_MAPPER else sensible(call)

    steps = Steps()
    with fake_endpoint(behaviour) as endpoint:
        plan = await plan_at(endpoint, steps=steps)
    assert codes(plan.architecture) == {"MODEL_UNAVAILABLE"}
    assert steps.with_status(StepStatus.FAILED) == [PlannerAgent.TOOL_SKILL_MAPPER]
    assert len(steps.with_status(StepStatus.OK)) == 4


async def test_a_passing_refusal_is_asked_once_more() -> None:
    seen: set[PlannerAgent] = set()

    def behaviour(call: Call) -> Reply:
        if call.agent not in seen:
            seen.add(call.agent)
            return Reply(status=429, raw=b"{}", headers={"Retry-After": "0"})
        return sensible(call)

    with fake_endpoint(behaviour) as endpoint:
        plan = await plan_at(endpoint)
    assert len(endpoint.calls) == 10
    assert codes(plan.architecture) == set()


async def test_an_answer_that_does_not_fit_is_repaired_once() -> None:
    def behaviour(call: Call) -> Reply:
        return Reply('{"agents": "none"}') if len(call.messages) == 1 else sensible(call)

    steps = Steps()
    with fake_endpoint(behaviour) as endpoint:
        plan = await plan_at(endpoint, steps=steps)
    assert len(endpoint.calls) == 10
    assert sorted(steps.with_status(StepStatus.RETRIED)) == sorted(IN_ORDER)
    assert sorted(steps.with_status(StepStatus.OK)) == sorted(IN_ORDER)
    assert codes(plan.architecture) == set()
    repair = next(call for call in endpoint.calls if len(call.messages) == 2)
    assert "could not be used" in repair.messages[1]


async def test_an_answer_in_a_markdown_fence_is_read() -> None:
    def behaviour(call: Call) -> Reply:
        return Reply(f"Here you are:\n```json\n{sensible(call).text}\n```\nEnjoy!")

    with fake_endpoint(behaviour) as endpoint:
        plan = await plan_at(endpoint, "chat")
    assert len(endpoint.calls) == 5
    assert codes(plan.architecture) == set()


async def test_cancelling_is_never_swallowed() -> None:
    with fake_endpoint(lambda _: Reply(hang="before")) as endpoint:
        task = asyncio.create_task(plan_at(endpoint))
        await asyncio.to_thread(endpoint.hanging.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("place", [PlannerAgent.ARCHITECTURE_PLANNER, PlannerAgent.FAILURE_SIMULATION])
async def test_an_error_of_the_listener_ends_the_plan_as_it_is(place: PlannerAgent) -> None:
    async def on_step(step: PlannerStep) -> None:
        if step.planner is place:
            raise ConflictError("The simulation was cancelled.", current="CANCELLED")

    with fake_endpoint() as endpoint:
        planner = openai_planner("fake-model", endpoint.base_url, "key", "responses", QUICK)
        with pytest.raises(ConflictError):
            await planner.plan(TEXT, on_step)


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
