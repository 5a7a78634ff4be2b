"""Spans from OTLP JSON: a file of lines, as collectors write them, or one document."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from windtunnel.domain.errors import ValidationError
from windtunnel.telemetry.allowance import Allowance
from windtunnel.telemetry.recorded import RecordedSpan, recorded


def spans_of(data: bytes, place: str, allowance: Allowance) -> Iterator[RecordedSpan]:
    """The spans of one JSON value: a request, or a list of requests; what holds no traces holds no spans.

    `place` says where it stands, for the error. Raises ValidationError when it is no OTLP.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise not_otlp(place, f"it is no JSON ({error.msg})") from None
    for request in value if isinstance(value, list) else [value]:
        try:
            yield from _spans(request, allowance)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise not_otlp(place, "it does not have the form of OTLP's JSON") from None


def not_otlp(place: str, why: str) -> ValidationError:
    """What to raise for something that cannot be read."""
    return ValidationError(f"The traces cannot be read at {place}: {why}.", rule="otlp", path=("traces",))


def _spans(request: Mapping[str, Any], allowance: Allowance) -> Iterator[RecordedSpan]:
    allowance.take()
    for resource in request.get("resourceSpans") or ():
        allowance.take()
        for scope in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or ():
            allowance.take()
            for span in scope.get("spans") or ():
                allowance.take()
                events = span.get("events") or ()
                allowance.take_parts(len(span.get("attributes") or ()) + len(events))
                allowance.take_parts(sum(len(event.get("attributes") or ()) for event in events))
                yield _span(span)


def _span(span: Mapping[str, Any]) -> RecordedSpan:
    status = (span.get("status") or {}).get("code", 0)
    return recorded(
        ids=(_id(span["traceId"]), _id(span["spanId"]), _id(span.get("parentSpanId") or "")),
        name=_text(span.get("name") or ""),
        times=(_nanoseconds(span.get("startTimeUnixNano")), _nanoseconds(span.get("endTimeUnixNano"))),
        attributes=_attributes(span.get("attributes") or ()),
        status=2 if status == "STATUS_CODE_ERROR" else int(status) if isinstance(status, int) else 0,
        events=[
            (_text(event.get("name") or ""), _attributes(event.get("attributes") or ()))
            for event in span.get("events") or ()
        ],
    )


def _attributes(pairs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The attributes that are texts or numbers; the others say nothing that matters here."""
    found = {}
    for pair in pairs:
        value = pair.get("value") or {}
        for form in ("stringValue", "intValue", "boolValue", "doubleValue"):
            if form in value:
                found[_text(pair["key"])] = value[form]
    return found


def _id(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 64:
        raise TypeError
    return value.lower()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _nanoseconds(value: Any) -> int:
    """64-bit numbers are texts in OTLP's JSON; some write numbers all the same."""
    if value is None:
        return 0
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    raise TypeError
