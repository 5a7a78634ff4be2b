"""The SQLite file and its directory: made for ourselves alone. What was there before keeps its rights."""

import os
from contextlib import suppress
from pathlib import Path

from windtunnel.storage.unreachable import UnreachableError, unreachable_sqlite


def make_directory(directory: Path) -> None:
    """Make a missing directory. Raises UnreachableError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnreachableError(str(directory), f"the directory cannot be made: {error.strerror}") from None


def make_file(path: Path) -> None:
    """Make a missing file, with its directory; SQLite's files beside it get its rights. Raises UnreachableError."""
    make_directory(path.parent)
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise unreachable_sqlite(str(path), error) from None
