"""What failures do to a run, and what policies make of them."""

from dataclasses import replace

import pytest

from tests.examples import pipeline, review_loop
from tests.simulation.networks import agent, link, mode, network, tool
from tests.simulation.stories import of, outcomes, rest, statuses, story, visits
from windtunnel.domain.architectures import AgentRole, Architecture, LinkKind, ResiliencePolicy, ToolCategory
from windtunnel.domain.events import EventDraft, EventKind, Signal
from windtunnel.domain.failures import FailureEffect, FailureMode, FaultUnit, Inject
from windtunnel.domain.simulations import FailureInjection
from windtunnel.simulation import Run

PATIENT = ResiliencePolicy(timeout_ms=20_000, max_attempts=4, backoff_ms=100)


def _pair(policy: ResiliencePolicy, *, writes: bool = False, second: AgentRole = AgentRole.WORKER) -> Architecture:
    """An agent that uses one tool, and another agent that takes over."""
    agents = [agent(0, tools=("t0",), policy=policy), agent(1, role=second)]
    return network(agents, [link(0, 0, 1)], tools=[tool(0, ToolCategory.HTTP_API, writes=writes)])


def _fault(
    inject: Inject, per: FaultUnit = FaultUnit.TOOL_CALL, *, silent: bool = False, retryable: bool = True
) -> FailureMode:
    return mode(1, FailureEffect(inject, per, 0.1, silent, retryable))


def _ends(drafts: list[EventDraft], agent_key: str) -> list[str]:
    return [one.body["status"] for one in of(drafts, EventKind.AGENT_END) if one.agent_key == agent_key]


def test_a_transient_error_is_retried_with_doubling_back_off() -> None:
    for seed in range(40):
        drafts = story(_pair(PATIENT), _fault(Inject.ERROR), seed=seed)
        calls = [one for one in of(drafts, EventKind.TOOL_USED) if one.body["status"] != "OK"]
        if len(calls) < 2:
            continue
        assert [one.body["status"] for one in calls] == ["RETRIED"] * len(calls)
        assert "follows in 100 ms" in calls[0].message
        assert "follows in 200 ms" in calls[1].message
        assert all(one.body["output"] == {"error": "code_1"} for one in calls)
        assert outcomes(drafts) == ["RECOVERED"]
        return
    pytest.fail("no seed needed two retries")


def test_an_error_that_no_retry_helps_ends_the_work() -> None:
    drafts = story(_pair(PATIENT), _fault(Inject.ERROR, retryable=False))
    assert statuses(drafts, "t0").count("FAILED") == 1
    assert "RETRIED" not in statuses(drafts, "t0")
    assert sorted(_ends(drafts, "a0")) == ["FAILED", "OK", "OK"]
    assert len(_ends(drafts, "a1")) == 2
    assert outcomes(drafts) == ["UNRECOVERED"]


def test_a_fallback_keeps_the_work_going() -> None:
    policy = replace(PATIENT, max_attempts=1, fallback="last week's numbers")
    drafts = story(_pair(policy), _fault(Inject.ERROR, retryable=False))
    assert outcomes(drafts) == ["DEGRADED"]
    recovery = of(drafts, EventKind.RECOVERY)[0]
    assert recovery.message.startswith("Agent 0 falls back for Tool 0 (last week's numbers)")
    assert len(_ends(drafts, "a1")) == 3


def test_a_fallback_may_be_an_agent() -> None:
    drafts = story(_pair(ResiliencePolicy(fallback="a1")), _fault(Inject.ERROR, retryable=False))
    assert of(drafts, EventKind.RECOVERY)[0].message.startswith("Agent 1 steps in")


def test_a_circuit_breaker_waits_until_the_outage_is_over() -> None:
    policy = ResiliencePolicy(circuit_breaker=True, backoff_ms=100)
    drafts = story(_pair(policy), _fault(Inject.OUTAGE_WINDOW))
    assert outcomes(drafts) == ["RECOVERED"]
    assert _ends(drafts, "a0") == ["OK"] * 3
    assert any("circuit to Tool 0 opens" in one.message for one in of(drafts, EventKind.OBSERVABILITY))


