"""The bus: a doorbell between processes. It may lose messages and says so; the log is the truth."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from broadcaster import Broadcast

from windtunnel.streams.statistics import Statistics
from windtunnel.streams.supervised_redis import ACK_TIMEOUT_S, RedisLogin, SupervisedRedis

PREFIX = "windtunnel:"


def prefix_of(namespace: str) -> str:
    """What the names of an environment's channels begin with."""
    return f"{PREFIX}env:{namespace}:"


class Bus:
    """Broadcaster over its memory backend, or over our supervised Redis backend."""

    def __init__(
        self,
        broadcast: Broadcast,
        redis: SupervisedRedis | None,
        statistics: Statistics,
        *,
        prefix: str = PREFIX,
        shared: bool = False,
    ) -> None:
        self.statistics = statistics
        self._prefix = prefix
        self._shared = shared
        self._broadcast = broadcast
        self._redis = redis

    @property
    def up(self) -> bool:
        """True while messages of other processes arrive."""
        return self._redis is None or self._redis.up.is_set()

    @property
    def trouble(self) -> str:
        """Why the server could not be reached last, in its driver's words."""
        return "" if self._redis is None else self._redis.trouble

    def within(self, namespace: str) -> "Bus":
        """The same bus for an environment: whatever its channels are called, nobody else's are among them."""
        return Bus(self._broadcast, self._redis, self.statistics, prefix=prefix_of(namespace), shared=True)

    async def publish(self, channel: str, payload: str) -> None:
        """Ring: never raises, never waits for a server."""
        await self._broadcast.publish(self._prefix + channel, payload)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
        """Gives a function that waits for the channel's next message, a RESET perhaps.

        One subscription per channel at a time, and not cancelled while it begins: `Hub` sees to both.
        """
        async with self._broadcast.subscribe(self._prefix + channel) as subscriber:

            async def next_message() -> str:
                return (await subscriber.get()).message

            yield next_message

    async def close(self) -> None:
        """Send what waits, disconnect, and leave no task behind; what it is `within` stays connected."""
        if self._shared:
            return
        listener = self._broadcast._listener_task  # noqa: SLF001 (broadcaster cancels it and never waits for it)
        await self._broadcast.disconnect()
        await asyncio.wait([listener])


async def open_bus(url: str | None) -> Bus:
    """The in-process bus, or with `url` the one of a Redis-protocol server, which may be down for now."""
    statistics = Statistics()
    if url is not None:
        return await _connected(SupervisedRedis(url, statistics), PREFIX)
    broadcast = Broadcast("memory://")
    await broadcast.connect()
    return Bus(broadcast, None, statistics)


async def open_environment_bus(url: str, namespace: str, login: RedisLogin, home: Bus) -> Bus:
    """A bus with connections of its own, for an environment's channels alone; it counts in the statistics of `home`.

    While the server of `home` is known to be down, nobody waits for it.
    """
    patience_s = ACK_TIMEOUT_S if home.up else 0.0
    return await _connected(SupervisedRedis(url, home.statistics, login, patience_s), prefix_of(namespace))


async def _connected(redis: SupervisedRedis, prefix: str) -> Bus:
    broadcast = Broadcast(backend=redis)
    await broadcast.connect()
    return Bus(broadcast, redis, redis.statistics, prefix=prefix)
