"""Claiming what is to be done and beginning it, again and again: what the worker and the deliverer have in common."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from windtunnel.domain.errors import UnavailableError
from windtunnel.streams.hub import Hub
from windtunnel.streams.listener import Listener

LOOK_EVERY_S = 1.0
PAUSE_S = 0.2
PAUSE_MAX_S = 5.0

log = structlog.get_logger()


class Claiming:
    """Calls `begin` until it finds nothing to do (False), then waits for the bell of `channel`, or LOOK_EVERY_S.

    It outlives outages: after a failure, of which the log says `trouble`, it waits longer each time.
    """

    def __init__(self, hub: Hub, channel: str, begin: Callable[[], Awaitable[bool]], *, trouble: str) -> None:
        self._hub = hub
        self._channel = channel
        self._begin = begin
        self._trouble = trouble
        self._defect = f"{trouble} because of a defect"
        self._stopping = False
        self._bell: Listener[Any] | None = None
        self._task = asyncio.create_task(self._run(), name=f"claiming {channel}")

    def look(self) -> None:
        """Look again now: a hand is free, or it is time to stop."""
        if self._bell is not None:
            self._bell.ring()

    async def stop(self, under_way: Iterable[asyncio.Task[None]] = (), *, timeout_s: float) -> None:
        """Begin nothing more, and leave no task behind; let what is `under_way` end, too, while waiting."""
        self._stopping = True
        self.look()
        # Not cancelled unless they must be: what is being claimed would stay claimed for a while.
        await asyncio.wait([self._task, *under_way], timeout=timeout_s)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        pause = PAUSE_S
        async with self._hub.bell(self._channel) as bell:
            self._bell = bell
            while not self._stopping:
                try:
                    begun = await self._begin()
                    pause = PAUSE_S
                except UnavailableError as error:
                    log.warning(self._trouble, reason=error.message)
                except Exception:
                    log.exception(self._defect)
                else:
                    if not begun:
                        await _rest(bell, LOOK_EVERY_S)
                    continue
                await _rest(bell, pause * random.uniform(0.5, 1.5))
                pause = min(2 * pause, PAUSE_MAX_S)


async def _rest(bell: Listener[Any], seconds: float) -> None:
    """Wait until there is work, a hand is free, it is time to stop, or the time has passed."""
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
