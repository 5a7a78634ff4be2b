"""Files that are becoming blobs: written piece by piece, then kept under their digest or thrown away."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from windtunnel.packages.blobs import Blob

BLOB_MODE, DIRECTORY_MODE = 0o444, 0o700


class DraftFile:
    """A draft in a directory; its steps are done in one thread, one after the other."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = sha256()
        self._begun = False
        self._path: Path
        self._file: BinaryIO

    def begin(self, directory: Path) -> None:
        """Make the file, and the directory where it is missing."""
        directory.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
        self._path = directory / secrets.token_hex(16)
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._begun = True

    def write(self, data: bytes) -> None:
        """Append to it."""
        self._digest.update(data)
        self._file.write(data)
        self.size += len(data)

    def finish(self) -> Blob:
        """The blob that it can become: all of it is safe on disk now."""
        self._file.flush()
        os.fchmod(self._file.fileno(), BLOB_MODE)
        os.fsync(self._file.fileno())
        return Blob(self._digest.hexdigest(), self.size)

    def open(self) -> BinaryIO:
        """Its bytes, for whoever wants to look before it is kept."""
        return self._path.open("rb")

    def keep(self, place: Callable[[str], Path]) -> None:
        """Make it the blob of its digest. The same bytes replace themselves, which also heals what was damaged."""
        target = place(self._digest.hexdigest())
        for directory in (target.parent.parent, target.parent):
            if not directory.exists():
                directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
                _sync(directory.parent)
        self._path.replace(target)
        _sync(target.parent)

    def discard(self) -> None:
        """Throw it away; a blob stays one."""
        if self._begun:
            with suppress(OSError):  # of what a full disk did not take
                self._file.close()
            self._path.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    """A name is safe once its directory is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
