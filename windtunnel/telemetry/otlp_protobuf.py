"""Spans from OTLP protobuf: one message, or the collector's frames, each with its length before it."""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from windtunnel.telemetry.otlp_json import not_otlp
from windtunnel.telemetry.recorded import RecordedSpan, recorded

RESOURCE_SPANS = b"\x0a"
"""How a message with traces begins: field 1, with a length."""


def framed_spans(stream: BinaryIO, longest: int) -> Iterator[RecordedSpan]:
    """The spans of a file of frames: four bytes of length, most significant first, then a message."""
    number = 0
    while head := _taken(stream, 4):
        number += 1
        body = _body(stream, int.from_bytes(head, "big"), longest, f"frame {number}") if len(head) == 4 else head
        try:
            found = TracesData.FromString(body)
        except DecodeError:
            raise not_otlp(f"frame {number}", "it is no OTLP traces message") from None
        for each in found.resource_spans:
            yield from _spans(each)


def message_spans(stream: BinaryIO, longest: int) -> Iterator[RecordedSpan]:
    """The spans of one message, resource by resource, so that only one of them is in memory."""
    number = 0
    while tag := _taken(stream, 1):
        number += 1
        place = f"resource {number}"
        if tag != RESOURCE_SPANS:
            raise not_otlp(place, "it is no OTLP traces message")
        try:
            found = ResourceSpans.FromString(_body(stream, _length(stream, place), longest, place))
        except DecodeError:
            raise not_otlp(place, "it is no OTLP traces message") from None
        yield from _spans(found)


def _spans(resource: ResourceSpans) -> Iterator[RecordedSpan]:
    for scope in resource.scope_spans:
        for span in scope.spans:
            yield _span(span)


def _span(span: Span) -> RecordedSpan:
    return recorded(
        ids=(span.trace_id, span.span_id, span.parent_span_id),
        name=span.name,
        times=(span.start_time_unix_nano, span.end_time_unix_nano),
        attributes=_attributes(span.attributes),
        status=span.status.code,
        events=[(event.name, _attributes(event.attributes)) for event in span.events],
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """The attributes that are texts or numbers; the others say nothing that matters here."""
    found = {}
    for pair in pairs:
        form = pair.value.WhichOneof("value")
        if form in {"string_value", "int_value", "bool_value", "double_value"}:
            found[pair.key] = getattr(pair.value, form)
    return found


def _length(stream: BinaryIO, place: str) -> int:
    """A number in protobuf's form: seven bits a byte, the least significant first."""
    found = 0
    for shift in range(0, 35, 7):
        byte = _taken(stream, 1)
        if not byte:
            break
        found |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return found
    raise not_otlp(place, "it is no OTLP traces message")


def _body(stream: BinaryIO, length: int, longest: int, place: str) -> bytes:
    if length > longest:
        raise not_otlp(place, f"it has {length} bytes, at most {longest} are read at a time")
    found = _taken(stream, length)
    if len(found) < length:
        raise not_otlp(place, "it ends too early")
    return found


def _taken(stream: BinaryIO, count: int) -> bytes:
    """So many bytes, fewer only at the end; a stream may give them in parts."""
    parts = []
    while count and (part := stream.read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
