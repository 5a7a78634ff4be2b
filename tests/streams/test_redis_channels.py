"""Channels of environments on a real server: each environment is a user, who reaches its own and nothing else."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError
from structlog.testing import capture_logs

from tests.servers import RedisServer
from tests.streams.notebook import Notebook, idle, others, read_until
from tests.waiting import until
from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_namespace
from windtunnel.streams.bus import Bus, open_bus
from windtunnel.streams.hub import Hub
from windtunnel.streams.redis_channels import RedisChannels, opened_redis_channels

MINE = "0123456789abcdef"


def new_key() -> EnvironmentKey:
    return EnvironmentKey(new_namespace(), secrets.token_hex(32))


@asynccontextmanager
async def process(url: str, installation: str = MINE) -> AsyncIterator[tuple[RedisChannels, Bus]]:
    """The bus of one process and its channels of environments; nothing may be left of them afterwards."""
    before = others()
    bus = await open_bus(url)
    try:
        async with opened_redis_channels(url, bus, installation) as channels:
            yield channels, bus
    finally:
        await bus.close()
        assert others() == before


@asynccontextmanager
async def server_of(url: str) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Says something to the server, as whoever the URL names."""
    client = Redis.from_url(url)
    try:
        yield client.execute_command
    finally:
        await client.aclose()


def as_user(url: str, key: EnvironmentKey) -> str:
    return url.replace("redis://", f"redis://windtunnel-env-{key.namespace}:{key.password}@")


async def test_users_are_made_and_removed(redis_server: RedisServer) -> None:
    async with process(redis_server.url) as (channels, _), server_of(redis_server.url) as say:
        before = await say("ACL LIST")
        one, other = new_key(), new_key()
        for _ in range(2):  # as after a half-done try
            await channels.create(one)
            await channels.create(other)
        assert await channels.all() == sorted([one.namespace, other.namespace])
        assert one.namespace in channels.locator(one.namespace)
        for _ in range(2):
            await channels.remove(one.namespace)
            assert not await channels.exists(one.namespace)
            assert await channels.exists(other.namespace)
        await channels.remove(other.namespace)
        assert await channels.all() == []
        assert await say("ACL LIST") == before


async def test_an_environment_may_use_its_channels_and_nothing_else(redis_server: RedisServer) -> None:
    async with process(redis_server.url) as (channels, _), server_of(redis_server.url) as say:
        key, neighbour = new_key(), new_key()
        await channels.create(key)
        await channels.create(neighbour)
        await say("SET", "production", "secret")
        own = f"windtunnel:env:{key.namespace}:"
        async with server_of(as_user(redis_server.url, key)) as say_inside:
            await say_inside("PUBLISH", f"{own}simulation", "hello")
            for forbidden in (
                ("PUBLISH", "windtunnel:simulations", "hello"),
                ("PUBLISH", f"windtunnel:env:{neighbour.namespace}:simulation", "hello"),
                ("SUBSCRIBE", "windtunnel:simulations"),
                ("SUBSCRIBE", f"windtunnel:env:{neighbour.namespace}:simulation"),
                ("PSUBSCRIBE", "*"),
                ("PSUBSCRIBE", f"{own}*"),
                ("GET", "production"),
                ("SET", f"{own}mine", "1"),
                ("SET", f"windtunnel:of:{MINE}", "1"),
                ("KEYS", "*"),
                ("PUBSUB", "CHANNELS"),
                ("CLIENT", "LIST"),
                ("CONFIG", "GET", "*"),
                ("ACL", "LIST"),
                ("ACL", "SETUSER", f"windtunnel-env-{key.namespace}", "allcommands"),
                ("EVAL", "return 1", "0"),
                ("MONITOR",),
                ("FLUSHALL",),
            ):
                with pytest.raises(NoPermissionError):
                    await say_inside(*forbidden)
        assert not any(key.password in str(line) for line in [*await say("ACL LIST"), *await say("SLOWLOG GET", "128")])


@pytest.mark.usefixtures("no_poll")
async def test_processes_hear_of_each_other_in_an_environment(redis_server: RedisServer) -> None:
    """Also one that shares the bus at home, because it may make no users."""
    async with process(redis_server.url) as (channels, bus), server_of(redis_server.url) as say:
        key = new_key()
        await channels.create(key)
        reading, writing = await channels.open(key), await channels.open(key)
        hub, notebook = Hub(reading), Notebook(writing)
        notebook_at_home = Notebook(bus.within(key.namespace))
        notebook_at_home.lines = notebook.lines
        outside = Hub(bus)
        readers = [asyncio.create_task(read_until(hub, notebook, 6)) for _ in range(3)]
        not_told = asyncio.create_task(read_until(outside, notebook, 6))
        await until(lambda: idle(hub) == 3 and idle(outside) == 1)
        await notebook.write(3)
        await notebook_at_home.write(3)
        assert await asyncio.gather(*readers) == [[1, 2, 3, 4, 5, 6]] * 3
        assert idle(outside) == 1  # its own channels have other names
        not_told.cancel()
        await asyncio.wait([not_told])
        assert await say("ACL LOG") == []  # nothing was tried that is not allowed
        for each in (hub, outside):
            await each.close()
        for opened in (reading, writing):
            await opened.close()


