"""A hand of a crew: a process that does one piece of work at a time, and can be ended in the middle of it."""

import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TypeVar

T = TypeVar("T")

NICENESS = 10
"""Answering people comes first."""
MEMORY_MAX_BYTES = 4 * 1024**3
"""More than any experiment needs that is allowed: the whole machine shall not suffer from one that is not."""


class Hand:
    """Starts its process when it is first given work. To be dropped once that process has died."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)

    def do(self, function: Callable[..., T], *arguments: object) -> "Future[T]":
        """Have it done. BrokenProcessPool, here or in the future: the process has died."""
        return self._pool.submit(function, *arguments)

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        for process in list((self._pool._processes or {}).values()):  # noqa: SLF001 - it has no other way to end now
            with suppress(OSError, ValueError):
                process.kill()

    def drop(self, *, wait: bool) -> None:
        """Let go of what is left of it; it ends on its own."""
        self._pool.shutdown(wait=wait, cancel_futures=True)


def _begin() -> None:
    """In the process, before anything else."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is a matter of who started it
    with suppress(OSError):
        os.nice(NICENESS)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()


def end_with_parent() -> None:
    """Wait for the process that started this one to end, and end then. For a thread of its own."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
