"""Traces that say nothing, by the million: refused by their number, in every form of a file."""

import gzip
import io
import json

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from windtunnel.domain.errors import ValidationError
from windtunnel.telemetry.protobuf_fields import BrokenError, fields
from windtunnel.telemetry.reading import TracesFile

LARGEST = 200_000
MANY = 20_000


def _field(number: int, content: bytes) -> bytes:
    length, left = b"", len(content)
    while left > 0x7F:
        length, left = length + bytes([left & 0x7F | 0x80]), left >> 7
    return bytes([number << 3 | 2]) + length + bytes([left]) + content


def _message(spans: bytes) -> bytes:
    """One resource with one scope with these spans."""
    return _field(1, _field(2, spans))


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


def _document(spans: list[object]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode() + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        _message(b"\x12\x00" * MANY),
        _framed(_message(b"\x12\x00" * MANY)),
        _message(_field(2, b"\x5a\x00" * MANY)),  # events
        _message(_field(2, b"\x4a\x00" * MANY)),  # attributes
        _message(_field(2, _field(11, b"\x1a\x00" * MANY))),  # attributes of an event
        _message(b"\x20\x00" * MANY),  # fields that nobody knows
        b"\x0a\x00" * MANY,
        b"\x00\x00\x00\x00" * MANY,
        b"{}\n" * MANY,
        b"{}\n" + b"\n" * MANY,
        b"[" + b"{}," * MANY + b"{}]",
        _document([{"traceId": "", "spanId": ""}] * 3_000),
        _document([{"traceId": "", "spanId": "", "events": [{}] * MANY}]),
        json.dumps({"resourceSpans": [{}] * MANY}).encode(),
    ],
)
def test_nothing_by_the_million_is_refused(data: bytes) -> None:
    for given in (data, gzip.compress(data)):
        with pytest.raises(ValidationError, match=r"more than [0-9]+ [a-z]") as refused:
            list(TracesFile(io.BytesIO(given), LARGEST).spans())
        assert refused.value.rule == "otlp_too_large"
        assert "bytes" not in refused.value.message


def test_fields_are_those_of_the_message() -> None:
    message = TracesData.FromString(_message(b"\x12\x00" * 3))
    ((number, resource),) = fields(message.SerializeToString())
    assert resource is not None
    ((inner, scope),) = fields(resource)
    assert scope is not None
    assert (number, inner, list(fields(scope))) == (1, 2, [(2, b"")] * 3)
    others = b"\x08\x96\x01" + b"\x11" + bytes(8) + b"\x1d" + bytes(4) + b"\x22\x01x"
    assert list(fields(others)) == [(1, None), (2, None), (3, None), (4, b"x")]


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x02x", b"\x00\x00", b"\x0b", b"\x11x", b"\x08", b"\xff" * 11])
def test_what_is_no_message_is_told(data: bytes) -> None:
    with pytest.raises(BrokenError):
        list(fields(data))
