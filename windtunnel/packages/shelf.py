"""Packages unpacked for use: each in a read-only directory named by its digest, which is there as a whole or not."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.unpacking import FILE_MODE, unpack_package

READ_ONLY_DIRECTORY = 0o555


class Shelf:
    """Unpacked packages below `directory`, whose own parent somebody else makes, and takes away with all of them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def place(self, digest: str) -> Path:
        """Where the files of the package are, or would be."""
        return self._directory / digest

    def put(self, file: BinaryIO, digest: str) -> Path:
        """Unpack the package in a seekable file, unless it is there; where it is.

        Killed in between, it leaves a draft beside it. Raises FileNotFoundError when nobody may put anything there any
        more, OSError, and what `unpack_package` raises.
        """
        place = self.place(digest)
        if place.is_dir():
            return place
        self._directory.mkdir(mode=0o755, exist_ok=True)
        draft = self._directory / f"{secrets.token_hex(8)}.draft"
        draft.mkdir(mode=0o755)
        try:
            unpack_package(file, draft)
            _seal(draft)
            os.rename(draft, place)  # noqa: PTH104 - one that fails when there is something
        except BaseException as error:
            _discard(draft)
            if isinstance(error, OSError) and error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                return place  # somebody else was sooner
            raise
        return place

    def is_whole(self, digest: str, manifest: Manifest) -> bool:
        """Whether every file is there, and none besides, as the manifest says."""
        place = self.place(digest)
        found = {path.relative_to(place).as_posix(): path for path in _files(place)}
        found.pop(MANIFEST_PATH, None)
        return found.keys() == manifest.files.keys() and all(
            _is(path, manifest.files[name].sha256) for name, path in found.items()
        )

    def discard(self, digest: str) -> None:
        """Take the package away, if it is there."""
        _discard(self.place(digest))


def _is(path: Path, sha256: str) -> bool:
    with path.open("rb") as file:
        return not path.is_symlink() and file_digest(file, "sha256").hexdigest() == sha256


def _files(top: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(top):
        yield from (Path(folder) / name for name in names)


def _seal(top: Path) -> None:
    """For everybody to read, for nobody to write, whatever the umask was."""
    for folder, _, names in os.walk(top, topdown=False):
        for name in names:
            Path(folder, name).chmod(FILE_MODE)
        Path(folder).chmod(READ_ONLY_DIRECTORY)


def _discard(top: Path) -> None:
    for folder, _, _ in os.walk(top):
        Path(folder).chmod(0o700)
    for folder, _, names in os.walk(top, topdown=False):
        for name in names:
            Path(folder, name).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            Path(folder).rmdir()
