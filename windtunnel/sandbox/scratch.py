"""Directories of code that nobody trusts, removed whatever is in them."""

import os
from itertools import count
from pathlib import Path


def remove(top: Path) -> None:
    """Remove the directory with all that is in it, if it is there, however deep it is and whatever its modes are.

    To be called when nothing runs in it any more. Raises OSError.
    """
    numbers = count()
    waiting = [top]
    while waiting:
        directory = waiting.pop()
        try:
            directory.chmod(0o700)
        except FileNotFoundError:
            continue
        with os.scandir(directory) as found:
            entries = list(found)
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                path.chmod(0o700)
                # lifted to the top, so that no path gets too long
                waiting.append(path.rename(top.with_name(f"{top.name}.{next(numbers)}")))
            else:
                path.unlink()
        directory.rmdir()
