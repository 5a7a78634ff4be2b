"""Going through the files of a package once: each is read piece by piece, and kept only as long as it is looked at."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from windtunnel.domain.packages import PackageCheck
from windtunnel.packages.archive import read_archive
from windtunnel.packages.codes import Code, Passed
from windtunnel.packages.contents import DamagedError, unpacked
from windtunnel.packages.entries import MANIFEST_PATH, Entry
from windtunnel.packages.findings import Findings, passed
from windtunnel.packages.inspection.boms import BOM_MAX_BYTES, BOM_PATH, check_bom
from windtunnel.packages.inspection.cards import CARD_MAX_BYTES, CARD_PATH, check_card
from windtunnel.packages.inspection.declared import compare
from windtunnel.packages.inspection.kinds import HEAD_BYTES, is_source, kinds_of
from windtunnel.packages.inspection.leaks import OVERLAP_CHARS, leaks_in
from windtunnel.packages.inspection.locks import LOCK_MAX_BYTES, check_lock
from windtunnel.packages.inspection.sources import SOURCE_MAX_BYTES, read_source
from windtunnel.packages.inspection.uses import Uses
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.reading import read_manifest

TOLD_PER_FILE = 10
"""So often the same code is told of the same file."""
CHUNK_BYTES = 512 * 1024
THOROUGH_CHARS = 12 * 1024 * 1024
"""So much text beside source is looked at for anything that may be a secret; the rest for known forms alone."""

_DECLARED = (
    Code.NETWORK_UNDECLARED, Code.SUBPROCESS_UNDECLARED, Code.FILESYSTEM_UNDECLARED, Code.SECRET_UNDECLARED,
    Code.CODE_DYNAMIC, Code.CODE_NATIVE_CALLS,
)  # fmt: skip
_LOCK = tuple(code for code in Code if code.startswith("LOCK_"))


class _FewEach(Findings):
    """Findings in which no file hides the others."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Counter[tuple[Code, str | None]] = Counter()

    def add(self, code: Code, detail: str, path: str | None = None, line: int | None = None) -> None:
        """Note a finding, unless the file has had enough of this kind."""
        self.told[code, path] += 1
        if self.told[code, path] <= TOLD_PER_FILE:
            super().add(code, detail, path, line)

    def none_of(self, *codes: Code) -> bool:
        """Whether nothing with one of these codes was found."""
        return not any(code in codes for code, _ in self.told)


def look(file: BinaryIO) -> tuple[PackageCheck, ...]:
    """What there is to be said of the files of a package whose archive can be read; nothing of it is run.

    What is wrong with the archive itself, or with its manifest, is not told here. Raises OSError alone.
    """
    archive = read_archive(file, Findings())
    if archive.bomb:
        return ()
    looker = _Looker(file, _manifest_of(file, archive.entry(MANIFEST_PATH)))
    for entry in archive.entries:
        looker.look_at(entry)
    return looker.finish()


