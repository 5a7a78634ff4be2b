"""Spans from OTLP protobuf: one message, or the collector's frames, each with its length before it."""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from windtunnel.domain.errors import ValidationError
from windtunnel.telemetry.allowance import Allowance
from windtunnel.telemetry.otlp_json import not_otlp
from windtunnel.telemetry.protobuf_fields import BrokenError, fields
from windtunnel.telemetry.recorded import RecordedSpan, recorded

RESOURCE_SPANS = b"\x0a"
"""How a message with traces begins: field 1, with a length."""
_RESOURCE_SPANS, _SCOPE_SPANS, _SPANS = 1, 2, 2
"""The numbers of these fields: in TracesData, ResourceSpans and ScopeSpans."""


def framed_spans(stream: BinaryIO, longest: int, allowance: Allowance) -> Iterator[RecordedSpan]:
    """The spans of a file of frames: four bytes of length, most significant first, then a message."""
    number = 0
    while head := _taken(stream, 4):
        number += 1
        place = f"frame {number}"
        allowance.take()
        body = _body(stream, int.from_bytes(head, "big"), longest, place) if len(head) == 4 else head
        for resource in _within(body, _RESOURCE_SPANS, place, allowance):
            yield from _spans(resource, place, allowance)


def message_spans(stream: BinaryIO, longest: int, allowance: Allowance) -> Iterator[RecordedSpan]:
    """The spans of one message, resource by resource, so that only one of them is in memory."""
    number = 0
    while tag := _taken(stream, 1):
        number += 1
        place = f"resource {number}"
        if tag != RESOURCE_SPANS:
            raise _not_traces(place)
        yield from _spans(_body(stream, _length(stream, place), longest, place), place, allowance)


def _spans(resource: bytes, place: str, allowance: Allowance) -> Iterator[RecordedSpan]:
    """Span by span: a message with all of them takes a hundred times the memory."""
    allowance.take()
    for scope in _within(resource, _SCOPE_SPANS, place, allowance):
        allowance.take()
        spans = []
        for span in _within(scope, _SPANS, place, allowance):
            allowance.take()  # of all of them, before much is made of the first
            spans.append(span)
        for span in spans:
            try:
                found = Span.FromString(span)
            except DecodeError:
                raise _not_traces(place) from None
            allowance.take_parts(len(found.attributes) + len(found.events))
            allowance.take_parts(sum(len(event.attributes) for event in found.events))
            yield _span(found)


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
    raise _not_traces(place)


def _within(data: bytes, number: int, place: str, allowance: Allowance) -> Iterator[bytes]:
    """The contents of every field of that number; each of another number takes something of the allowance, too."""
    try:
        for field, content in fields(data):
            if field == number and content is not None:
                yield content
            else:
                allowance.take_parts(1)
    except BrokenError:
        raise _not_traces(place) from None


def _not_traces(place: str) -> ValidationError:
    return not_otlp(place, "it is no OTLP traces message")


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
