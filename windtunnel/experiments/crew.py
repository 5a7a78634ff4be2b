"""A crew: processes that do the parts of experiments, so that whoever asks for them can go on answering others."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from windtunnel.experiments.hand import Hand

T = TypeVar("T")

TRIES = 3
GRACE_S = 1.0
"""What nobody waits for any more has so long to end on its own: then its process is ended."""


class CrewError(Exception):
    """A piece of work could not be done: it failed, or processes died at it again and again."""


class ExhaustedError(CrewError):
    """A piece of work took more memory than there is for it, or more than once its processes came to a sudden end."""


class Crew:
    """At most `width` processes (default: one for each core), each started when first needed. To be closed in the end.

    Whoever asks first is served first. One that dies is replaced, and what it was doing, and only that, is done again.
    None outlives the process that started it.
    """

    def __init__(self, width: int | None = None) -> None:
        self._width = width or len(os.sched_getaffinity(0))
        self._lock = threading.RLock()
        self._hands: set[Hand] = set()
        self._idle: list[Hand] = []
        self._waiting: deque[asyncio.Future[Hand]] = deque()
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

        Cancelled, it is not begun any more; what is under way has GRACE_S to end, and then its process is ended.
        """
        closed = self._closed
        for _ in range(TRIES):
            hand = await self._free()
            try:
                under_way = hand.do(done_or_told, function, arguments)
            except RuntimeError:  # while it had nothing to do, it died or was let go
                self._back(hand, usable=False)
                if closed != self._closed:
                    raise CrewError("The crew was sent home.") from None
                continue
            under_way.add_done_callback(partial(self._done, hand))
            try:
                return await asyncio.wrap_future(under_way)
            except BrokenProcessPool:
                if closed != self._closed:
                    raise CrewError("The crew was sent home.") from None
            except asyncio.CancelledError:
                asyncio.get_running_loop().call_later(GRACE_S, _end, hand, under_way)
                raise
        raise ExhaustedError("Processes that did a part of the experiment came to a sudden end, again and again.")

    def close(self) -> None:
        """End the processes at once; they are started again for whoever asks afterwards."""
        with self._lock:
            hands, self._hands, self._idle = self._hands, set(), []
            waiting, self._waiting = self._waiting, deque()
            self._closed += 1
        for waiter in waiting:
            _tell(waiter, _refuse, waiter)
        for hand in hands:
            hand.kill()
        for hand in hands:
            hand.drop(wait=True)

    async def _free(self) -> Hand:
        """A hand with nothing to do."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if len(self._hands) < self._width:
                return self._new()
            waiter: asyncio.Future[Hand] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:  # given just now
                self._back(waiter.result(), usable=True)
            with self._lock, suppress(ValueError):
                self._waiting.remove(waiter)
            raise

    def _new(self) -> Hand:
        hand = Hand()
        self._hands.add(hand)
        return hand

    def _done(self, hand: Hand, under_way: "Future[Any]") -> None:
        broken = not under_way.cancelled() and isinstance(under_way.exception(), BrokenProcessPool)
        self._back(hand, usable=not broken)

    def _back(self, hand: Hand, *, usable: bool) -> None:
        """A hand is free again, for whoever has waited longest; one that has died is replaced when there is need."""
        with self._lock:
            if hand not in self._hands:  # of a crew that was sent home
                return
            if not usable:
                self._hands.discard(hand)
                hand.drop(wait=False)
                if not self._waiting:
                    return
                hand = self._new()
            while self._waiting:
                waiter = self._waiting.popleft()
                if _tell(waiter, self._give, waiter, hand):
                    return
            self._idle.append(hand)

    def _give(self, waiter: asyncio.Future[Hand], hand: Hand) -> None:
        if waiter.done():  # cancelled meanwhile
            self._back(hand, usable=True)
        else:
            waiter.set_result(hand)


def done_or_told(function: Callable[..., T], arguments: tuple[object, ...]) -> T:
    """What the function returns. Raises CrewError for whatever it raises, ExhaustedError for want of memory."""
    try:
        return function(*arguments)
    except MemoryError:
        raise ExhaustedError("A part of the experiment takes more memory than a process may have.") from None
    except Exception as error:  # noqa: BLE001 (whatever it is)
        # Not every exception survives the way between processes.
        raise CrewError(f"{type(error).__name__}: {error}") from None


def _end(hand: Hand, under_way: "Future[Any]") -> None:
    if not under_way.done():
        hand.kill()


def _refuse(waiter: asyncio.Future[Hand]) -> None:
    if not waiter.done():
        waiter.set_exception(CrewError("The crew was sent home."))


def _tell(waiter: asyncio.Future[Hand], function: Callable[..., object], *arguments: object) -> bool:
    """From whatever thread; False when its loop is over."""
    try:
        waiter.get_loop().call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        return False
    return True