def test_an_open_circuit_spares_calls_when_a_fallback_answers() -> None:
    policy = ResiliencePolicy(circuit_breaker=True, fallback="a cached answer", backoff_ms=100_000, concurrency=3)
    run = Run(_pair(policy), 3, failures=FailureInjection.NONE)
    run.inject(_fault(Inject.OUTAGE_WINDOW), None)
    drafts = rest(run)
    assert "SKIPPED" in statuses(drafts, "t0")
    assert _ends(drafts, "a0") == ["OK"] * 3
    skipped = next(one for one in of(drafts, EventKind.TOOL_USED) if one.body["status"] == "SKIPPED")
    assert skipped.body["output"] is None


def test_an_outage_hits_every_task_that_comes_while_it_lasts() -> None:
    policy = ResiliencePolicy(backoff_ms=60_000, concurrency=3)
    drafts = story(_pair(policy), _fault(Inject.OUTAGE_WINDOW))
    assert statuses(drafts, "t0").count("FAILED") >= 2
    assert len(of(drafts, EventKind.FAILURE_EVENT)) >= 2


def test_a_time_limit_turns_slowness_into_a_retry() -> None:
    limited = story(_pair(PATIENT), _fault(Inject.LATENCY))
    slow = next(one for one in of(limited, EventKind.TOOL_USED) if one.body["status"] == "RETRIED")
    assert slow.body["latency_ms"] == 20_000
    assert slow.body["output"] == {"error": "timeout"}
    assert outcomes(limited) == ["RECOVERED"]
    assert outcomes(story(_pair(ResiliencePolicy()), _fault(Inject.LATENCY))) == ["DEGRADED"]


def test_a_blocked_agent_needs_a_time_limit_or_a_watchdog() -> None:
    blocked = _fault(Inject.BLOCK, FaultUnit.RUN)
    assert outcomes(story(_pair(PATIENT), blocked)) == ["RECOVERED"]
    freed = story(_pair(ResiliencePolicy()), blocked)
    assert outcomes(freed) == ["DEGRADED"]
    assert "watchdog" in of(freed, EventKind.RECOVERY)[0].message


def test_a_loop_repeats_the_same_call() -> None:
    drafts = story(_pair(ResiliencePolicy()), _fault(Inject.LOOP))
    calls = [one.body["input"] for one in of(drafts, EventKind.TOOL_USED)]
    assert len(calls) >= 3 + 4
    assert max(calls.count(one) for one in calls) >= 5
    assert outcomes(drafts) == ["DEGRADED"]


def test_a_skipped_step_leaves_its_tools_out() -> None:
    drafts = story(_pair(ResiliencePolicy()), _fault(Inject.SKIP, FaultUnit.AGENT_RUN, silent=True))
    assert statuses(drafts, "t0").count("SKIPPED") == 1
    assert sorted(_ends(drafts, "a0")) == ["OK", "OK", "SKIPPED"]
    assert outcomes(drafts) == ["UNRECOVERED"]


def test_truncated_and_garbled_answers_show_in_the_output() -> None:
    for inject in (Inject.TRUNCATE, Inject.CORRUPT):
        calm = story(_pair(ResiliencePolicy()))
        drafts = story(_pair(ResiliencePolicy()), _fault(inject, silent=True))
        answers = [[one.body["output"] for one in of(told, EventKind.TOOL_USED)] for told in (calm, drafts)]
        assert sum(before != after for before, after in zip(*answers, strict=True)) == 1


def test_a_second_write_is_harm_and_a_second_read_is_not() -> None:
    twice = _fault(Inject.DUPLICATE, silent=True)
    assert outcomes(story(_pair(ResiliencePolicy(), writes=True), twice)) == ["UNRECOVERED"]
    reading = story(_pair(ResiliencePolicy()), twice)
    assert outcomes(reading) == ["RECOVERED"]
    assert len(statuses(reading, "t0")) == 4


def test_a_wave_of_other_work_makes_tasks_wait() -> None:
    calm, drafts = (story(_pair(ResiliencePolicy()), *asked) for asked in ((), (_fault(Inject.OVERLOAD),)))
    assert drafts[-1].elapsed_ms > calm[-1].elapsed_ms
    assert outcomes(drafts) == ["DEGRADED"]
    assert outcomes(story(_pair(ResiliencePolicy(circuit_breaker=True)), _fault(Inject.OVERLOAD))) == ["RECOVERED"]


