"""Directories of code that nobody trusts, removed whatever is in them."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

_CHARS_OF_NAME = 32
"""As much of a name as leaves room for more, however many bytes a character takes."""
_TRIES = 100
"""How often a directory may turn out to have something in it again."""


def remove(top: Path) -> None:
    """Remove the directory with all that is in it, if it is there, however deep it is and whatever its modes are.

    To be called when nothing runs in it any more; somebody else may be removing it, too. Raises OSError.
    """
    waiting = [top]
    again = _TRIES
    while waiting:
        directory = waiting.pop()
        with suppress(FileNotFoundError):
            directory.chmod(0o700)
            with os.scandir(directory) as found:
                entries = list(found)
            # directories are lifted to the top, so that no path gets too long
            taken = [_take(entry, _beside(top)) for entry in entries]
            waiting += [lifted for lifted in taken if lifted]
            try:
                directory.rmdir()
            except OSError as error:  # somebody else has just lifted something into it
                if error.errno != errno.ENOTEMPTY or not again:
                    raise
                again -= 1
                waiting.append(directory)


def _beside(top: Path) -> Path:
    """A name that nothing has: what lies there has names that others gave, or was left by who was killed here."""
    return top.with_name(f"{top.name[:_CHARS_OF_NAME]}.{secrets.token_hex(16)}")


def _take(entry: "os.DirEntry[str]", lifted: Path) -> Path | None:
    """Take an entry out of its directory: a directory is moved, which is returned, anything else removed."""
    path = Path(entry.path)
    with suppress(FileNotFoundError):
        if entry.is_dir(follow_symlinks=False):
            path.chmod(0o700)
            return path.rename(lifted)
        path.unlink()
    return None
