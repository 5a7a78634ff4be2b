"""The five planning agents at a real HTTP endpoint, and each way that it fails."""

import asyncio
import socket

import pytest

from tests.planning.endpoint_plans import HASTY, QUICK, TEXT, codes, plan_at
from tests.planning.fake_endpoint import Call, Reply, fake_endpoint, sensible
from tests.planning.steps import IN_ORDER, Steps
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.events import StepStatus
from windtunnel.domain.networks import validate
from windtunnel.domain.planning import Plan, PlannerAgent, PlannerStep
from windtunnel.planning import offline_planner, openai_planner
from windtunnel.planning.asking import Api


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
    assert {call.stored for call in endpoint.calls} == ({False} if api == "responses" else {None})
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