@pytest.mark.parametrize("inject", [Inject.HIJACK, Inject.EXFILTRATE])
def test_foreign_instructions_make_an_extra_call_that_shows_no_secret(inject: Inject) -> None:
    silent = story(_pair(ResiliencePolicy(), writes=True), _fault(inject, silent=True))
    assert statuses(silent, "t0") == ["OK"] * 4
    assert outcomes(silent) == ["UNRECOVERED"]
    loud = story(_pair(ResiliencePolicy(), writes=True), _fault(inject))
    assert statuses(loud, "t0").count("FAILED") == 1
    assert outcomes(loud) == ["RECOVERED"]
    foreign = next(one for one in of(loud, EventKind.TOOL_USED) if one.body["status"] == "FAILED")
    assert foreign.body["input"].get("content", "[redacted]") == "[redacted]"


def test_a_lost_message_is_sent_again_or_missed_for_good() -> None:
    lost = _fault(Inject.DROP, FaultUnit.EDGE)
    patient = story(_pair(PATIENT), lost)
    assert outcomes(patient) == ["RECOVERED"]
    assert len(_ends(patient, "a1")) == 3
    careless = story(_pair(ResiliencePolicy()), replace(lost, effect=replace(lost.effect, retryable=False)))
    assert outcomes(careless) == ["UNRECOVERED"]
    assert len(_ends(careless, "a1")) == 2
    assert "never came through" in careless[-1].body["text"]


def test_a_repeated_message_shows_as_often_as_it_is_sent() -> None:
    calm, drafts = (story(_pair(PATIENT), *asked) for asked in ((), (_fault(Inject.LOOP, FaultUnit.EDGE),)))
    assert len(of(drafts, EventKind.DATA_FLOW)) >= len(of(calm, EventKind.DATA_FLOW)) + 2


def test_a_critic_sends_flawed_work_back_and_a_pipeline_delivers_it() -> None:
    wrong = mode(1, FailureEffect(Inject.WRONG_OUTPUT, FaultUnit.AGENT_RUN, 0.1, True, False), targets=["writer"])
    endings = [outcomes(story(review_loop(), wrong, seed=seed))[0] for seed in range(60)]
    assert endings.count("RECOVERED") >= 40
    caught = next(seed for seed, end in enumerate(endings) if end == "RECOVERED")
    drafts = story(review_loop(), wrong, seed=caught)
    assert of(drafts, EventKind.RECOVERY)[0].agent_key == "critic"
    struck_task = of(drafts, EventKind.FAILURE_EVENT)[0].body["detail"]["task"]
    assert visits(drafts, struck_task).count("writer") == 2


def test_pipelines_lose_more_to_the_same_fault_than_loops_that_review() -> None:
    """The published ordering (AgentChaos): a pipeline without a critic loses most, an iterative design least."""

    def lost(architecture: Architecture, target: str) -> int:
        effect = FailureEffect(Inject.WRONG_OUTPUT, FaultUnit.AGENT_RUN, 0.1, True, False)
        wrong = mode(1, effect, targets=[target])
        return sum(outcomes(story(architecture, wrong, seed=seed))[-1] == "UNRECOVERED" for seed in range(60))

    bare = network([agent(n) for n in range(3)], [link(0, 0, 1), link(1, 1, 2)])
    assert lost(bare, "a0") > lost(pipeline(), "extract") > 0
    assert lost(bare, "a0") > 2 * lost(review_loop(), "writer")


def test_silent_failures_leave_no_log() -> None:
    for silent in (False, True):
        drafts = story(_pair(PATIENT), _fault(Inject.WRONG_OUTPUT, silent=silent))
        logs = [one for one in of(drafts, EventKind.OBSERVABILITY) if one.body["signal"] == Signal.LOG]
        assert any(one.body["name"] == "windtunnel.failure" for one in logs) is not silent


def test_feedback_that_a_critic_asks_for_is_told_as_such() -> None:
    drafts = story(review_loop(), seed=1)
    for flow in of(drafts, EventKind.DATA_FLOW):
        back = next(one for one in review_loop().links if one.key == flow.body["link_key"]).kind is LinkKind.FEEDBACK
        assert ("back to" in flow.message) is back
