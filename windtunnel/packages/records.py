"""The records of a zip archive, byte by byte, as far as packages may use them."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

STORED, DEFLATED = 0, 8
ENCRYPTED, DESCRIBED, STRONGLY_ENCRYPTED, UTF8, MASKED = 1 << 0, 1 << 3, 1 << 6, 1 << 11, 1 << 13
"""Bits of `flags`: DESCRIBED entries tell their size and checksum behind their data."""
FLAGS_KNOWN = 0b110 | DESCRIBED | UTF8
"""With the two bits that say how hard the packer tried."""

END_SIGNATURE, CENTRAL_SIGNATURE = b"PK\x05\x06", b"PK\x01\x02"
LOCAL_SIGNATURE, DESCRIPTOR_SIGNATURE = b"PK\x03\x04", b"PK\x07\x08"
ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"
ZIP64_LOCATOR_BYTES = 20

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<2H")
_FACTS = struct.Struct("<3L")

END_BYTES, CENTRAL_BYTES, LOCAL_BYTES, DESCRIPTOR_BYTES = _END.size, _CENTRAL.size, _LOCAL.size, _FACTS.size
VERSION_KNOWN = 20
"""Deflate came with 2.0; what came later is not for packages."""
NAME_MAX_BYTES = 4 * 300
"""Names above this are too long in any encoding and are not even read."""

TIMES_AND_OWNERS = frozenset({0x5455, 0x5855, 0x7855, 0x7875, 0x000A})
"""Extra fields that say when a file was touched and whose it was: they are passed over. No others are taken."""
ZIP64_EXTRA, AES_EXTRA = 0x0001, 0x9901


class TornError(Exception):
    """The archive is not what its records say; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of central directory record."""

    disk: int
    first_disk: int
    entries_here: int
    entries: int
    directory_size: int
    directory_at: int
    comment_size: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What both headers of an entry must agree on; `needed` is the version of zip that it takes, times ten."""

    needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int


@dataclass(frozen=True, slots=True)
class Central:
    """An entry in the central directory. `raw_name` is None when it is longer than any name may be."""

    facts: Facts
    raw_name: bytes | None
    extra: bytes
    comment_size: int
    made_on: int
    disk: int
    attributes: int
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Local:
    """The header before the data of an entry; `length` is that of header, name and extra fields."""

    facts: Facts
    raw_name: bytes | None
    extra: bytes
    length: int


def exactly(file: BinaryIO, at: int, size: int) -> bytes:
    """That many bytes from there. Raises TornError when there are fewer."""
    file.seek(at)
    data = file.read(size)
    if len(data) != size:
        raise TornError("The archive ends in the middle of a record.")
    return data


def read_end(data: bytes) -> End:
    """The record in the last bytes of an archive without a comment."""
    return End(*_END.unpack(data)[1:])


def read_central(file: BinaryIO, at: int) -> Central:
    """The record at that place. Raises TornError when there is none."""
    fields = _CENTRAL.unpack(exactly(file, at, CENTRAL_BYTES))
    signature, made, needed, flags, method, time, date, crc, packed, size, *rest = fields
    name_size, extra_size, comment_size, disk, _, attributes, offset = rest
    if signature != CENTRAL_SIGNATURE:
        raise TornError("The central directory has something else in the place of an entry.")
    name, extra = _name_and_extra(file, at + CENTRAL_BYTES, name_size, extra_size)
    return Central(
        facts=Facts(needed, flags, method, time, date, crc, packed, size),
        raw_name=name,
        extra=extra,
        comment_size=comment_size,
        made_on=made >> 8,
        disk=disk,
        attributes=attributes,
        at=offset,
        length=CENTRAL_BYTES + name_size + extra_size + comment_size,
    )


def read_local(file: BinaryIO, at: int) -> Local:
    """The record at that place. Raises TornError when there is none."""
    fields = _LOCAL.unpack(exactly(file, at, LOCAL_BYTES))
    signature, needed, flags, method, time, date, crc, packed, size, name_size, extra_size = fields
    if signature != LOCAL_SIGNATURE:
        raise TornError("There is no entry where the central directory says that one begins.")
    name, extra = _name_and_extra(file, at + LOCAL_BYTES, name_size, extra_size)
    return Local(
        Facts(needed, flags, method, time, date, crc, packed, size), name, extra, LOCAL_BYTES + name_size + extra_size
    )


def read_descriptor(file: BinaryIO, at: int, facts: Facts) -> int:
    """How long the record behind an entry's data is. Raises TornError when it says something else than `facts`."""
    expected = _FACTS.pack(facts.crc, facts.packed, facts.size)
    if exactly(file, at, len(DESCRIPTOR_SIGNATURE)) == DESCRIPTOR_SIGNATURE:
        start = at + len(DESCRIPTOR_SIGNATURE)
        if exactly(file, start, DESCRIPTOR_BYTES) == expected:
            return len(DESCRIPTOR_SIGNATURE) + DESCRIPTOR_BYTES
    if exactly(file, at, DESCRIPTOR_BYTES) == expected:
        return DESCRIPTOR_BYTES
    raise TornError("The data descriptor says something else than the central directory.")


def extra_kinds(extra: bytes) -> list[int]:
    """The kinds of the extra fields. Raises TornError when they do not fill their room exactly."""
    kinds, at = [], 0
    while at < len(extra):
        if at + _EXTRA.size > len(extra):
            raise TornError("The extra fields are cut short.")
        kind, size = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size + size
        if at > len(extra):
            raise TornError("The extra fields are cut short.")
        kinds.append(kind)
    return kinds


def _name_and_extra(file: BinaryIO, at: int, name_size: int, extra_size: int) -> tuple[bytes | None, bytes]:
    name = exactly(file, at, name_size) if name_size <= NAME_MAX_BYTES else None
    return name, exactly(file, at + name_size, extra_size)
