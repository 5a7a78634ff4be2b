"""Traces as OTLP: parents, times, errors and retries as a backend reads them."""

from collections.abc import Sequence

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from tests.examples import pipeline, review_loop, support_triage
from tests.telemetry.reading import operation, read
from tests.telemetry.runs import START, about, failing, told
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.simulation.observability import spans as observed
from windtunnel.telemetry.traces import traces


def _spans(events: Sequence[SimulationEvent]) -> list[Span]:
    sent = TracesData.FromString(traces(events, about()).SerializeToString())
    return [span for each in sent.resource_spans for scope in each.scope_spans for span in scope.spans]


def test_the_resource_says_that_nothing_of_this_ever_ran() -> None:
    sent = traces(told(pipeline()), about(seed=1))
    found = read(sent.resource_spans[0].resource.attributes)
    assert found["windtunnel.simulated"] is True
    assert found["windtunnel.seed"] == 1
    assert found["windtunnel.simulation.id"] == "sim_1"
    assert found["windtunnel.simulation.started_at"] == "2026-01-02T03:04:05.000+00:00"
    assert found["service.name"] == "windtunnel-simulation"
    assert sent.resource_spans[0].scope_spans[0].schema_url == "https://opentelemetry.io/schemas/1.41.0"


def test_every_span_has_its_parent_in_its_trace_and_lies_within_it() -> None:
    found = _spans(told(support_triage(), 3))
    by_id = {span.span_id: span for span in found}
    assert len(by_id) == len(found)
    assert len({span.trace_id for span in found}) >= 3
    roots = [span for span in found if not span.parent_span_id]
    assert {operation(span) for span in roots} == {"invoke_workflow"}
    under = {"invoke_agent": "invoke_workflow", "chat": "invoke_agent", "execute_tool": "invoke_agent"}
    for span in found:
        assert (len(span.trace_id), len(span.span_id)) == (16, 8)
        if span.parent_span_id:
            parent = by_id[span.parent_span_id]
            assert operation(parent) == under[operation(span)]
            assert parent.trace_id == span.trace_id
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_times_are_those_of_the_run_to_the_microsecond() -> None:
    events = told(review_loop(), 5)
    start_us = int(START.timestamp()) * 1_000_000
    expected = {span.span_id: (span.started_at, span.ended_at) for span in observed(events, START)}
    found = _spans(events)
    assert len(found) == len(expected)
    for span in found:
        started, ended = expected[span.span_id.hex()]
        assert span.start_time_unix_nano % 1_000 == span.end_time_unix_nano % 1_000 == 0
        assert span.start_time_unix_nano // 1_000 - start_us == round((started - START).total_seconds() * 1e6)
        assert span.end_time_unix_nano // 1_000 - start_us == round((ended - START).total_seconds() * 1e6)
    last = max(event.elapsed_ms for event in events if event.kind is EventKind.OBSERVABILITY)
    assert max(span.end_time_unix_nano for span in found) // 1_000 - start_us == round(last * 1_000)


def test_one_span_covers_all_attempts_and_its_retries_are_events() -> None:
    found = _spans(failing())
    call = next(span for span in found if span.name == "execute_tool Tool 0" and span.status.code)
    assert call.status.code == Status.STATUS_CODE_ERROR
    assert read(call.attributes)["error.type"] == "code_1"
    assert [event.name for event in call.events] == ["retry", "retry"]
    for event in call.events:
        assert call.start_time_unix_nano < event.time_unix_nano < call.end_time_unix_nano
        assert read(event.attributes) == {"error.type": "code_1"}
    failed = [operation(span) for span in found if span.trace_id == call.trace_id and span.status.code]
    assert sorted(failed) == ["execute_tool", "invoke_agent", "invoke_workflow"]


def test_what_went_well_has_no_status_and_no_error() -> None:
    found = [span for span in _spans(told(support_triage(), 3)) if "error.type" not in read(span.attributes)]
    assert found
    assert {span.status.code for span in found} == {Status.STATUS_CODE_UNSET}


def test_a_person_at_work_uses_no_tokens() -> None:
    found = [span for span in _spans(told(support_triage(), 3)) if operation(span) == "invoke_agent"]
    people = [read(span.attributes) for span in found if span.name == "invoke_agent Manager"]
    others = [read(span.attributes) for span in found if span.name == "invoke_agent Reply"]
    assert all(each["gen_ai.usage.input_tokens"] > 0 for each in others)
    assert all(each["gen_ai.request.model"] == "simulated" for each in others)
    assert not any("gen_ai.usage.input_tokens" in each or "gen_ai.request.model" in each for each in people)


def test_ids_come_from_the_seed_alone() -> None:
    first, again, other = (told(pipeline(), seed) for seed in (1, 1, 2))
    assert [span.span_id for span in _spans(first)] == [span.span_id for span in _spans(again)]
    assert not {span.span_id for span in _spans(first)} & {span.span_id for span in _spans(other)}
