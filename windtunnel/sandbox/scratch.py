"""Directories of code that nobody trusts, removed whatever is in them."""

import os
from contextlib import suppress
from itertools import count
from pathlib import Path


def remove(top: Path) -> None:
    """Remove the directory with all that is in it, if it is there, however deep it is and whatever its modes are.

    To be called when nothing runs in it any more; somebody else may be removing it, too. Raises OSError.
    """
    numbers = count()
    waiting = [top]
    while waiting:
        directory = waiting.pop()
        with suppress(FileNotFoundError):
            directory.chmod(0o700)
            with os.scandir(directory) as found:
                entries = list(found)
            # directories are lifted to the top, so that no path gets too long
            taken = [_take(entry, top.with_name(f"{top.name}.{next(numbers)}")) for entry in entries]
            waiting += [lifted for lifted in taken if lifted]
            directory.rmdir()


def _take(entry: "os.DirEntry[str]", lifted: Path) -> Path | None:
    """Take an entry out of its directory: a directory is moved, which is returned, anything else removed."""
    path = Path(entry.path)
    with suppress(FileNotFoundError):
        if entry.is_dir(follow_symlinks=False):
            path.chmod(0o700)
            return path.rename(lifted)
        path.unlink()
    return None
