"""The environments that this process has open: the database and the channels of each, for whoever works in it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog

from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.errors import UnavailableError
from windtunnel.storage.environment_databases import EnvironmentDatabases
from windtunnel.storage.store import Store
from windtunnel.streams.bus import Bus
from windtunnel.streams.environment_channels import EnvironmentChannels
from windtunnel.streams.hub import Hub

IDLE_MAX = 16
"""How many stay open although nobody works in them."""
IDLE_S = 30.0
"""How long."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """What is open of an environment."""

    store: Store
    hub: Hub


@dataclass(slots=True, eq=False)
class _Place:
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened: Opened | None = None
    bus: Bus | None = None
    users: int = 0
    idle_since: float = 0.0
    closed: bool = False


class OpenPlaces:
    """Opens an environment for the first who needs it, and closes it some time after the last."""

    def __init__(
        self,
        home: Store,
        databases: EnvironmentDatabases,
        channels: EnvironmentChannels,
        *,
        idle_max: int = IDLE_MAX,
        idle_s: float = IDLE_S,
    ) -> None:
        self._home = home
        self.databases = databases
        self.channels = channels
        self._idle_max = idle_max
        self._idle_s = idle_s
        self._places: dict[str, _Place] = {}  # who was asked for last is last
        self._closings: dict[asyncio.Task[None], str] = {}
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def opened(self, key: EnvironmentKey) -> AsyncIterator[Opened]:
        """The environment's database and channels. Raises UnavailableError."""
        place = self._places.pop(key.namespace, None) or _Place()
        self._places[key.namespace] = place
        place.users += 1
        try:
            async with place.opening:
                if place.closed:
                    raise UnavailableError("The environment was closed just now. Try again in a moment.")
                if place.opened is None:
                    place.opened = await self._open(place, key)
            yield place.opened
        finally:
            self._leave(key.namespace, place)

    def hold(self, namespace: str) -> Callable[[], None]:
        """Inside of `opened`: keep the environment open for a job that goes on, until the returned is called."""
        place = self._places.get(namespace)
        if place is None:  # it was closed for good meanwhile, and the job will find out
            return _nothing
        place.users += 1

        def let_go() -> None:
            self._leave(namespace, place)

        return let_go

    async def close(self, namespace: str | None = None) -> None:
        """Close an environment, or all: whoever still works in it fails with UnavailableError, or is sent away."""
        for name in [namespace] if namespace else list(self._places):
            self._begin_closing(name)
        if namespace is None and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while under_way := [task for task, name in self._closings.items() if namespace in {None, name}]:
            await asyncio.wait(under_way)

    async def _open(self, place: _Place, key: EnvironmentKey) -> Opened:
        try:
            return await self._open_both(place, key)
        except UnavailableError as error:  # where a server or a file is, is nothing for whoever asked
            log.warning("environment not opened", namespace=key.namespace, reason=error.message)
            raise UnavailableError("The environment cannot be opened right now. Try again in a moment.") from error

    async def _open_both(self, place: _Place, key: EnvironmentKey) -> Opened:
        store = await self.databases.open(key)
        store.follow_clock_of(self._home)
        try:
            place.bus = await self.channels.open(key)
            await self._take_back(key)
        except BaseException:
            if place.bus is not None:
                await place.bus.close()
                place.bus = None
            await store.close()
            raise
        return Opened(store, Hub(place.bus))

    async def _take_back(self, key: EnvironmentKey) -> None:
        """Raise UnavailableError when the environment was taken away meanwhile, its database first.

        Channels that were made anew for whoever opens it would stay.
        """
        if not await self.databases.exists(key.namespace):
            await self.channels.remove(key.namespace)
            raise UnavailableError("The environment has ended.")

    def _leave(self, namespace: str, place: _Place) -> None:
        place.users -= 1
        if place.users or self._places.get(namespace) is not place:
            return
        if place.opened is None:
            del self._places[namespace]
            return
        place.idle_since = asyncio.get_running_loop().time()
        self._close_idle()

    def _close_idle(self) -> None:
        """Close those that are too many or have been idle for too long; look again when the next one has."""
        loop = asyncio.get_running_loop()
        idle = [(name, place.idle_since + self._idle_s) for name, place in self._places.items() if not place.users]
        for number, (name, due) in enumerate(idle, 1):
            if number <= len(idle) - self._idle_max or due <= loop.time():
                self._begin_closing(name)
        if self._timer is not None:
            self._timer.cancel()
        dues = [due for name, due in idle if name in self._places]
        self._timer = loop.call_at(min(dues), self._close_idle) if dues else None

    def _begin_closing(self, namespace: str) -> None:
        """In a task of its own: who leaves last neither waits for it nor cuts it off."""
        place = self._places.pop(namespace, None)
        if place is None:
            return
        place.closed = True
        task = asyncio.create_task(_close(place), name=f"close environment {namespace}")
        self._closings[task] = namespace
        task.add_done_callback(self._closings.pop)


def _nothing() -> None:
    """There is nothing to let go of."""


async def _close(place: _Place) -> None:
    async with place.opening, AsyncExitStack() as ends:
        if place.bus is not None:
            ends.push_async_callback(place.bus.close)
        if place.opened is not None:
            ends.push_async_callback(place.opened.store.close)
            ends.push_async_callback(place.opened.hub.close)
