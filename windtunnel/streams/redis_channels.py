"""Channels of environments on a Redis-protocol server: each environment is a user of it, who may use these alone."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_namespace
from windtunnel.streams.bus import Bus, open_environment_bus, prefix_of
from windtunnel.streams.supervised_redis import CONNECT_TIMEOUT_S, RedisLogin

USER = "windtunnel-env-"
"""What the names of users begin with; the namespace follows."""

_MAY = ("-@all", "+publish", "+subscribe", "+unsubscribe", "+ping")
_NAMED = re.compile(rf"{USER}([0-9a-f]{{16}})", re.ASCII)

log = structlog.get_logger()


class RedisChannels:
    """Where the server lets us make users; where it does not, names alone keep the environments' channels apart.

    A server forgets its users when it ends, unless it keeps them in a file: who finds one missing makes it anew.
    `installation` marks the users that are ours among those of others, who share the server.
    """

    def __init__(self, url: str, bus: Bus, installation: str) -> None:
        self._url = url
        self._bus = bus
        self._mark = f"~windtunnel:of:{installation}"  # a pattern of keys, for users who may use no keys
        self._server = Redis.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 1),  # a connection may have died since it was last used
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=CONNECT_TIMEOUT_S,
        )
        self._has_users: bool | None = None

    async def look(self) -> None:
        """See whether the server lets us make users; when it does not answer, it is asked again once it is needed."""
        try:
            await self._lets_us()
        except UnavailableError as error:
            log.warning("environments: the bus server cannot be asked for users yet", reason=str(error))

    async def close(self) -> None:
        """Leave the server; what is open of environments stays so."""
        await self._server.aclose()

    def locator(self, namespace: str) -> str:
        """As `EnvironmentChannels.locator`."""
        channels = f"channels {prefix_of(namespace)}*"
        if self._has_users is False:
            return f"{channels}, kept apart by name alone: the server lets us make no users"
        return f"{channels} and user {USER}{namespace}"

    async def create(self, key: EnvironmentKey) -> None:
        """As `EnvironmentChannels.create`."""
        if await self._lets_us():
            await self._make(key)

    async def open(self, key: EnvironmentKey) -> Bus:
        """As `EnvironmentChannels.open`; the server may be down."""
        try:
            if not await self._lets_us():
                return self._bus.within(key.namespace)
            if not await self.exists(key.namespace):
                await self._make(key)
        except UnavailableError as error:
            log.debug("the bus server cannot be asked for a user", reason=str(error))
        login = RedisLogin(f"{USER}{key.namespace}", key.password)
        return await open_environment_bus(self._url, key.namespace, login, self._bus)

    async def remove(self, namespace: str) -> None:
        """As `EnvironmentChannels.remove`: the server ends the connections of a user that it forgets."""
        if await self._lets_us():
            await self._told("DELUSER", f"{USER}{namespace}")

    async def exists(self, namespace: str) -> bool:
        """As `EnvironmentChannels.exists`."""
        return await self._lets_us() and await self._told("GETUSER", f"{USER}{namespace}") is not None

    async def all(self) -> Sequence[str]:
        """As `EnvironmentChannels.all`: those that were made for this database."""
        if not await self._lets_us():
            return ()
        # Each as the line of a file: user NAME on #DIGEST ~KEYS &CHANNELS -@all +publish ...
        lines = [line.split() for line in await self._told("LIST")]
        named = [_NAMED.fullmatch(words[1]) for words in lines if self._mark in words]
        return sorted(found[1] for found in named if found)

    async def _lets_us(self) -> bool:
        if self._has_users is None:
            nobody = new_namespace()
            try:
                await self._asked("SETUSER", f"{USER}{nobody}", *self._rules(EnvironmentKey(nobody)))
                await self._asked("DELUSER", f"{USER}{nobody}")
            except ResponseError as error:
                log.warning("environments share our user of the bus server: it lets us make none", reason=str(error))
                self._has_users = False
            else:
                self._has_users = True
        return self._has_users

    async def _make(self, key: EnvironmentKey) -> None:
        """The user as it should be, whatever it was; who is connected as it stays so."""
        await self._told("SETUSER", f"{USER}{key.namespace}", *self._rules(key))

    def _rules(self, key: EnvironmentKey) -> Sequence[str]:
        password = f"#{sha256(key.password.encode()).hexdigest()}"  # the server keeps no more than this either
        return ("reset", "on", password, self._mark, f"&{prefix_of(key.namespace)}*", *_MAY)

    async def _told(self, command: str, *arguments: str) -> Any:
        """What the server answers. Raises UnavailableError."""
        try:
            return await self._asked(command, *arguments)
        except ResponseError as error:
            raise UnavailableError(f"The bus server refuses to {command} a user ({error}).") from error

    async def _asked(self, command: str, *arguments: str) -> Any:
        """Raises UnavailableError when there is no answer, ResponseError when it is no."""
        try:
            return await self._server.execute_command(f"ACL {command}", *arguments)  # type: ignore[no-untyped-call]
        except ResponseError:
            raise
        except (RedisError, OSError) as error:
            raise UnavailableError(f"The bus server cannot be reached ({error}). Try again in a moment.") from error


@asynccontextmanager
async def opened_redis_channels(url: str, bus: Bus, installation: str) -> AsyncIterator[RedisChannels]:
    """Channels on the server at `url`, which `bus` is connected to and which may be down for now."""
    channels = RedisChannels(url, bus, installation)
    try:
        await channels.look()
        yield channels
    finally:
        await channels.close()
