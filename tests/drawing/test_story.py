"""Events put together again: steps, calls, failures and handovers."""

from tests.drawing.runs import events_of
from tests.examples import review_loop, support_triage
from windtunnel.domain.events import EventDraft, EventKind, StepStatus
from windtunnel.domain.failures import FailureOutcome
from windtunnel.drawing.story import story_of


def start(at: float, agent: str, task: str) -> EventDraft:
    return EventDraft(EventKind.AGENT_START, "begins", {"task": task, "status": "STARTED"}, at, agent)


def end(at: float, agent: str, task: str, status: str = "OK") -> EventDraft:
    return EventDraft(EventKind.AGENT_END, "ends", {"task": task, "status": status, "duration_ms": 1}, at, agent)


def strike(at: float, agent: str, outcome: str | None, *, kind: EventKind = EventKind.FAILURE_EVENT) -> EventDraft:
    body = {"failure_key": "m", "code": "tool_api_timeout", "severity": "HIGH", "outcome": outcome}
    return EventDraft(kind, f"at {at}", {**body, "detail": {"occurrence": "m#1"}}, at, agent)


def test_steps_pair_starts_with_ends_of_the_same_task() -> None:
    story = story_of([start(0, "a", "1"), start(5, "a", "2"), end(7, "a", "2", "FAILED"), end(9, "a", "1")])
    assert [(step.task, step.start_ms, step.end_ms, step.status) for step in story.steps] == [
        ("1", 0, 9, StepStatus.OK),
        ("2", 5, 7, StepStatus.FAILED),
    ]


def test_a_step_that_never_ended_lasts_until_the_last_event() -> None:
    story = story_of([start(0, "a", "1"), start(4, "b", "1"), end(6, "b", "1")])
    assert (story.steps[0].end_ms, story.steps[0].status) == (6, StepStatus.STARTED)


def test_a_call_belongs_to_the_step_of_its_task_and_starts_before_it_is_told() -> None:
    body = {"tool_key": "t", "input": {"task": "1"}, "output": None, "status": "OK", "latency_ms": 3}
    call = EventDraft(EventKind.TOOL_USED, "calls", body, 8, "a")
    story = story_of([start(0, "a", "1"), start(1, "a", "2"), call, end(9, "a", "1"), end(9, "a", "2")])
    assert [(made.start_ms, made.end_ms) for made in story.steps[0].calls] == [(5, 8)]
    assert story.steps[1].calls == []


def test_a_failure_runs_from_its_strike_to_its_end() -> None:
    ended = strike(8, "b", "RECOVERED", kind=EventKind.RECOVERY)
    (met,) = story_of([strike(2, "a", None), ended]).strikes
    assert (met.agent_key, met.at_ms, met.outcome, met.ended_ms, met.ended_by) == (
        "a",
        2,
        FailureOutcome.RECOVERED,
        8,
        "b",
    )
    (worse,) = story_of([strike(2, "a", None), ended, strike(9, "a", "UNRECOVERED")]).strikes
    assert worse.outcome is FailureOutcome.UNRECOVERED


def test_an_open_failure_counts_as_the_worst_of_its_agent() -> None:
    assert story_of([strike(2, "a", None)]).worst() == {"a": FailureOutcome.UNRECOVERED}


def test_busy_is_the_share_of_time_at_work() -> None:
    story = story_of([start(0, "a", "1"), end(5, "a", "1"), start(5, "b", "1"), end(10, "b", "1")])
    assert story.busy({"a": 1, "b": 2, "c": 1}) == {"a": 0.5, "b": 0.25, "c": 0}
    assert story_of([]).busy({"a": 1}) == {"a": 0}


def test_a_real_run_is_read_completely() -> None:
    for architecture in (support_triage(), review_loop()):
        events = events_of(architecture, 9)
        story = story_of(events)
        kinds = [event.kind for event in events]
        assert len(story.steps) == kinds.count(EventKind.AGENT_START)
        assert sum(len(step.calls) for step in story.steps) == kinds.count(EventKind.TOOL_USED)
        assert len(story.flows) == kinds.count(EventKind.DATA_FLOW)
        assert story.strikes
        assert all(strike.outcome for strike in story.strikes)
        assert all(step.status is not StepStatus.STARTED for step in story.steps)
