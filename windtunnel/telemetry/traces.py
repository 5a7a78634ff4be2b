"""A run's spans as OTLP traces: one trace for each task, one span for each operation with all its attempts."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status, TracesData

from windtunnel.domain.events import EventKind, Signal, SimulationEvent
from windtunnel.domain.observability import SpanStatus
from windtunnel.simulation import semconv
from windtunnel.telemetry.conventions import OURS, SCHEMA_URLS, SPANS
from windtunnel.telemetry.values import About, attributes, resource, scope

_SAMPLED = 1
_OF_THE_RESOURCE = frozenset({semconv.SIMULATED, semconv.SEED})


def traces(events: Iterable[SimulationEvent], about: About) -> TracesData:
    """Every span that the events tell of, in their order."""
    spans = ScopeSpans(
        scope=scope(),
        schema_url=SCHEMA_URLS[about.profile],
        spans=[_span(event.body, about) for event in told(events)],
    )
    return TracesData(resource_spans=[ResourceSpans(resource=resource(about), scope_spans=[spans])])


def told(events: Iterable[SimulationEvent]) -> Iterator[SimulationEvent]:
    """The events that tell of a span."""
    for event in events:
        if event.kind is EventKind.OBSERVABILITY and event.body["signal"] == Signal.TRACE:
            yield event


def known(span: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a stored span that the conventions have for its operation, and those of our own."""
    given = span["attributes"]
    rule = SPANS[given[semconv.OPERATION_NAME]]
    kept = {
        key: value
        for key, value in given.items()
        if key in rule.attributes or (key.startswith(OURS) and key not in _OF_THE_RESOURCE)
    }
    used = kept.get(semconv.INPUT_TOKENS, 0) + kept.get(semconv.OUTPUT_TOKENS, 0)
    if not used:  # nothing was asked of a model: a person or a plain program worked
        kept.pop(semconv.INPUT_TOKENS, None)
        kept.pop(semconv.OUTPUT_TOKENS, None)
    elif semconv.REQUEST_MODEL in rule.attributes:
        kept.setdefault(semconv.REQUEST_MODEL, semconv.SIMULATED_MODEL)
    return kept


def _span(body: Mapping[str, Any], about: About) -> Span:
    stored = body["attributes"]
    given = stored["attributes"]
    client = SPANS[given[semconv.OPERATION_NAME]].client
    return Span(
        trace_id=bytes.fromhex(stored["trace_id"]),
        span_id=bytes.fromhex(stored["span_id"]),
        parent_span_id=bytes.fromhex(stored["parent_span_id"] or ""),
        flags=_SAMPLED,
        name=body["name"],
        kind=Span.SPAN_KIND_CLIENT if client else Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=about.nanoseconds(stored["start_ms"]),
        end_time_unix_nano=about.nanoseconds(stored["end_ms"]),
        attributes=attributes(known(stored)),
        events=[_event(each, about) for each in given.get("events", ())],
        status=_status(stored["status"], given.get(semconv.ERROR_TYPE)),
    )


def _event(noted: Mapping[str, Any], about: About) -> Span.Event:
    told = {key: value for key, value in noted.items() if key not in {"name", "time_ms"}}
    return Span.Event(
        time_unix_nano=about.nanoseconds(noted["time_ms"]), name=noted["name"], attributes=attributes(told)
    )


def _status(status: str, error: str | None) -> Status:
    # What went well stays unset: OK is the word of an application that overrules its instruments.
    if status == SpanStatus.ERROR:
        return Status(code=Status.STATUS_CODE_ERROR, message=error or "")
    return Status()
