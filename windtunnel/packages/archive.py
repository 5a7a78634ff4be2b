"""Reading the structure of an archive that nobody vouches for: every byte of it must belong to exactly one entry.

The records are read one by one, never unpacked here, and whatever is wrong becomes a finding. What other readers might
understand differently (headers that disagree, names that some file systems take for the same, data between entries) is
refused, not interpreted.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO

from windtunnel.domain.policy import PACKAGE_FILES_MAX, PACKAGE_MAX_BYTES, PACKAGE_RATIO_MAX, PACKAGE_UNPACKED_MAX_BYTES
from windtunnel.packages.codes import Code
from windtunnel.packages.entries import Entry, Walk
from windtunnel.packages.findings import Findings
from windtunnel.packages.records import (
    END_BYTES,
    END_SIGNATURE,
    ZIP64_LOCATOR_BYTES,
    ZIP64_LOCATOR_SIGNATURE,
    End,
    TornError,
    exactly,
    read_central,
    read_end,
)

_COMMENT_MAX_BYTES = 0xFFFF
_MANY, _FAR = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Archive:
    """What the central directory tells. `entries` are those with nothing wrong about them, in order.

    `names` has the faulty ones, too. Nothing should be unpacked of an archive that is a `bomb`.
    """

    entries: tuple[Entry, ...] = ()
    names: frozenset[str] = frozenset()
    first: str | None = None
    bomb: bool = False

    def entry(self, path: str) -> Entry | None:
        """The entry with this path, if it can be read."""
        return next((entry for entry in self.entries if entry.path == path), None)


def read_archive(file: BinaryIO, findings: Findings) -> Archive:
    """The archive in a seekable file; what is wrong with it is added to `findings`."""
    size = file.seek(0, os.SEEK_END)
    if size > PACKAGE_MAX_BYTES:
        limit = f"{PACKAGE_MAX_BYTES:,}"
        findings.add(Code.ARCHIVE_TOO_LARGE, f"The archive has {size:,} bytes; {limit} are allowed.")
        return Archive()
    try:
        end = _end_of(file, size, findings)
        return Archive() if end is None else _read_entries(file, size, end, findings)
    except TornError as torn:
        findings.add(Code.ARCHIVE_UNREADABLE, str(torn))
        return Archive()


def _end_of(file: BinaryIO, size: int, findings: Findings) -> End | None:
    """The last record of the archive; None when there is no use in reading on."""
    if size < END_BYTES:
        raise TornError("The file is too short for a zip archive.")
    end_at = size - END_BYTES
    tail = exactly(file, end_at, END_BYTES)
    if not tail.startswith(END_SIGNATURE):
        _look_for_end(file, size, findings)
        return None
    end = read_end(tail)
    locator = b""
    if end_at >= ZIP64_LOCATOR_BYTES:
        locator = exactly(file, end_at - ZIP64_LOCATOR_BYTES, len(ZIP64_LOCATOR_SIGNATURE))
    elsewhere = _MANY in (end.entries, end.entries_here) or _FAR in (end.directory_size, end.directory_at)
    if elsewhere or locator == ZIP64_LOCATOR_SIGNATURE:
        findings.add(Code.ARCHIVE_ZIP64, "The archive ends with records of ZIP64.")
    elif end.disk or end.first_disk or end.entries != end.entries_here:
        findings.add(Code.ARCHIVE_MISMATCH, "The archive claims to be one of several parts.")
    elif end.entries > PACKAGE_FILES_MAX:
        findings.add(Code.ARCHIVE_TOO_MANY_FILES, f"The archive has {end.entries:,} entries.")
    elif end.comment_size:
        findings.add(Code.ARCHIVE_UNREADABLE, "The archive is cut short: its comment is missing.")
    elif end.directory_at + end.directory_size != end_at:
        astray = end_at - end.directory_at - end.directory_size
        findings.add(
            Code.ARCHIVE_EXTRA_DATA, f"The central directory ends {abs(astray):,} bytes from where the archive says."
        )
    else:
        return end
    return None


def _look_for_end(file: BinaryIO, size: int, findings: Findings) -> None:
    """Tell an archive with something behind it from what is no archive."""
    reach = min(size, END_BYTES + _COMMENT_MAX_BYTES)
    found = exactly(file, size - reach, reach).rfind(END_SIGNATURE)
    if found < 0:
        raise TornError("The file is no zip archive, or its end is missing.")
    behind = reach - found - END_BYTES
    findings.add(Code.ARCHIVE_EXTRA_DATA, f"There are {behind:,} bytes behind the end of the archive, or a comment.")


def _read_entries(file: BinaryIO, size: int, end: End, findings: Findings) -> Archive:
    walk = Walk(file, end.directory_at, findings)
    at, directory_end = end.directory_at, end.directory_at + end.directory_size
    for _ in range(end.entries):
        central = read_central(file, at)
        at += central.length
        if at > directory_end:
            raise TornError("The central directory has fewer entries than the archive says.")
        walk.visit(central)
    if at != directory_end:
        findings.add(Code.ARCHIVE_EXTRA_DATA, f"{directory_end - at:,} bytes of the central directory are no entry.")
    walk.finish()
    return Archive(
        entries=tuple(walk.entries),
        names=frozenset(walk.names),
        first=walk.names[0] if walk.names else None,
        bomb=_is_bomb(walk, size, findings),
    )


def _is_bomb(walk: Walk, size: int, findings: Findings) -> bool:
    total = walk.unpacked
    if total > PACKAGE_UNPACKED_MAX_BYTES:
        limit = f"{PACKAGE_UNPACKED_MAX_BYTES:,}"
        findings.add(Code.ARCHIVE_BOMB, f"The files are said to have {total:,} bytes unpacked; {limit} are allowed.")
        return True
    if total > PACKAGE_RATIO_MAX * size:
        findings.add(Code.ARCHIVE_BOMB, f"The archive would unpack to {total // size:,} times its size.")
        return True
    return walk.bombs
