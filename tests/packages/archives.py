"""Archives made byte by byte, so that any of their records can lie."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

STORED, DEFLATED = 0, 8
DESCRIBED, UTF8 = 1 << 3, 1 << 11
PLAIN_FILE = 0o100644 << 16


def deflated(content: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush()


@dataclass(frozen=True)
class Part:
    """An entry. `local` and `central` override fields of one header: needed, flags, method, time, date, crc, packed,
    size, name, extra; of the central one also comment, made, disk, attributes, at. `data` is what is there in place of
    the content.
    """

    name: str | bytes
    content: bytes = b""
    method: int = DEFLATED
    flags: int = 0
    data: bytes | None = None
    descriptor: bytes | None = None
    before: bytes = b""
    hidden: bool = False
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)


def described(part: Part, *, signed: bool = True, **lies: int) -> Part:
    """The same, with its size and checksum behind its data."""
    data = part.data if part.data is not None else deflated(part.content)
    facts = {"crc": zlib.crc32(part.content), "packed": len(data), "size": len(part.content)} | lies
    descriptor = struct.pack("<3L", facts["crc"], facts["packed"], facts["size"])
    return replace(
        part,
        flags=part.flags | DESCRIBED,
        descriptor=(b"PK\x07\x08" if signed else b"") + descriptor,
        local={"crc": 0, "packed": 0, "size": 0},
    )


def archive(parts: Sequence[Part], *, comment: bytes = b"", tail: bytes = b"", **end: Any) -> bytes:
    """The whole archive. `end` overrides fields of its last record: disk, first_disk, here, entries, size, at."""
    out, directory, shown = b"", b"", 0
    for part in parts:
        out += part.before
        facts, at = _facts(part), len(out)
        local = facts | part.local
        out += b"PK\x03\x04" + _common(local) + local["name"] + local["extra"]
        out += _data(part) + (part.descriptor or b"")
        if part.hidden:
            continue
        shown += 1
        own = {"comment": b"", "made": 3 << 8 | 20, "disk": 0, "attributes": PLAIN_FILE, "at": at}
        central = facts | own | part.central
        directory += b"PK\x01\x02" + struct.pack("<H", central["made"]) + _common(central)
        directory += struct.pack(
            "<3H2L", len(central["comment"]), central["disk"], 0, central["attributes"], central["at"]
        )
        directory += central["name"] + central["extra"] + central["comment"]
    last = {"disk": 0, "first_disk": 0, "here": shown, "entries": shown, "size": len(directory), "at": len(out)} | end
    record = struct.pack(
        "<4H2LH",
        last["disk"],
        last["first_disk"],
        last["here"],
        last["entries"],
        last["size"],
        last["at"],
        len(comment),
    )
    return out + directory + b"PK\x05\x06" + record + comment + tail


def _data(part: Part) -> bytes:
    if part.data is not None:
        return part.data
    return deflated(part.content) if part.method == DEFLATED else part.content


def _facts(part: Part) -> dict[str, Any]:
    name = part.name if isinstance(part.name, bytes) else part.name.encode()
    return {
        "needed": 20,
        "flags": part.flags | (0 if name.isascii() or isinstance(part.name, bytes) else UTF8),
        "method": part.method,
        "time": 0,
        "date": 0x21,
        "crc": zlib.crc32(part.content),
        "packed": len(_data(part)),
        "size": len(part.content),
        "name": name,
        "extra": b"",
    }


def _common(facts: dict[str, Any]) -> bytes:
    return struct.pack(
        "<5H3L2H",
        facts["needed"],
        facts["flags"],
        facts["method"],
        facts["time"],
        facts["date"],
        facts["crc"],
        facts["packed"],
        facts["size"],
        len(facts["name"]),
        len(facts["extra"]),
    )
