"""A run's log records as OTLP logs, tied to the spans they belong to."""

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, LogsData, ResourceLogs, ScopeLogs, SeverityNumber

from windtunnel.domain.events import EventKind, LogLevel, Signal, SimulationEvent
from windtunnel.simulation import semconv
from windtunnel.telemetry.conventions import OURS
from windtunnel.telemetry.traces import told
from windtunnel.telemetry.values import About, attributes, resource, scope

_SEVERITIES = {
    LogLevel.DEBUG: SeverityNumber.SEVERITY_NUMBER_DEBUG,
    LogLevel.INFO: SeverityNumber.SEVERITY_NUMBER_INFO,
    LogLevel.WARN: SeverityNumber.SEVERITY_NUMBER_WARN,
    LogLevel.ERROR: SeverityNumber.SEVERITY_NUMBER_ERROR,
}
_CONVENTIONAL = ("gen_ai.", "error.", OURS)
_IN_FIELDS = frozenset({"trace_id", "span_id"})


def logs(events: Iterable[SimulationEvent], about: About) -> LogsData:
    """Every log record that the events tell of, in their order; one about a task is part of the task's trace."""
    events = list(events)
    traces = {
        event.body["attributes"]["attributes"][semconv.TASK]: event.body["attributes"]["trace_id"]
        for event in told(events)
    }
    records = [
        _record(event, about, traces)
        for event in events
        if event.kind is EventKind.OBSERVABILITY and event.body["signal"] == Signal.LOG
    ]
    scoped = ScopeLogs(scope=scope(), log_records=records)
    return LogsData(resource_logs=[ResourceLogs(resource=resource(about), scope_logs=[scoped])] if records else [])


def _record(event: SimulationEvent, about: About, traces: Mapping[str, str]) -> LogRecord:
    given: Mapping[str, Any] = event.body["attributes"]
    level = LogLevel(event.body["level"])
    at = about.nanoseconds(event.elapsed_ms)
    record = LogRecord(
        time_unix_nano=at,
        observed_time_unix_nano=at,
        severity_number=_SEVERITIES[level],
        severity_text=level.value,
        attributes=attributes({_ours(key): value for key, value in given.items() if key not in _IN_FIELDS}),
        trace_id=bytes.fromhex(given.get("trace_id") or traces.get(_task(given), "")),
        span_id=bytes.fromhex(given.get("span_id", "")),
    )
    record.body.string_value = event.message
    if event.agent_key is not None and semconv.AGENT_NAME not in given:
        record.attributes.extend(attributes({semconv.AGENT_ID: event.agent_key}))
    return record


def _task(given: Mapping[str, Any]) -> str:
    return str(given.get(semconv.TASK) or given.get("task"))


def _ours(key: str) -> str:
    """Names that are in no convention get our name in front."""
    return key if key.startswith(_CONVENTIONAL) else OURS + key