class _Looker:
    def __init__(self, file: BinaryIO, manifest: Manifest | None) -> None:
        self._file = file
        self._manifest = manifest
        self._findings = _FewEach()
        self._modules: dict[str, Uses] = {}
        self._sources = 0
        self._kept: dict[str, bytes] = {}
        self._thorough_left = THOROUGH_CHARS
        runtime = manifest.runtime if manifest else None
        self._lock = runtime.lockfile if runtime else None
        self._wanted = {BOM_PATH: BOM_MAX_BYTES, CARD_PATH: CARD_MAX_BYTES} | (
            {self._lock: LOCK_MAX_BYTES} if self._lock else {}
        )

    def look_at(self, entry: Entry) -> None:
        """Look at one file."""
        try:
            self._look_at(entry)
        except DamagedError:
            return  # that is told of the archive

    def finish(self) -> tuple[PackageCheck, ...]:
        """Look at what needs all of them together; all that was found, and what was found to be right."""
        add, manifest, done = self._findings, self._manifest, []
        if manifest:
            compare(manifest, self._modules, add)
            if self._sources and add.none_of(*_DECLARED):
                done.append(
                    passed(Passed.DECLARATION_KEPT, "The code does nothing beyond computing that is not declared.")
                )
        if self._sources and len(self._modules) == self._sources:
            done.append(passed(Passed.CODE_READ, f"{self._sources:,} modules were read, and none was run."))
        if add.none_of(Code.SECRET_FOUND, Code.SECRET_SUSPECTED):
            done.append(passed(Passed.NO_SECRETS, "No file has what looks like a secret."))
        done += self._documents()
        return (*add.checks, *done)

    def _documents(self) -> Iterator[PackageCheck]:
        add, locked = self._findings, frozenset[str]()
        if self._lock and (data := self._kept.get(self._lock)) is not None:
            locked = check_lock(self._lock, data.decode("utf-8", "replace"), add)
            if add.none_of(*_LOCK):
                yield passed(Passed.LOCK_VALID, f"Pinned with their digests: {len(locked):,}.")
        if (data := self._kept.get(BOM_PATH)) is not None:
            check_bom(data, locked, add)
            if add.none_of(Code.SBOM_INVALID, Code.SBOM_INCOMPLETE):
                yield passed(Passed.SBOM_VALID, "The bill of materials is valid CycloneDX.")
        if (data := self._kept.get(CARD_PATH)) is not None and self._manifest:
            check_card(data, self._manifest, add)
            if add.none_of(Code.CARD_INVALID, Code.CARD_DIFFERENT):
                yield passed(Passed.CARD_VALID, "The agent card is a valid one of A2A 1.0.")

    def _look_at(self, entry: Entry) -> None:
        pieces = unpacked(self._file, entry)
        first = next(pieces, b"")
        head = first[:HEAD_BYTES]
        if entry.path != MANIFEST_PATH:
            for code, said in kinds_of(entry.path, head):
                self._findings.add(code, said, entry.path)
        source = is_source(entry.path, head)
        keep = self._wanted.get(entry.path, SOURCE_MAX_BYTES if source else 0)
        kept = bytearray()
        for line, text in _texts(_counted(chain((first,), pieces), kept, keep + 1 if keep else 0)):
            thorough = source or (b"\0" not in head and self._thorough_left > 0)
            self._thorough_left -= 0 if source or not thorough else len(text)
            for leak in leaks_in(entry.path, text, line, thorough=thorough):
                said = f"It looks like a secret: {leak.kind}."
                self._findings.add(leak.code, said, entry.path, leak.line)
        if entry.path in self._wanted:
            self._keep(entry.path, bytes(kept), keep)
        if source:
            self._read(entry.path, bytes(kept))

    def _keep(self, path: str, data: bytes, most: int) -> None:
        if len(data) <= most:
            self._kept[path] = data
            return
        codes = {BOM_PATH: Code.SBOM_INVALID, CARD_PATH: Code.CARD_INVALID}
        self._findings.add(codes.get(path, Code.LOCK_UNREADABLE), f"It has more than {most:,} bytes.", path)

    def _read(self, path: str, data: bytes) -> None:
        self._sources += 1
        top = path.partition("/")[0].removesuffix(".py")
        if top in sys.stdlib_module_names and (f"{top}.py" == path or path.endswith("/__init__.py")):
            self._findings.add(Code.MODULE_SHADOWS, f"{top!r} is a module of the standard library.", path)
        if (uses := read_source(path, data, self._findings)) is not None:
            self._modules[path] = uses


def _manifest_of(file: BinaryIO, entry: Entry | None) -> Manifest | None:
    try:
        return read_manifest(b"".join(unpacked(file, entry)), Findings()) if entry else None
    except DamagedError:
        return None


def _counted(pieces: Iterable[bytes], kept: bytearray, most: int) -> Iterator[bytes]:
    """All pieces; at most so many bytes of them are kept besides."""
    for piece in pieces:
        kept += piece[: most - len(kept)]
        yield piece


def _texts(pieces: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """The content as texts of whole lines, with the number of their first; a very long line comes in parts."""
    waiting, line = bytearray(), 1
    for piece in pieces:
        waiting += piece
        if len(waiting) < CHUNK_BYTES:
            continue
        cut = waiting.rfind(b"\n") + 1
        text, left = (waiting[:cut], waiting[cut:]) if cut else (waiting, waiting[-OVERLAP_CHARS:])
        yield line, _decoded(text)
        line += text.count(b"\n")
        waiting = left
    yield line, _decoded(waiting)


def _decoded(data: bytes | bytearray) -> str:
    """As text; what is ASCII in it can be read also when it is written in UTF-16."""
    return data.replace(b"\0", b"").decode("utf-8", "replace")
