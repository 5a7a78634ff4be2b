"""One channel in one process: its bus subscription, everyone who listens to it, and their shared poll of the log."""

import asyncio
from typing import Generic

import structlog

from windtunnel.domain.errors import UnavailableError, WindtunnelError
from windtunnel.streams.bus import Bus
from windtunnel.streams.listener import Listener
from windtunnel.streams.log import RESET, Batch, Log, T

PAGE = 500
POLL_S = 1.0
POLL_WHILE_DOWN_S = 0.1

log = structlog.get_logger()


def is_final(error: Exception) -> bool:
    """True for a read that fails for good, e.g. because the log was deleted; others are worth another try."""
    return isinstance(error, WindtunnelError) and not isinstance(error, UnavailableError)


class Channel(Generic[T]):
    """Two tasks: one hands on what the bus brings, decoded once; one reads the log for whoever waits.

    A channel without a `source` is a mere bell. `ready` is set once the bus subscription stands.
    """

    def __init__(self, bus: Bus, name: str, source: Log[T] | None) -> None:
        self.name = name
        self.listeners: set[Listener[T]] = set()
        self.ready = asyncio.Event()
        self.gone = asyncio.Event()
        self.closing = False
        self._bus = bus
        self._source = source
        self._poll_now = asyncio.Event()
        self._heard_at = float("-inf")
        self._tasks = [asyncio.create_task(self._hear(), name=f"hear {name}")]
        if source is not None:
            self._tasks.append(asyncio.create_task(self._poll(source), name=f"poll {name}"))

    async def close(self) -> None:
        """Leave the bus and leave no task behind."""
        await self.ready.wait()  # broadcaster cannot bear a subscription that is cancelled while it begins
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _hear(self) -> None:
        try:
            async with self._bus.subscribe(self.name) as next_message:
                self.ready.set()
                while True:
                    self._tell(await next_message())
        finally:
            self.ready.set()

    def _tell(self, message: str) -> None:
        if self._source is None:
            for listener in self.listeners:
                listener.ring()
            return
        items = self._decoded(self._source, message)
        if items is None:
            self._reread()
            return
        self._heard_at = asyncio.get_running_loop().time()
        for listener in self.listeners:
            listener.offer(items)

    def _decoded(self, source: Log[T], message: str) -> Batch[T] | None:
        """The items of a message; None when it carries none, or cannot be read."""
        if message == RESET:
            return None
        try:
            items = source.decode(message)
        except (ValueError, TypeError, KeyError) as error:
            log.warning("doorbell not understood", channel=self.name, reason=str(error))
            return None
        return Batch(items, live=True) if items else None

    def _reread(self) -> None:
        """Something may have been missed: one read serves all who wait, the busy ones read for themselves."""
        for listener in self.listeners:
            if listener.idle_at is None:
                listener.fall_behind()
        self._poll_now.set()

    async def _poll(self, source: Log[T]) -> None:
        while True:
            await self._due()
            idle = [listener.idle_at for listener in self.listeners if listener.idle_at is not None]
            if idle:
                await self._serve(source, min(idle))

    async def _due(self) -> None:
        """Wait until the log should be read: asked for, or the bus was silent for a while."""
        clock = asyncio.get_running_loop().time
        start = clock()
        while True:
            # Only silence is suspicious: a message lost before one that came is a gap that the followers see.
            due = max(start, self._heard_at) + POLL_S if self._bus.up else start + POLL_WHILE_DOWN_S
            if due <= clock():
                return
            try:
                async with asyncio.timeout_at(due):
                    await self._poll_now.wait()
            except TimeoutError:
                continue
            self._poll_now.clear()
            return

    async def _serve(self, source: Log[T], after: int) -> None:
        try:
            items = await source.read(after, PAGE)
        except Exception as error:  # noqa: BLE001 (whatever storage raises while it is down: the next poll tries again)
            if is_final(error):
                self._tell_idle(None)
            else:
                self._bus.statistics.failed_reads += 1
            return
        if items:
            self._tell_idle(Batch(items, live=False))
        if len(items) == PAGE:
            self._poll_now.set()

    def _tell_idle(self, batch: Batch[T] | None) -> None:
        for listener in self.listeners:
            if listener.idle_at is None:
                continue
            if batch is None:
                listener.fall_behind()
            else:
                listener.offer(batch)
