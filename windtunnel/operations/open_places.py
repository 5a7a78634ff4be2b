"""The environments that this process has open: the database and the channels of each, for whoever works in it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from windtunnel.domain.environments import EnvironmentKey
from windtunnel.storage.environment_databases import EnvironmentDatabases
from windtunnel.storage.store import Store
from windtunnel.streams.bus import Bus
from windtunnel.streams.environment_channels import EnvironmentChannels
from windtunnel.streams.hub import Hub

IDLE_MAX = 16
"""How many stay open although nobody works in them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What is open of an environment."""

    store: Store
    hub: Hub


@dataclass(slots=True)
class _Place:
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    opened: Opened | None = None
    bus: Bus | None = None
    users: int = 0


class OpenPlaces:
    """Opens an environment for the first who needs it, and closes it some time after the last."""

    def __init__(
        self, home: Store, databases: EnvironmentDatabases, channels: EnvironmentChannels, idle: int = IDLE_MAX
    ) -> None:
        self._home = home
        self.databases = databases
        self.channels = channels
        self._idle = idle
        self._places: dict[str, _Place] = {}

    @asynccontextmanager
    async def opened(self, key: EnvironmentKey) -> AsyncIterator[Opened]:
        """The environment's database and channels. Raises UnavailableError."""
        place = self._places.pop(key.namespace, _Place())
        self._places[key.namespace] = place  # the last to be closed
        place.users += 1
        try:
            async with place.opening:
                if place.opened is None:
                    place.opened = await self._open(place, key)
            yield place.opened
        finally:
            place.users -= 1
            if place.opened is None and not place.users and self._places.get(key.namespace) is place:
                del self._places[key.namespace]
            await self._close_some()

    def hold(self, namespace: str) -> Callable[[], None]:
        """Inside of `opened`: keep the environment open for a job that goes on, until the returned is called."""
        place = self._places.get(namespace)
        if place is None:  # it was closed for good meanwhile, and the job will find out
            return _nothing
        place.users += 1

        def let_go() -> None:
            place.users -= 1

        return let_go

    async def close(self, namespace: str | None = None) -> None:
        """Close an environment, or all: whoever still works in it fails with UnavailableError, or is sent away."""
        for name in [namespace] if namespace else list(self._places):
            place = self._places.pop(name, None)
            if place is not None:
                await _close(place)

    async def _open(self, place: _Place, key: EnvironmentKey) -> Opened:
        store = await self.databases.open(key)
        store.follow_clock_of(self._home)
        try:
            place.bus = await self.channels.open(key)
        except BaseException:
            await store.close()
            raise
        return Opened(store, Hub(place.bus))

    async def _close_some(self) -> None:
        while len(idle := [name for name, place in self._places.items() if not place.users]) > self._idle:
            await self.close(idle[0])


def _nothing() -> None:
    """There is nothing to let go of."""


async def _close(place: _Place) -> None:
    async with place.opening:
        opened, place.opened = place.opened, None
        bus, place.bus = place.bus, None
    if opened is not None:
        await opened.hub.close()
        await opened.store.close()
    if bus is not None:
        await bus.close()
