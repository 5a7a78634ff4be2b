"""One server at a time on an SQLite file: a lock beside it, which ends with the process however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from windtunnel.storage.files import make_directory
from windtunnel.storage.unreachable import unreachable_sqlite


class ServedElsewhereError(Exception):
    """Another process serves this file; `process` is its number, None when it cannot be told."""

    def __init__(self, process: int | None) -> None:
        super().__init__(f"served by process {process}")
        self.process = process


@contextmanager
def served_alone(path: Path) -> Iterator[None]:
    """Let no other process serve the SQLite file at `path`; commands may still use it.

    The kernel lets go of the lock when the process dies, so the file of the lock stays: only who holds it counts.
    Raises ServedElsewhereError, and UnreachableError when there can be no lock.
    """
    real = Path(os.path.realpath(path))
    lock = real.with_name(f"{real.name}.lock")
    make_directory(real.parent)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unreachable_sqlite(str(lock), error) from None
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = file.read(20).strip()
            raise ServedElsewhereError(int(told) if told.isdecimal() else None) from None
        except OSError as error:
            raise unreachable_sqlite(str(lock), error) from None
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
