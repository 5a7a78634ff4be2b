"""A corpus of archives that mean harm, each with the finding that says why."""

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.packages.archives import STORED, UTF8, Part, archive, deflated, described
from tests.packages.world import FILES, package, parts, with_entries
from windtunnel.domain.policy import PACKAGE_MAX_BYTES
from windtunnel.packages.codes import Code

ZEROS = bytes(1024 * 1024)
LINK = 0o120777 << 16


def last(**how: Any) -> bytes:
    """The package, the last of whose entries is different."""
    *before, victim = parts()
    return archive([*before, replace(victim, **how)])


def central(**lies: Any) -> bytes:
    return last(central=lies)


def local(**lies: Any) -> bytes:
    return last(local=lies)


def extra(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<2H", kind, len(data)) + data


def overlapping() -> bytes:
    """Two entries that share the same data, as the bombs of many files do."""
    first, second, third = parts()
    whole = archive([first, second, third])
    at = whole.index(b"PK\x03\x04", 1)
    return archive([first, second, replace(third, central={"at": at})])


def fake_end_in_comment() -> bytes:
    """For one reader an empty archive, for another the package."""
    inner = package()
    return inner[:-2] + struct.pack("<H", 22) + b"PK\x05\x06" + bytes(18)


EVIL: dict[str, tuple[Callable[[], bytes], Code]] = {
    "nothing": (lambda: b"", Code.ARCHIVE_UNREADABLE),
    "text": (lambda: b"#!/bin/sh\nrm -rf /\n" * 10, Code.ARCHIVE_UNREADABLE),
    "gzip": (lambda: b"\x1f\x8b" + bytes(100), Code.ARCHIVE_UNREADABLE),
    "cut in its directory": (lambda: package()[:-30], Code.ARCHIVE_UNREADABLE),
    "cut in its data": (lambda: package()[:200], Code.ARCHIVE_UNREADABLE),
    "no entries": (lambda: archive([]), Code.MANIFEST_MISSING),
    "too large": (lambda: bytes(PACKAGE_MAX_BYTES + 1), Code.ARCHIVE_TOO_LARGE),
    "traversal": (lambda: with_entries(Part("../evil.py")), Code.PATH_TRAVERSAL),
    "traversal inside": (lambda: with_entries(Part("triage/../../evil.py")), Code.PATH_TRAVERSAL),
    "traversal of a directory": (lambda: with_entries(Part("../evil/")), Code.PATH_TRAVERSAL),
    "absolute": (lambda: with_entries(Part("/etc/cron.d/evil")), Code.PATH_ABSOLUTE),
    "network share": (lambda: with_entries(Part("//host/share")), Code.PATH_ABSOLUTE),
    "backslash": (lambda: with_entries(Part("..\\evil.py")), Code.PATH_BACKSLASH),
    "drive": (lambda: with_entries(Part("C:/evil.py")), Code.PATH_DRIVE),
    "stream": (lambda: with_entries(Part("health.py:evil")), Code.PATH_DRIVE),
    "nul": (lambda: with_entries(Part("evil.py\0.txt")), Code.PATH_CHARACTERS),
    "new line": (lambda: with_entries(Part("a\nb")), Code.PATH_CHARACTERS),
    "written backwards": (lambda: with_entries(Part("a\u202eyp.b")), Code.PATH_CHARACTERS),
    "no width": (lambda: with_entries(Part("health\u200b.py")), Code.PATH_CHARACTERS),
    "code page 437": (lambda: with_entries(Part(b"caf\x82.py")), Code.PATH_CHARACTERS),
    "broken utf-8": (lambda: with_entries(Part(b"caf\xe9.py", flags=UTF8)), Code.PATH_CHARACTERS),
    "surrogate": (lambda: with_entries(Part(b"\xed\xa0\x80.py", flags=UTF8)), Code.PATH_CHARACTERS),
    "no name": (lambda: with_entries(Part("")), Code.PATH_UNSAFE),
    "dot": (lambda: with_entries(Part("./evil.py")), Code.PATH_UNSAFE),
    "two slashes": (lambda: with_entries(Part("a//evil.py")), Code.PATH_UNSAFE),
    "long": (lambda: with_entries(Part("a" * 241)), Code.PATH_TOO_LONG),
    "long in bytes": (lambda: with_entries(Part("é" * 128)), Code.PATH_TOO_LONG),
    "very long": (lambda: with_entries(Part("a" * 60_000)), Code.PATH_TOO_LONG),
    "deep": (lambda: with_entries(Part("/".join("a" * 17))), Code.PATH_TOO_DEEP),
    "twice": (lambda: with_entries(Part("health.py", b"other")), Code.PATH_DUPLICATE),
    "two manifests": (lambda: with_entries(Part("agent.json", b"{}")), Code.PATH_DUPLICATE),
    "other case": (lambda: with_entries(Part("HEALTH.py")), Code.PATH_DUPLICATE),
    "other case by folding": (lambda: with_entries(Part("straße"), Part("STRASSE")), Code.PATH_DUPLICATE),
    "other composition": (lambda: with_entries(Part("caf\u00e9"), Part("cafe\u0301")), Code.PATH_DUPLICATE),
    "a file in a file": (lambda: with_entries(Part("health.py/evil")), Code.PATH_DUPLICATE),
    "a file for a directory": (lambda: with_entries(Part("triage")), Code.PATH_DUPLICATE),
    "link": (lambda: central(attributes=LINK), Code.ENTRY_LINK),
    "link from a mac": (lambda: central(attributes=LINK, made=19 << 8), Code.ENTRY_LINK),
    "link that says dos": (lambda: central(attributes=LINK, made=0), Code.ENTRY_LINK),
    "reparse point": (lambda: central(attributes=0x400, made=10 << 8), Code.ENTRY_LINK),
    "device": (lambda: central(attributes=0o060644 << 16), Code.ENTRY_SPECIAL),
    "pipe": (lambda: central(attributes=0o010644 << 16), Code.ENTRY_SPECIAL),
    "socket": (lambda: central(attributes=0o140644 << 16), Code.ENTRY_SPECIAL),
    "set user id": (lambda: central(attributes=0o104755 << 16), Code.ENTRY_SPECIAL),
    "set group id": (lambda: central(attributes=0o102755 << 16), Code.ENTRY_SPECIAL),
    "sticky": (lambda: central(attributes=0o101755 << 16), Code.ENTRY_SPECIAL),
    "label": (lambda: central(attributes=0x08, made=0), Code.ENTRY_SPECIAL),
    "directory": (lambda: with_entries(Part("empty/")), Code.ENTRY_DIRECTORY),
    "directory by mode": (lambda: central(attributes=0o040755 << 16), Code.ENTRY_DIRECTORY),
    "directory of dos": (lambda: central(attributes=0x10, made=0), Code.ENTRY_DIRECTORY),
    "encrypted": (lambda: last(flags=1), Code.ENTRY_ENCRYPTED),
    "strongly encrypted": (lambda: last(flags=0x41), Code.ENTRY_ENCRYPTED),
    "masked headers": (lambda: last(flags=0x2000), Code.ENTRY_ENCRYPTED),
    "aes": (lambda: last(central={"extra": extra(0x9901, bytes(7))}), Code.ENTRY_ENCRYPTED),
    "patch data": (lambda: last(flags=1 << 5), Code.ENTRY_METHOD),
    "a later version of zip": (lambda: last(local={"needed": 45}, central={"needed": 45}), Code.ENTRY_METHOD),
    "other version inside": (lambda: local(needed=10), Code.ARCHIVE_MISMATCH),
    "bzip2": (lambda: last(method=12), Code.ENTRY_METHOD),
    "lzma": (lambda: last(method=14), Code.ENTRY_METHOD),
    "zstd": (lambda: last(method=93), Code.ENTRY_METHOD),
    "deflate64": (lambda: last(method=9), Code.ENTRY_METHOD),
    "other name inside": (lambda: local(name=b"triage/maim.py"), Code.ARCHIVE_MISMATCH),
    "longer name inside": (lambda: local(name=b"triage/main.py.txt"), Code.ARCHIVE_MISMATCH),
    "other method inside": (lambda: local(method=STORED), Code.ARCHIVE_MISMATCH),
    "other flags inside": (lambda: local(flags=1), Code.ARCHIVE_MISMATCH),
    "other size inside": (lambda: local(size=3), Code.ARCHIVE_MISMATCH),
    "other checksum inside": (lambda: local(crc=3), Code.ARCHIVE_MISMATCH),
    "other date inside": (lambda: local(date=0x22), Code.ARCHIVE_MISMATCH),
    "size only outside": (lambda: local(crc=0, packed=0, size=0), Code.ARCHIVE_MISMATCH),
    "other part": (lambda: central(disk=1), Code.ARCHIVE_MISMATCH),
    "several parts": (lambda: archive(parts(), disk=1, first_disk=1), Code.ARCHIVE_MISMATCH),
    "other count": (lambda: archive(parts(), here=2), Code.ARCHIVE_MISMATCH),
    "another name in an extra field": (
        lambda: last(central={"extra": extra(0x7075, b"\1" + bytes(4) + b"evil.py")}),
        Code.ARCHIVE_MISMATCH,
    ),
    "extra field cut short": (lambda: last(central={"extra": b"\x55\x54\x09\x00\x01"}), Code.ARCHIVE_MISMATCH),
    "extra field of one byte": (lambda: last(local={"extra": b"\x55"}), Code.ARCHIVE_MISMATCH),
    "descriptor of a lie": (lambda: archive([*parts(), described(Part("a", b"a"), size=2)]), Code.ARCHIVE_MISMATCH),
    "no descriptor": (
        lambda: archive([*parts(), replace(described(Part("a", b"a")), descriptor=None)]),
        Code.ARCHIVE_MISMATCH,
    ),
    "stored with a descriptor": (
        lambda: archive([*parts(), described(Part("a", b"a", STORED, data=b"a"))]),
        Code.ARCHIVE_MISMATCH,
    ),
    "stored with two sizes": (
        lambda: last(method=STORED, local={"size": 1}, central={"size": 1}),
        Code.ARCHIVE_MISMATCH,
    ),
    "overlapping": (overlapping, Code.ARCHIVE_EXTRA_DATA),
    "something before": (lambda: b"#!/bin/sh\n" + package(), Code.ARCHIVE_EXTRA_DATA),
    "something before, told": (
        lambda: archive([replace(parts()[0], before=b"MZ"), *parts()[1:]]),
        Code.ARCHIVE_EXTRA_DATA,
    ),
    "something between": (
        lambda: archive([*parts(), Part("z", b"z", before=b"hidden")]),
        Code.ARCHIVE_EXTRA_DATA,
    ),
    "an entry that is not listed": (
        lambda: archive([*parts(), Part("evil.py", b"evil", hidden=True)]),
        Code.ARCHIVE_EXTRA_DATA,
    ),
    "entries behind the last": (
        lambda: archive([*parts(), Part("evil.py")], here=3, entries=3),
        Code.ARCHIVE_EXTRA_DATA,
    ),
    "something behind": (lambda: package() + b"\n", Code.ARCHIVE_EXTRA_DATA),
    "another archive behind": (lambda: package() + package(), Code.ARCHIVE_EXTRA_DATA),
    "comment": (lambda: archive(parts(), comment=b"hello"), Code.ARCHIVE_EXTRA_DATA),
    "comment that is an end": (fake_end_in_comment, Code.ARCHIVE_EXTRA_DATA),
    "comment that is missing": (lambda: package()[:-2] + b"\x05\x00", Code.ARCHIVE_UNREADABLE),
    "comment of an entry": (lambda: central(comment=b"hello"), Code.ARCHIVE_EXTRA_DATA),
    "data into the directory": (
        lambda: last(local={"packed": 5_000}, central={"packed": 5_000}),
        Code.ARCHIVE_EXTRA_DATA,
    ),
    "out of order": (lambda: _swapped(package()), Code.ARCHIVE_EXTRA_DATA),
    "directory elsewhere": (lambda: archive(parts(), at=7), Code.ARCHIVE_EXTRA_DATA),
    "header elsewhere": (lambda: central(at=7), Code.ARCHIVE_UNREADABLE),
    "header behind the end": (lambda: central(at=2**31), Code.ARCHIVE_UNREADABLE),
    "more entries than there are": (lambda: archive(parts(), here=9, entries=9), Code.ARCHIVE_UNREADABLE),
    "zip64 sizes": (lambda: central(size=2**32 - 1, extra=extra(1, bytes(8))), Code.ARCHIVE_ZIP64),
    "zip64 without need": (lambda: local(extra=extra(1, bytes(16))), Code.ARCHIVE_ZIP64),
    "zip64 count": (lambda: archive(parts(), here=0xFFFF, entries=0xFFFF), Code.ARCHIVE_ZIP64),
    "zip64 locator": (
        lambda: package()[:-22] + b"PK\x06\x07" + bytes(16) + package()[-22:],
        Code.ARCHIVE_ZIP64,
    ),
    "too many": (lambda: archive([Part(f"{number}") for number in range(5_001)]), Code.ARCHIVE_TOO_MANY_FILES),
    "bomb of one file": (lambda: with_entries(Part("zeros", ZEROS)), Code.ARCHIVE_BOMB),
    "bomb of small files": (
        lambda: with_entries(*(Part(f"z{number:03}", bytes(65_000)) for number in range(100))),
        Code.ARCHIVE_BOMB,
    ),
    "larger than allowed": (
        lambda: with_entries(
            *(
                Part(f"z{number}", b"", data=bytes(1), central={"size": 2**26}, local={"size": 2**26})
                for number in range(4)
            )
        ),
        Code.ARCHIVE_BOMB,
    ),
    "more inside than told": (lambda: last(local={"size": 9}, central={"size": 9}), Code.ENTRY_DAMAGED),
    "a bomb that calls itself small": (
        lambda: with_entries(Part("zeros", b"", data=deflated(ZEROS), local={"size": 9}, central={"size": 9})),
        Code.ENTRY_DAMAGED,
    ),
    "less inside than told": (lambda: last(local={"size": 900}, central={"size": 900}), Code.ENTRY_DAMAGED),
    "wrong checksum": (lambda: last(local={"crc": 9}, central={"crc": 9}), Code.ENTRY_DAMAGED),
    "no deflate": (lambda: last(data=b"\xff" * 40), Code.ENTRY_DAMAGED),
    "deflate that never ends": (lambda: last(data=deflated(FILES["triage/main.py"])[:-1]), Code.ENTRY_DAMAGED),
    "no data at all": (lambda: last(data=b""), Code.ENTRY_DAMAGED),
    "more packed than needed": (lambda: last(data=deflated(FILES["triage/main.py"]) + b"evil"), Code.ENTRY_DAMAGED),
    "empty blocks without end": (lambda: last(data=b"\0\0\0\xff\xff" * 50_000), Code.ENTRY_DAMAGED),
}


def _swapped(data: bytes) -> bytes:
    """The same with two entries of the central directory in each other's place."""
    begin = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", begin + 1)
    third = data.index(b"PK\x01\x02", second + 1)
    end = data.index(b"PK\x05\x06")
    return data[:second] + data[third:end] + data[second:third] + data[end:]
