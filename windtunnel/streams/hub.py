"""The hub of one process: one bus subscription per channel, however many clients follow it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from windtunnel.domain.errors import UnavailableError
from windtunnel.streams.bus import Bus
from windtunnel.streams.channel import Channel
from windtunnel.streams.listener import Listener
from windtunnel.streams.log import Log, T
from windtunnel.streams.statistics import Statistics

BUFFER_ITEMS = 1_024


class Hub:
    """Joins followers to channels; the first one opens a channel, the last one closes it."""

    def __init__(self, bus: Bus, buffer_items: int = BUFFER_ITEMS) -> None:
        self.bus = bus
        self._buffer_items = buffer_items
        self._channels: dict[str, Channel[Any]] = {}
        self._closings: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def statistics(self) -> Statistics:
        """Counters of this process since its start."""
        return self.bus.statistics

    @property
    def followers(self) -> int:
        """How many listen now, to all channels together."""
        return sum(len(channel.listeners) for channel in self._channels.values())

    @asynccontextmanager
    async def join(self, log: Log[T]) -> AsyncIterator[Listener[T]]:
        """Listen to a log's channel: once entered, nothing that is stored later goes unnoticed."""
        async with self._joined(log.channel, log) as listener:
            yield listener

    @asynccontextmanager
    async def bell(self, channel: str) -> AsyncIterator[Listener[Any]]:
        """Listen to a channel whose messages mean no more than that it rang (or may have)."""
        joined: AbstractAsyncContextManager[Listener[Any]] = self._joined(channel, None)
        async with joined as listener:
            yield listener

    async def close(self) -> None:
        """Send every follower away with UnavailableError, leave the bus, and leave no task behind."""
        self._closed = True
        for channel in list(self._channels.values()):
            for listener in channel.listeners:
                listener.close()
            self._begin_closing(channel)
        while self._closings:
            await asyncio.wait(self._closings)

    @asynccontextmanager
    async def _joined(self, name: str, log: Log[T] | None) -> AsyncIterator[Listener[T]]:
        channel = await self._channel(name, log)
        listener: Listener[T] = Listener(self._buffer_items, self.statistics)
        channel.listeners.add(listener)
        try:
            await channel.ready.wait()
            yield listener
        finally:
            channel.listeners.discard(listener)
            if not channel.listeners:
                # In a task of its own: a client that is torn away twice must not leave a half-closed channel.
                closing = self._begin_closing(channel)
                if closing is not None:
                    await asyncio.shield(closing)

    async def _channel(self, name: str, log: Log[T] | None) -> Channel[T]:
        """The open channel of that name. Without an await between look and entry, so that two cannot open it."""
        while (channel := self._channels.get(name)) is not None and channel.closing:
            await channel.gone.wait()
        if self._closed:
            raise UnavailableError("This server is shutting down. Connect again.")
        if channel is None:
            channel = self._channels[name] = Channel(self.bus, name, log)
        return channel

    def _begin_closing(self, channel: Channel[Any]) -> asyncio.Task[None] | None:
        if channel.closing:
            return None
        channel.closing = True
        task = asyncio.create_task(self._close(channel), name=f"close {channel.name}")
        self._closings.add(task)
        task.add_done_callback(self._closings.discard)
        return task

    async def _close(self, channel: Channel[Any]) -> None:
        try:
            await channel.close()
        finally:
            del self._channels[channel.name]
            channel.gone.set()
