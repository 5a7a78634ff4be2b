"""The fields of a protobuf message one by one, without building the message."""

from collections.abc import Iterator

_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_FIXED = {_EIGHT: 8, _FOUR: 4}
_VARINT_MAX_BITS = 70


class BrokenError(Exception):
    """These bytes are no message."""


def fields(data: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Number and content of each field in order; None for the content of what is a number.

    Raises BrokenError, also for groups, which nobody writes any more.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, form = tag >> 3, tag & 7
        if number == 0:
            raise BrokenError
        if form == _LENGTH:
            length, at = _varint(data, at)
            if at + length > end:
                raise BrokenError
            yield number, data[at : at + length]
            at += length
        elif form == _VARINT:
            _, at = _varint(data, at)
            yield number, None
        elif form in _FIXED:
            at += _FIXED[form]
            if at > end:
                raise BrokenError
            yield number, None
        else:
            raise BrokenError


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, seven bits a byte, and where it ends."""
    found = 0
    for shift in range(0, _VARINT_MAX_BITS, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found, at
    raise BrokenError
