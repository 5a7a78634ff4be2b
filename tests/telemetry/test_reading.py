"""Reading recorded traces: every form that files have, and what is none."""

import gzip
import io
import json
import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.examples import support_triage
from tests.telemetry.runs import about, failing, told
from tests.telemetry.spans import asked, called, invoked, lines, otlp
from windtunnel.domain.errors import ValidationError
from windtunnel.telemetry import reading
from windtunnel.telemetry.export import Exported, Kind, exported
from windtunnel.telemetry.reading import TracesFile
from windtunnel.telemetry.recorded import RecordedSpan

LARGEST = 10_000_000


@pytest.fixture(scope="module")
def run() -> Exported:
    return exported(told(support_triage(), 3), about(3))


def _read(data: bytes, largest: int = LARGEST) -> list[RecordedSpan]:
    return list(TracesFile(io.BytesIO(data), largest).spans())


def _framed(*messages: bytes) -> bytes:
    return b"".join(len(each).to_bytes(4, "big") + each for each in messages)


def _without_ids(spans: list[RecordedSpan]) -> list[RecordedSpan]:
    return [each._replace(trace="", span="", parent="") for each in spans]


def test_all_forms_of_a_file_hold_the_same_spans(run: Exported) -> None:
    line, message = run.line(Kind.TRACES), run.protobuf(Kind.TRACES)
    expected = _read(line)
    assert len(expected) == run.counts()[Kind.TRACES]
    assert _read(json.dumps(json.loads(line), indent=2).encode()) == expected
    assert _read(json.dumps([json.loads(line)], indent=2).encode()) == expected
    assert _read(b"  " + line) == expected
    assert _read(gzip.compress(line)) == expected
    assert _without_ids(_read(message)) == _without_ids(expected)
    assert _without_ids(_read(message + message)) == _without_ids(expected + expected)
    assert _without_ids(_read(_framed(message, b"", message))) == _without_ids(expected + expected)
    assert [each.span for each in expected] == [each.span.hex() for each in _read(message) if type(each.span) is bytes]


def test_lines_of_other_signals_and_empty_ones_are_passed_over(run: Exported) -> None:
    mixed = run.line(Kind.LOGS) + b"\n" + run.line(Kind.TRACES) + run.line(Kind.METRICS)
    assert _read(mixed) == _read(run.line(Kind.TRACES))


def test_a_last_line_that_is_still_being_written_is_left_out(run: Exported) -> None:
    whole = run.line(Kind.TRACES)
    file = TracesFile(io.BytesIO(whole + whole[:-100]), LARGEST)
    assert list(file.spans()) == _read(whole)
    assert file.cut_off
    complete = TracesFile(io.BytesIO(whole + whole.rstrip()), LARGEST)
    assert len(list(complete.spans())) == 2 * len(_read(whole))
    assert not complete.cut_off
    with pytest.raises(ValidationError, match="cannot be read at line 2"):
        _read(whole + whole[:-100] + b"\n")


def test_what_a_span_says_of_itself_is_read() -> None:
    call = called("crm", ms=250, error="timeout", retried=["429", "timeout"])
    spans = [call, invoked("Triage", parent=call), asked(parent=call)]
    assert _read(lines(otlp(spans))) == spans
    failed = next(each for each in _read(exported(failing(), about()).protobuf(Kind.TRACES)) if each.retried)
    assert (failed.operation, failed.error, failed.retried) == ("execute_tool", "code_1", ("code_1", "code_1"))


def test_a_span_without_attributes_is_known_by_its_name() -> None:
    named = {"traceId": "AB", "spanId": "cd", "name": "execute_tool crm", "startTimeUnixNano": 5, "status": {"code": 2}}
    other = {**named, "name": "GET /", "attributes": [{"key": "gen_ai.operation.name", "value": {"intValue": "3"}}]}
    request = {"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [named, other]}]}]}
    first, second = _read(lines(request))
    assert (first.trace, first.operation, first.start_ns, first.end_ns, first.error) == (
        "ab", "execute_tool", 5, 0, "_OTHER",
    )  # fmt: skip
    assert second.operation == ""


def test_the_digest_is_that_of_the_file(run: Exported) -> None:
    for data in (run.line(Kind.TRACES) * 50, gzip.compress(run.line(Kind.TRACES))):
        file = TracesFile(io.BytesIO(data), LARGEST)
        assert list(file.spans())
        assert (file.digest, file.size) == (sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "the beginning"),
        (b"hello\n", "line 1"),
        (b"<html>" * 10, "line 1"),
        (b"{}\nnonsense\n", "line 2"),
        (b'{"resourceSpans": 7}\n', "line 1"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "no ids"}]}]}]}\n', "line 1"),
        (lines({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "a", "spanId": 3}]}]}]}), "line 1"),
        (b"[1, 2]\n", "line 1"),
        (b"7\n", "line 1"),
        (b'{"a":\n{"b":\n', "the document"),
        (b"[" * 5_000 + b"\n", "line 1"),
        (b"\x0a\x05abc", "resource 1"),
        (b"\x0a\xff\xff\xff\xff\xff\xff", "resource 1"),
        (b"\x0a\x00\x12\x00", "resource 2"),
        (b"\x00\x00\x00\x05abc", "frame 1"),
        (b"\x00\x00\x00\x02\xff\xff", "frame 1"),
        (b"\x00\x00", "frame 1"),
        (gzip.compress(b"{}\n", mtime=0)[:-6], "its packing"),
        (b"\x1f\x8bnonsense", "its packing"),
    ],
)
def test_what_is_no_otlp_is_refused_with_the_place(data: bytes, where: str) -> None:
    with pytest.raises(ValidationError, match=f"cannot be read at {where}: ") as refused:
        _read(data)
    assert (refused.value.rule, refused.value.path) == ("otlp", ("traces",))


def test_too_much_is_refused_also_when_it_was_packed(run: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    many = run.line(Kind.TRACES) * 20
    with pytest.raises(ValidationError, match="more than 100000 bytes") as refused:
        _read(many, 100_000)
    assert refused.value.rule == "otlp_too_large"
    packed = gzip.compress(many)
    assert len(packed) < 100_000
    with pytest.raises(ValidationError, match="more than 100000 bytes"):
        _read(packed, 100_000)
    monkeypatch.setattr(reading, "PIECE_MAX_BYTES", 10_000)
    for data in (many, b"\n" + many, _framed(run.protobuf(Kind.TRACES)), run.protobuf(Kind.TRACES)):
        with pytest.raises(ValidationError) as long:
            _read(data)
        assert long.value.rule == "otlp"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_nothing_but_spans_or_a_refusal_comes_of_any_bytes(data: bytes) -> None:
    try:
        spans = _read(data)
    except ValidationError as error:
        assert error.path == ("traces",)  # noqa: PT017 - either of the two is right
    else:
        assert all(isinstance(each, RecordedSpan) for each in spans)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_a_damaged_file_is_read_or_refused(seed: int) -> None:
    dice = random.Random(seed)
    message = TracesData.FromString(exported(failing(), about()).protobuf(Kind.TRACES)).SerializeToString()
    data = bytearray(dice.choice([message, _framed(message), lines(otlp([called("crm"), invoked("a")]))]))
    for _ in range(dice.randint(1, 5)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    try:
        _read(bytes(data))
    except ValidationError as error:
        assert error.rule == "otlp"  # noqa: PT017 - either of the two is right