async def test_who_listens_is_cut_off_by_removal(redis_server: RedisServer) -> None:
    async with process(redis_server.url) as (channels, _):
        key = new_key()
        await channels.create(key)
        opened = await channels.open(key)
        assert opened.up
        with capture_logs() as logs:
            await channels.remove(key.namespace)
            await until(lambda: not opened.up)
        assert all(line["log_level"] == "debug" for line in logs)  # it is no outage
        async with server_of(as_user(redis_server.url, key)) as say_inside:
            with pytest.raises(AuthenticationError):
                await say_inside("PING")
        assert not await channels.exists(key.namespace)  # nobody has made it again
        await opened.close()


async def test_two_installations_on_one_server_leave_each_other_alone(redis_server: RedisServer) -> None:
    async with process(redis_server.url) as (mine, _), process(redis_server.url, "f" * 16) as (theirs, _):
        key = new_key()
        await mine.create(key)
        assert await theirs.all() == []
        assert await mine.all() == [key.namespace]
        assert await theirs.exists(key.namespace)  # so nobody says that it is gone
        await mine.remove(key.namespace)


async def test_a_server_that_has_forgotten_its_users_is_told_again(redis_server: RedisServer) -> None:
    async with process(redis_server.url) as (channels, bus):
        key = new_key()
        await channels.create(key)
        opened = await channels.open(key)
        await asyncio.to_thread(redis_server.kill)
        await until(lambda: not bus.up and not opened.up)
        await asyncio.to_thread(redis_server.start)
        await until(lambda: bus.up)
        assert not await channels.exists(key.namespace)
        again = await channels.open(key)
        await until(lambda: opened.up and again.up)
        for each in (opened, again):
            await each.close()


async def test_a_server_that_is_down_is_told_of(redis_server: RedisServer) -> None:
    async with process(redis_server.url) as (channels, bus):
        key = new_key()
        await channels.create(key)
        await asyncio.to_thread(redis_server.kill)
        await until(lambda: not bus.up)
        for refused in (
            channels.create(key),
            channels.exists(key.namespace),
            channels.remove(key.namespace),
            channels.all(),
        ):
            with pytest.raises(UnavailableError, match="cannot be reached"):
                await refused
        opened = await channels.open(key)  # as the bus at home: it comes up by itself
        assert not opened.up
        await opened.publish("simulation", "lost")
        await asyncio.to_thread(redis_server.start)
        await channels.create(key)
        await until(lambda: opened.up)
        await opened.close()


async def test_a_server_that_is_down_at_first_is_asked_later(redis_server: RedisServer) -> None:
    await asyncio.to_thread(redis_server.kill)
    async with process(redis_server.url) as (channels, bus):
        key = new_key()
        with pytest.raises(UnavailableError):
            await channels.create(key)
        opened = await channels.open(key)
        await asyncio.to_thread(redis_server.start)
        await until(lambda: bus.up)
        await channels.create(key)
        assert await channels.exists(key.namespace)
        await until(lambda: opened.up)
        await opened.close()


@pytest.mark.usefixtures("no_poll")
async def test_where_no_users_can_be_made_names_keep_channels_apart(redis_server: RedisServer) -> None:
    async with server_of(redis_server.url) as say:
        await say("ACL SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-acl")
    url = redis_server.url.replace("redis://", "redis://limited:secret@")
    async with process(url) as (channels, _), process(redis_server.url) as (able, _):
        key = new_key()
        await channels.create(key)
        assert "by name alone" in channels.locator(key.namespace)
        assert not await channels.exists(key.namespace)
        assert await channels.all() == ()
        await able.create(key)  # a process with more rights, of the same installation
        limited, full = await channels.open(key), await able.open(key)
        hub, notebook = Hub(limited), Notebook(full)
        reader = asyncio.create_task(read_until(hub, notebook, 2))
        await until(lambda: idle(hub) == 1)
        await notebook.write(2)
        assert await reader == [1, 2]
        await channels.remove(key.namespace)
        await hub.close()
        for opened in (limited, full):
            await opened.close()
