"""One follower's place at a channel: a bounded buffer that is given up, never silently, when its client is slow."""

import asyncio
from collections import deque
from typing import Generic

from windtunnel.domain.errors import UnavailableError
from windtunnel.streams.log import Batch, T
from windtunnel.streams.statistics import Statistics


class Listener(Generic[T]):
    """Batches for one follower. `behind`: the buffer was given up, the follower must read the log.

    `idle_at` is the number of the follower's last item while it waits for more, else None: who waits is served by
    the channel's shared poll, who is busy will come round.
    """

    def __init__(self, buffer_items: int, statistics: Statistics) -> None:
        self.behind = False
        self.idle_at: int | None = None
        self._limit = buffer_items
        self._statistics = statistics
        self._batches: deque[Batch[T]] = deque()
        self._size = 0
        self._woken = asyncio.Event()
        self._closed = False

    def offer(self, batch: Batch[T]) -> None:
        """Add a batch; one that does not fit (beside others) makes the follower read the log instead."""
        if self.behind:
            return
        if self._batches and self._size + len(batch.items) > self._limit:
            self._statistics.lagged += 1
            self.fall_behind()
            return
        self._batches.append(batch)
        self._size += len(batch.items)
        self._woken.set()

    def fall_behind(self) -> None:
        """Give the buffer up: what it held, and what was lost, is in the log."""
        self.start_over()
        self.behind = True
        self._woken.set()

    def start_over(self) -> None:
        """Empty the buffer: the follower is about to read the log, which has it all."""
        self.behind = False
        self._batches.clear()
        self._size = 0

    def take(self) -> Batch[T] | None:
        """The next batch, or None when there is none."""
        if not self._batches:
            return None
        batch = self._batches.popleft()
        self._size -= len(batch.items)
        return batch

    def ring(self) -> None:
        """Wake who waits, without anything to tell."""
        self._woken.set()

    def close(self) -> None:
        """The hub is closing: whoever waits, or comes to wait, is told so."""
        self._closed = True
        self._woken.set()

    async def wait(self, idle_at: int | None = None) -> None:
        """Wait for a batch or a ring. Raises UnavailableError when the hub is closing."""
        if not self._batches and not self.behind:
            self.idle_at = idle_at
            try:
                await self._woken.wait()
            finally:
                self.idle_at = None
        self._woken.clear()
        if self._closed:
            raise UnavailableError("This server is shutting down. Connect again and go on after the last event.")
