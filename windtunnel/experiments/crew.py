"""A crew: processes that do the parts of experiments, so that whoever asks for them can go on answering others."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TypeVar

T = TypeVar("T")

TRIES = 3
NICENESS = 10
"""Answering people comes first."""


class CrewError(Exception):
    """A piece of work could not be done: it failed, or processes died at it again and again."""


class Crew:
    """At most `width` processes (default: one for each core), started when first needed. To be closed in the end.

    One that dies is replaced, and what it was doing is done again. None outlives the process that started it.
    """

    def __init__(self, width: int | None = None) -> None:
        self._width = width or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None
        self._closed = 0

    @property
    def width(self) -> int:
        """How many pieces of work are done at a time."""
        return self._width

    async def anywhere(self, function: Callable[..., T], *arguments: object) -> T:
        """As `run`, for work that may be done on other machines, where there are some."""
        return await self.run(function, *arguments)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """What the function, of some module, returns in one of the processes. Raises CrewError.

        Cancelled, it is not begun any more; what is under way comes to its end without anybody waiting for it.
        """
        loop, closed = asyncio.get_running_loop(), self._closed
        for _ in range(TRIES):
            pool = self._opened()
            try:
                return await loop.run_in_executor(pool, done_or_told, function, arguments)
            except BrokenProcessPool:
                if closed != self._closed:
                    raise CrewError("The crew was sent home.") from None
                if self._pool is pool:
                    self._pool = None
                    pool.shutdown(wait=False, cancel_futures=True)
        raise CrewError("Processes that did a part of the experiment came to a sudden end, again and again.")

    def close(self) -> None:
        """End the processes at once; they are started again for whoever asks afterwards."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        self._closed += 1
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - they have no other way to end now
            with suppress(OSError, ValueError):
                process.kill()
        pool.shutdown(wait=True, cancel_futures=True)

    def _opened(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._width, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
            )
        return self._pool


def done_or_told(function: Callable[..., T], arguments: tuple[object, ...]) -> T:
    """What the function returns. Raises CrewError for whatever it raises."""
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 (whatever it is)
        # Not every exception survives the way between processes.
        raise CrewError(f"{type(error).__name__}: {error}") from None


def _begin() -> None:
    """In each of the processes, before anything else."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is a matter of who started it
    with suppress(OSError):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
