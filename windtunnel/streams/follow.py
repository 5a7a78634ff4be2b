"""Following a log without gap or repeat: listen first, replay what is stored, then live; what is lost is read again."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Generic

from windtunnel.streams.channel import PAGE, is_final
from windtunnel.streams.hub import Hub
from windtunnel.streams.listener import Listener
from windtunnel.streams.log import Log, T
from windtunnel.streams.statistics import Statistics


async def follow(hub: Hub, log: Log[T], after: int, ends: Callable[[T], bool]) -> AsyncGenerator[T]:
    """Every item numbered above `after`, each once and in order, up to and with the first for which `ends` is true.

    Raises whatever the first reads of the log raise, later only what is final: while the log cannot be read for a
    time, the stream waits. Raises UnavailableError when the hub closes. Close it (`aclose`) to release everything.
    """
    async with hub.join(log) as listener:
        follower = _Follower(log, listener, after, hub.statistics)
        while True:
            for item in await follower.more():
                yield item
                if ends(item):
                    return


class _Follower(Generic[T]):
    """Where one follower stands in the log, and whether it is reading it or hearing what is new."""

    def __init__(self, log: Log[T], listener: Listener[T], after: int, statistics: Statistics) -> None:
        self._log = log
        self._listener = listener
        self._last = after
        self._statistics = statistics
        self._reading = True
        self._caught_up = False

    async def more(self) -> Sequence[T]:
        """The next items, at least one."""
        while True:
            if self._listener.behind:
                self._listener.start_over()
                self._reading = True
            items = await (self._page() if self._reading else self._heard())
            if items:
                self._last = items[-1].seq
                return items

    async def _page(self) -> Sequence[T]:
        try:
            page = await self._log.read(self._last, PAGE)
        except Exception as error:
            if not self._caught_up or is_final(error):
                raise
            self._statistics.failed_reads += 1
            self._reading = False  # the channel's poll tries again
            return ()
        if self._caught_up:
            self._statistics.reread += len(page)
        else:
            self._statistics.replayed += len(page)
        if len(page) < PAGE:
            self._reading = False
            self._caught_up = True
        return page

    async def _heard(self) -> Sequence[T]:
        batch = self._listener.take()
        if batch is None:
            await self._listener.wait(idle_at=self._last)
            return ()
        skipped = max(0, self._last + 1 - batch.items[0].seq)
        fresh = batch.items[skipped:] if skipped else batch.items
        if fresh and fresh[0].seq > self._last + 1:
            self._reading = True  # a gap: what is missing is in the log, and so is the rest
            self._listener.start_over()
            return ()
        if batch.live:
            self._statistics.live += len(fresh)
        else:
            self._statistics.reread += len(fresh)
        return fresh
