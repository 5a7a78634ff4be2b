"""Reading recorded traces: OTLP as JSON lines, a JSON document or protobuf, plain or gzipped, piece by piece."""

import gzip
import io
import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO, TypeAlias

from windtunnel.domain.errors import ValidationError
from windtunnel.telemetry.allowance import TOO_LARGE, Allowance
from windtunnel.telemetry.otlp_json import not_otlp, spans_of
from windtunnel.telemetry.otlp_protobuf import RESOURCE_SPANS, framed_spans, message_spans
from windtunnel.telemetry.recorded import RecordedSpan

PIECE_MAX_BYTES = 16 * 1024 * 1024
"""So much is in memory at a time: a line, a frame, a resource, or a whole JSON document."""
_GZIP = b"\x1f\x8b"
_BLOCK = 64 * 1024


class TracesFile:
    """Traces being read. `digest` (sha256, hex) and `size` are those of the bytes read so far, as they came.

    At most `largest` bytes are read, unpacked ones included; `spans` raises ValidationError (`otlp_too_large`) when
    there are more, or more spans than so many bytes hold when they say anything, and (`otlp`) with the place where the
    traces cannot be read. `cut_off`: the last line was not written to its end, as in a file that a collector still
    writes, and was left out.
    """

    def __init__(self, stream: BinaryIO, largest: int) -> None:
        self.cut_off = False
        self._source = _Counted(stream, largest)
        self._largest = largest
        self._allowance = Allowance(largest)

    @property
    def digest(self) -> str:
        """The sha256 of what was read, in hex."""
        return self._source.hash.hexdigest()

    @property
    def size(self) -> int:
        """How many bytes were read."""
        return self._source.count

    def spans(self) -> Iterator[RecordedSpan]:
        """Every span, in the order of the file."""
        raw = io.BufferedReader(self._source, _BLOCK)
        try:
            if raw.peek(2)[:2] == _GZIP:
                unpacked = _Counted(gzip.GzipFile(fileobj=raw), self._largest)
                yield from self._spans(io.BufferedReader(unpacked, _BLOCK))
            else:
                yield from self._spans(raw)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise not_otlp("its packing", "it is no whole gzip file") from None

    def _spans(self, stream: "Reader") -> Iterator[RecordedSpan]:
        start = stream.peek(1)[:1]
        if not start:
            raise not_otlp("the beginning", "there is nothing")
        if start == RESOURCE_SPANS:
            yield from message_spans(stream, PIECE_MAX_BYTES, self._allowance)
        elif start == b"\x00":
            yield from framed_spans(stream, PIECE_MAX_BYTES, self._allowance)
        else:
            yield from self._json_spans(stream)

    def _json_spans(self, stream: "Reader") -> Iterator[RecordedSpan]:
        """Line by line; when the first line is no JSON value by itself, the file is one document."""
        first = _line(stream, 1)
        try:
            found = list(spans_of(first, "line 1", self._allowance))
        except ValidationError as broken:
            if broken.rule == TOO_LARGE:
                raise
            yield from _document(first, stream, broken, self._allowance)
            return
        yield from found
        number = 1
        while line := _line(stream, number := number + 1):
            if not line.strip():
                self._allowance.take_parts(1)
                continue
            try:
                found = list(spans_of(line, f"line {number}", self._allowance))
            except ValidationError as broken:
                if line.endswith(b"\n") or broken.rule == TOO_LARGE:
                    raise
                self.cut_off = True
                return
            yield from found


class _Counted(io.RawIOBase):
    """A stream that counts and hashes what is read from it, and ends with an error when that is too much."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, largest: int) -> None:
        self._stream = stream
        self._largest = largest
        self.count = 0
        self.hash = sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        found = self._stream.read(len(view))
        view[: len(found)] = found
        self.count += len(found)
        self.hash.update(found)
        if self.count > self._largest:
            raise ValidationError(f"The traces have more than {self._largest} bytes.", rule=TOO_LARGE, path=("traces",))
        return len(found)


Reader: TypeAlias = "io.BufferedReader[_Counted]"


def _document(first: bytes, stream: Reader, broken: ValidationError, allowance: Allowance) -> Iterator[RecordedSpan]:
    """The spans of a file that is one JSON value, of which the first line was read; else what is wrong with that."""
    rest = stream.read(PIECE_MAX_BYTES + 1 - len(first))
    if not rest.strip():
        raise broken
    if len(first) + len(rest) > PIECE_MAX_BYTES:
        why = f"it begins a document of more than {PIECE_MAX_BYTES} bytes; write it as JSON lines"
        raise not_otlp("line 1", why)
    yield from spans_of(first + rest, "the document", allowance)


def _line(stream: Reader, number: int) -> bytes:
    line = stream.readline(PIECE_MAX_BYTES + 1)
    if len(line) > PIECE_MAX_BYTES:
        raise not_otlp(f"line {number}", f"it has more than {PIECE_MAX_BYTES} bytes")
    return line
