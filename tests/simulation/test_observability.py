"""Telemetry in OpenTelemetry's words: what steps report, and what an observer reads from stored events."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.examples import pipeline, review_loop, support_triage
from tests.telemetry.runs import START, failing, stored, told
from windtunnel.domain.events import EventDraft, EventKind, LogLevel, Signal
from windtunnel.domain.observability import Span, SpanStatus
from windtunnel.domain.prices import ModelPrice
from windtunnel.simulation import semconv
from windtunnel.simulation.observability import logs, metric_series, spans, summary, tokens_in


def _children(found: Sequence[Span], parent: Span) -> list[Span]:
    return [span for span in found if span.parent_span_id == parent.span_id]


def test_every_task_is_one_trace_with_one_tree_of_spans() -> None:
    events = told(review_loop())
    found = spans(events, START)
    roots = [span for span in found if span.parent_span_id is None]
    assert [root.name for root in roots] == ["invoke_workflow evaluator_optimizer"] * 3
    assert len({span.trace_id for span in found}) == 3
    assert len({span.span_id for span in found}) == len(found)
    by_id = {span.span_id: span for span in found}
    for span in found:
        assert (len(span.trace_id), len(span.span_id)) == (32, 16)
        assert int(span.trace_id, 16) > 0
        assert START <= span.started_at <= span.ended_at
        if span.parent_span_id is not None:
            parent = by_id[span.parent_span_id]
            assert parent.trace_id == span.trace_id
            assert parent.started_at <= span.started_at
            assert span.ended_at <= parent.ended_at
    assert [span.started_at for span in found] == sorted(span.started_at for span in found)


def test_spans_are_named_and_described_in_the_conventions_words() -> None:
    found = spans(told(support_triage()), START)
    words = {name.split(" ")[0] for name in (span.name for span in found)}
    assert words == {"invoke_workflow", "invoke_agent", "chat", "execute_tool"}
    for span in found:
        assert span.attributes[semconv.OPERATION_NAME] == span.name.split(" ")[0]
        assert span.attributes[semconv.SIMULATED] is True
        assert span.attributes[semconv.SEED] == 1
    chat = next(span for span in found if span.name == "chat simulated")
    assert chat.attributes["gen_ai.usage.input_tokens"] > 0
    assert chat.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    call = next(span for span in found if span.name.startswith("execute_tool"))
    assert call.attributes["gen_ai.tool.type"] in {"function", "datastore"}
    assert call.agent_key is not None


def test_span_times_are_simulated_time_after_the_start() -> None:
    events = told(pipeline())
    ends = {(one.agent_key, one.elapsed_ms) for one in events if one.kind is EventKind.AGENT_END}
    agents = [span for span in spans(events, START) if span.name.startswith("invoke_agent")]
    assert len(agents) == len(ends)
    for span in agents:
        elapsed = (span.ended_at - START) / timedelta(milliseconds=1)
        assert any(span.agent_key == key and abs(elapsed - at) < 0.01 for key, at in ends)


def test_one_span_covers_all_attempts_and_a_failed_one_says_why() -> None:
    events = failing()
    found = spans(events, START)
    failed = [span for span in found if span.attributes.get("error.type") == "code_1"]
    call = next(span for span in failed if span.name == "execute_tool Tool 0")
    assert call.status is SpanStatus.ERROR
    assert [event["name"] for event in call.attributes["events"]] == ["retry", "retry"]
    parent = next(span for span in failed if span.span_id == call.parent_span_id)
    assert parent.status is SpanStatus.ERROR
    root = next(span for span in found if span.span_id == parent.parent_span_id)
    assert root.status is SpanStatus.ERROR
    assert [span.name for span in _children(found, root)] == ["invoke_agent Agent 0"]


def test_each_end_of_a_step_reports_log_metrics_and_span() -> None:
    events = told(pipeline())
    for place, event in enumerate(events):
        if event.kind is EventKind.AGENT_END:
            reports = []
            for later in events[place + 1 :]:
                if later.kind is not EventKind.OBSERVABILITY:
                    break
                reports.append((later.body["signal"], later.body["name"]))
            assert reports[0][0] == Signal.LOG
            assert (Signal.METRIC, "gen_ai.client.operation.duration") in reports
            assert (Signal.METRIC, f"{event.agent_key}_items") in reports
            assert (Signal.METRIC, "gen_ai.client.token.usage") in reports
            assert (Signal.TRACE, f"invoke_agent {(event.agent_key or '').capitalize()}") in reports


def test_logs_are_filtered_by_level_agent_and_place() -> None:
    events = failing()
    everything = logs(events, min_level=LogLevel.DEBUG)
    assert [one.seq for one in everything] == sorted(one.seq for one in everything)
    assert {one.level for one in everything} == {LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR}
    assert {one.level for one in logs(events, min_level=LogLevel.WARN)} == {LogLevel.WARN, LogLevel.ERROR}
    assert {one.agent_key for one in logs(events, agent_key="a1")} == {"a1"}
    second = logs(events, min_level=LogLevel.DEBUG, after_seq=everything[0].seq, first=2)
    assert second == everything[1:3]
    assert logs(events, first=0) == []


def test_the_planned_log_sentence_is_filled_in() -> None:
    messages = [one.message for one in logs(told(pipeline()), agent_key="check")]
    assert len(messages) == 3
    assert all(message.startswith("Check finished task-") for message in messages)
    assert all("{" not in message for message in messages)


def test_metric_series_hold_the_points_of_one_agent_in_order() -> None:
    events = told(review_loop())
    series = metric_series(events)
    assert len({(one.name, one.agent_key) for one in series}) == len(series)
    duration = next(one for one in series if one.name == semconv.OPERATION_DURATION and one.agent_key == "writer")
    ends = [one for one in events if one.kind is EventKind.AGENT_END and one.agent_key == "writer"]
    assert duration.unit == "s"
    assert [point.value * 1_000 for point in duration.points] == pytest.approx(
        [end.body["duration_ms"] for end in ends], abs=0.51
    )
    assert [point.at for point in duration.points] == sorted(point.at for point in duration.points)
    only = metric_series(events, names=["writer_items"])
    assert [(one.name, one.unit, one.agent_key) for one in only] == [("writer_items", "{item}", "writer")]


def test_the_summary_counts_what_the_events_tell() -> None:
    events = failing()
    found = summary(events)
    assert found.tokens == tokens_in(events) > 0
    assert found.events == len(events)
    assert found.tool_calls == sum(one.kind is EventKind.TOOL_USED for one in events)
    assert found.failures == sum(one.kind is EventKind.FAILURE_EVENT for one in events) == 2
    assert found.recovered == 0
    assert found.tokens == sum(
        int(point.value) for one in metric_series(events, names=[semconv.TOKEN_USAGE]) for point in one.points
    )
    assert found.tokens > 0
    assert found.cost_usd is None
    usage = [one.body["attributes"] for one in events if one.body.get("name") == semconv.TOKEN_USAGE]
    paid = sum(each[semconv.INPUT_TOKENS] * 2.0 + each[semconv.OUTPUT_TOKENS] * 8.0 for each in usage) / 1e6
    assert summary(events, ModelPrice(input=2.0, output=8.0)).cost_usd == pytest.approx(paid)
    assert paid > 0
    assert 0 < found.p50_step_ms <= found.p95_step_ms


def test_nothing_stored_means_nothing_observed() -> None:
    assert (logs([]), metric_series([]), spans([], START)) == ([], [], [])
    assert summary([]).p95_step_ms == 0.0


def test_quantiles_are_interpolated() -> None:
    drafts = [
        EventDraft(EventKind.AGENT_END, "done", {"task": "task-1", "status": "OK", "duration_ms": value})
        for value in (400, 100, 200, 300)
    ]
    found = summary(stored(drafts))
    assert [found.p50_step_ms, found.p95_step_ms] == pytest.approx([250.0, 385.0])
