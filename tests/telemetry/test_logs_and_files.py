"""Log records in their traces, the plan's own metrics, and the JSON lines of files."""

import json
import re

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from tests.examples import pipeline, support_triage
from tests.telemetry.reading import read
from tests.telemetry.runs import about, failing, told
from windtunnel.domain.events import EventKind, LogLevel, Signal
from windtunnel.simulation.observability import logs as observed
from windtunnel.telemetry.export import Kind, exported


def test_log_records_carry_severity_words_and_their_trace() -> None:
    events = failing()
    sent = exported(events, about())
    spans = {span.span_id: span for span in sent.traces.resource_spans[0].scope_spans[0].spans}
    traces = {span.trace_id for span in spans.values()}
    records = sent.logs.resource_logs[0].scope_logs[0].log_records
    expected = observed(events, min_level=LogLevel.DEBUG)
    assert [record.body.string_value for record in records] == [each.message for each in expected]
    assert {record.severity_text for record in records} == {"INFO", "WARN", "ERROR"}
    for record in records:
        assert record.severity_number == SeverityNumber.Value(f"SEVERITY_NUMBER_{record.severity_text}")
        assert record.trace_id in traces
        if record.span_id:
            assert spans[record.span_id].end_time_unix_nano == record.time_unix_nano
        assert all(name.startswith(("gen_ai.", "error.type", "windtunnel.")) for name in read(record.attributes))
    assert any(record.span_id for record in records)


def test_the_plans_own_metrics_add_up() -> None:
    events = told(pipeline())
    found = {
        metric.name: metric for metric in exported(events, about()).metrics.resource_metrics[0].scope_metrics[1].metrics
    }
    items = found["check_items"]
    measured = [
        event.body["value"]
        for event in events
        if event.kind is EventKind.OBSERVABILITY
        and event.body["signal"] == Signal.METRIC
        and event.body["name"] == "check_items"
    ]
    assert (items.unit, items.sum.is_monotonic) == ("{item}", True)
    totals = [point.as_double for point in items.sum.data_points]
    assert totals == [sum(measured[: number + 1]) for number in range(len(measured))]
    assert totals[-1] > 0


def test_files_are_json_lines_as_collectors_write_and_read_them() -> None:
    sent = exported(told(support_triage(), 3), about())
    top = {Kind.TRACES: "resourceSpans", Kind.METRICS: "resourceMetrics", Kind.LOGS: "resourceLogs"}
    for kind in Kind:
        line = sent.line(kind)
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert list(json.loads(line)) == [top[kind]]
    spans = json.loads(sent.line(Kind.TRACES))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    for span in spans:
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert isinstance(span["kind"], int)
        assert isinstance(span["startTimeUnixNano"], str), "64-bit numbers are strings in JSON"
    # Metrics hold no ids, so that protobuf's own reader of JSON must find every field.
    assert ParseDict(json.loads(sent.line(Kind.METRICS)), MetricsData()) == sent.metrics


def test_nothing_told_is_nothing_sent() -> None:
    assert exported([], about()).counts() == {Kind.TRACES: 0, Kind.METRICS: 0, Kind.LOGS: 0}
