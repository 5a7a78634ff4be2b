"""The entries of an archive one by one: each judged by itself, and by its place among the others."""

import stat
from dataclasses import dataclass, replace
from typing import BinaryIO

from windtunnel.domain.policy import PACKAGE_RATIO_MAX
from windtunnel.packages.codes import Code
from windtunnel.packages.findings import Findings
from windtunnel.packages.paths import fault_of, folded, parents
from windtunnel.packages.records import (
    AES_EXTRA,
    DEFLATED,
    DESCRIBED,
    ENCRYPTED,
    FLAGS_KNOWN,
    MASKED,
    STORED,
    STRONGLY_ENCRYPTED,
    TIMES_AND_OWNERS,
    UTF8,
    VERSION_KNOWN,
    ZIP64_EXTRA,
    Central,
    Facts,
    TornError,
    extra_kinds,
    read_descriptor,
    read_local,
)

MANIFEST_PATH = "agent.json"
CANONICAL_DATE = 0x0021
"""1980-01-01, the first day that a zip archive knows."""
CANONICAL_MODE = stat.S_IFREG | 0o644

_RATIO_MATTERS_ABOVE = 64 * 1024
"""A small file of one letter is no bomb."""
_DOS_VOLUME, _DOS_DIRECTORY, _NTFS_REPARSE_POINT = 0x08, 0x10, 0x400
_FAR = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive: what the headers say of it, and where its data begins."""

    path: str
    method: int
    size: int
    packed: int
    crc: int
    data_at: int


class Walk:
    """Goes through the entries in the order of the central directory, which must be that of their data."""

    def __init__(self, file: BinaryIO, directory_at: int, findings: Findings) -> None:
        self.entries: list[Entry] = []
        self.names: list[str] = []
        self.unpacked = 0
        self.bombs = False
        self._file = file
        self._directory_at = directory_at
        self._findings = findings
        self._cursor = 0
        self._files: dict[str, str] = {}
        self._directories: dict[str, str] = {}
        self._deviations: dict[str, None] = {}

    def visit(self, central: Central) -> None:
        """Judge an entry. Raises TornError when its header is not where the central directory says."""
        name = _decoded(central)
        before = self._findings.number
        self._judge_place(central, name)
        self._judge_kind(central, name)
        self._judge_name(name, is_directory=name.endswith("/"))
        data_at = self._judge_data(central, name)
        self._judge_size(central.facts, name)
        self._compare_with_canon(central, name)
        self.names.append(name)
        self.unpacked += central.facts.size
        if self._findings.number == before:
            facts = central.facts
            self.entries.append(Entry(name, facts.method, facts.size, facts.packed, facts.crc, data_at))

    def finish(self) -> None:
        """Judge what can only be told at the end."""
        if gap := self._directory_at - self._cursor:
            self._findings.add(
                Code.ARCHIVE_EXTRA_DATA,
                f"There are {abs(gap):,} bytes too many or too few before the central directory.",
            )
        if self._deviations:
            self._findings.add(Code.ARCHIVE_NOT_CANONICAL, f"{'; '.join(self._deviations)}.")

    def _judge_place(self, central: Central, name: str) -> None:
        if central.at != self._cursor:
            what = "overlaps the one before" if central.at < self._cursor else "has data before it that is no entry"
            self._findings.add(Code.ARCHIVE_EXTRA_DATA, f"The entry {what}, or is out of order.", name)
        if central.comment_size:
            self._findings.add(Code.ARCHIVE_EXTRA_DATA, "The entry has a comment.", name)
        if central.disk:
            self._findings.add(Code.ARCHIVE_MISMATCH, "The entry claims to be in another part of the archive.", name)

    def _judge_kind(self, central: Central, name: str) -> None:
        facts, mode, add = central.facts, central.attributes >> 16, self._findings.add
        kind = stat.S_IFMT(mode)
        if facts.flags & (ENCRYPTED | STRONGLY_ENCRYPTED | MASKED):
            add(Code.ENTRY_ENCRYPTED, "The entry is encrypted.", name)
        elif facts.flags & ~FLAGS_KNOWN or facts.needed > VERSION_KNOWN:
            add(Code.ENTRY_METHOD, "The entry needs features of zip that packages do not use.", name)
        if facts.method not in (STORED, DEFLATED):
            add(Code.ENTRY_METHOD, f"The entry is packed by method {facts.method}.", name)
        if kind == stat.S_IFLNK or central.attributes & _NTFS_REPARSE_POINT:
            add(Code.ENTRY_LINK, "The entry is a link.", name)
        elif name.endswith("/") or kind == stat.S_IFDIR or central.attributes & _DOS_DIRECTORY:
            add(Code.ENTRY_DIRECTORY, "The entry is a directory.", name)
        elif kind not in (0, stat.S_IFREG) or central.attributes & _DOS_VOLUME:
            add(Code.ENTRY_SPECIAL, "The entry is a device, a pipe, a socket or a label.", name)
        if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
            add(Code.ENTRY_SPECIAL, "The entry would run as somebody else, or be sticky.", name)

    def _judge_name(self, name: str, *, is_directory: bool) -> None:
        path = name.rstrip("/") if is_directory else name
        if fault := fault_of(path or name):
            self._findings.add(*fault, name)
            return
        key = folded(path)
        if not is_directory:
            other = self._files.get(key) or self._directories.get(key)
            if other is not None:
                self._findings.add(Code.PATH_DUPLICATE, f"On some file systems it is the same as {other!r}.", name)
            self._files[key] = path
        for directory in parents(path):
            key = folded(directory)
            self._directories[key] = directory
            if key in self._files:
                self._findings.add(Code.PATH_DUPLICATE, f"{directory!r} is a file and a directory.", name)
                break

    def _judge_data(self, central: Central, name: str) -> int:
        """Where the data of the entry begins; it must end before the central directory."""
        facts, add = central.facts, self._findings.add
        local = read_local(self._file, central.at)
        described = bool(facts.flags & DESCRIBED)
        told = local.facts
        if described and (told.crc, told.packed, told.size) == (0, 0, 0):
            told = replace(told, crc=facts.crc, packed=facts.packed, size=facts.size)
        if told != facts or local.raw_name != central.raw_name:
            add(
                Code.ARCHIVE_MISMATCH,
                "The header before the data says something else than the central directory.",
                name,
            )
        self._judge_extras(central.extra, local.extra, name)
        data_at = central.at + local.length
        end = data_at + facts.packed
        if described and facts.method == STORED:
            add(Code.ARCHIVE_MISMATCH, "Only the central directory tells where the stored data ends.", name)
        if end > self._directory_at:
            add(Code.ARCHIVE_EXTRA_DATA, "The data of the entry runs into the central directory.", name)
        elif described:
            try:
                end += read_descriptor(self._file, end, facts)
            except TornError as torn:
                add(Code.ARCHIVE_MISMATCH, str(torn), name)
        self._cursor = end
        return data_at

    def _judge_extras(self, central: bytes, local: bytes, name: str) -> None:
        try:
            kinds = {*extra_kinds(central), *extra_kinds(local)}
        except TornError as torn:
            self._findings.add(Code.ARCHIVE_MISMATCH, str(torn), name)
            return
        if ZIP64_EXTRA in kinds:
            self._findings.add(Code.ARCHIVE_ZIP64, "The entry has sizes of ZIP64.", name)
        if AES_EXTRA in kinds:
            self._findings.add(Code.ENTRY_ENCRYPTED, "The entry is encrypted.", name)
        if unknown := kinds - TIMES_AND_OWNERS - {ZIP64_EXTRA, AES_EXTRA}:
            numbers = ", ".join(f"{kind:#06x}" for kind in sorted(unknown)[:10])
            self._findings.add(Code.ARCHIVE_MISMATCH, f"Not every reader knows its extra fields {numbers}.", name)

    def _judge_size(self, facts: Facts, name: str) -> None:
        if _FAR in (facts.packed, facts.size):
            self._findings.add(Code.ARCHIVE_ZIP64, "The entry has sizes of ZIP64.", name)
        elif facts.method == STORED and facts.packed != facts.size:
            self._findings.add(Code.ARCHIVE_MISMATCH, "The entry is stored, yet has two sizes.", name)
        if facts.size > _RATIO_MATTERS_ABOVE and facts.size > PACKAGE_RATIO_MAX * facts.packed:
            self.bombs = True
            self._findings.add(
                Code.ARCHIVE_BOMB, f"{facts.packed:,} bytes are said to unpack to {facts.size:,} bytes.", name
            )

    def _compare_with_canon(self, central: Central, name: str) -> None:
        earlier = self.names[-1] if len(self.names) > 1 else ""  # behind the manifest, which comes first
        if name.encode(errors="replace") < earlier.encode(errors="replace"):
            self._deviations["The entries are not sorted"] = None
        if (central.facts.date, central.facts.time) != (CANONICAL_DATE, 0):
            self._deviations["dates are not 1980-01-01"] = None
        if central.attributes >> 16 not in (CANONICAL_MODE, CANONICAL_MODE & 0o777):
            self._deviations["modes are not 0644"] = None


def _decoded(central: Central) -> str:
    """The name, or something that no path can be."""
    if central.raw_name is None:
        return "\ufffd" * 1000
    try:
        return central.raw_name.decode("utf-8" if central.facts.flags & UTF8 else "ascii")
    except UnicodeDecodeError:
        return central.raw_name.decode("utf-8", "backslashreplace") + "\0"
