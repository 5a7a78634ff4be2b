"""Whose turn it is: a few at once, fewer of each tenant, and round robin among tenants that wait."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from windtunnel.storage.errors import too_busy_after_a_while

Waiting = asyncio.Future[None]


class Turns:
    """At most `total` turns at once, at most `each` of one tenant. Remembers only tenants that have or want one."""

    def __init__(self, total: int, each: int) -> None:
        self._free = total
        self._each = each
        self._held: Counter[str] = Counter()
        self._queues: OrderedDict[str, deque[Waiting]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, tenant: str, within_s: float) -> AsyncIterator[None]:
        """Have a turn of the tenant's. Raises UnavailableError when none came within so many seconds."""
        with too_busy_after_a_while():
            async with asyncio.timeout(within_s):
                await self._wait(tenant)
        try:
            yield
        finally:
            self._give_back(tenant)

    async def _wait(self, tenant: str) -> None:
        # Tenants that wait while there are free turns have as many as they may: nobody is overtaken here.
        if self._free and self._may(tenant):
            self._take(tenant)
            return
        turn: Waiting = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(tenant, deque())
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(tenant, turn)
            else:  # it came at the same moment
                self._give_back(tenant)
            raise

    def _may(self, tenant: str) -> bool:
        return self._held[tenant] < self._each

    def _take(self, tenant: str) -> None:
        self._free -= 1
        self._held[tenant] += 1

    def _give_back(self, tenant: str) -> None:
        self._free += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        self._pass_on()

    def _pass_on(self) -> None:
        """Give free turns to those who wait for longest, of the tenant that was served longest ago."""
        while self._free:
            tenant = next((tenant for tenant in self._queues if self._may(tenant)), None)
            if tenant is None:
                return
            queue = self._queues[tenant]
            turn = queue.popleft()
            if queue:
                self._queues.move_to_end(tenant)
            else:
                del self._queues[tenant]
            if not turn.done():
                self._take(tenant)
                turn.set_result(None)

    def _leave(self, tenant: str, turn: Waiting) -> None:
        queue = self._queues.get(tenant)
        if queue is None or turn not in queue:  # it was skipped
            return
        queue.remove(turn)
        if not queue:
            del self._queues[tenant]
