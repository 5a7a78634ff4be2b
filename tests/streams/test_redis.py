import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.servers import RedisServer
from tests.streams.notebook import Notebook, idle, others, read_unsteadily, read_until
from tests.waiting import until
from windtunnel.streams import supervised_redis
from windtunnel.streams.bus import Bus, open_bus
from windtunnel.streams.hub import Hub


@asynccontextmanager
async def reader_and_writer(server: RedisServer) -> AsyncIterator[tuple[Hub, Bus]]:
    """A process that reads and one that writes, as far as the bus can tell; nothing may be left of them afterwards."""
    reading, writing = await open_bus(server.url), await open_bus(server.url)
    hub = Hub(reading)
    try:
        yield hub, writing
    finally:
        await hub.close()
        await reading.close()
        await writing.close()
        assert others() == set()


@pytest.mark.usefixtures("no_poll")
async def test_events_cross_the_server_live(redis_server: RedisServer) -> None:
    async with reader_and_writer(redis_server) as (hub, writing):
        notebooks = [Notebook(writing, f"notebook {number}") for number in range(20)]
        readers = [asyncio.create_task(read_until(hub, notebook, 50)) for notebook in notebooks for _ in range(3)]
        await until(lambda: idle(hub) == 60)
        for _ in range(25):
            for notebook in notebooks:
                await notebook.write(2)
        assert await asyncio.gather(*readers) == [list(range(1, 51))] * 60
        assert hub.statistics.live == 60 * 50
        assert hub.statistics.reread == 0


async def test_followers_get_everything_once_while_the_server_is_killed_and_then_live_again(
    redis_server: RedisServer,
) -> None:
    async with reader_and_writer(redis_server) as (hub, writing):
        notebook = Notebook(writing)
        last = 3_000
        seen: list[list[int]] = [[] for _ in range(40)]
        readers = [
            asyncio.create_task(read_unsteadily(hub, notebook, last, seed=number, losses=number % 5, seen=lines))
            for number, lines in enumerate(seen)
        ]
        await until(lambda: idle(hub) == 40)
        choice = random.Random(3)
        for _ in range(3):
            await _write_some(notebook, choice)
            await asyncio.to_thread(redis_server.kill)
            await _write_some(notebook, choice)
            await until(lambda: not hub.bus.up and not writing.up)
            await _write_some(notebook, choice)
            await asyncio.to_thread(redis_server.start)
            await _write_some(notebook, choice)
            await until(lambda: hub.bus.up and writing.up)
        live = hub.statistics.live
        while hub.statistics.live == live:  # until the first line comes over the bus again
            await notebook.write()
            await until(lambda: all(len(lines) == len(notebook.lines) for lines in seen))

        live, reread = hub.statistics.live, hub.statistics.reread
        rest = last - len(notebook.lines)
        assert rest > 1_000
        for _ in range(rest):
            await notebook.write()
            await until(lambda: len(seen[0]) == len(notebook.lines))
        assert await asyncio.gather(*readers) == [list(range(1, last + 1))] * 40
        assert hub.statistics.live - live >= 0.9 * 40 * rest
        assert hub.statistics.reread - reread <= 0.1 * 40 * rest
        assert hub.statistics.reconnects >= 3
        assert hub.followers == 0


async def _write_some(notebook: Notebook, choice: random.Random) -> None:
    for _ in range(20):
        await notebook.write(choice.randint(1, 9))
        for _ in range(choice.randint(0, 5)):
            await asyncio.sleep(0)


@pytest.mark.usefixtures("no_poll")
async def test_a_lost_connection_is_made_up_for_at_once_when_it_is_lost_and_when_it_is_back(
    redis_server: RedisServer,
) -> None:
    async with reader_and_writer(redis_server) as (hub, writing):
        notebook = Notebook(writing)
        seen: list[int] = []
        reader = asyncio.create_task(read_until(hub, notebook, 9, seen=seen))
        await until(lambda: idle(hub) == 1)
        redis_server.kill()
        notebook.store(3)
        await until(lambda: len(seen) == 3)
        assert not hub.bus.up

        notebook.store(3)
        await asyncio.to_thread(redis_server.start)
        await until(lambda: len(seen) == 6)
        assert hub.bus.up
        await until(lambda: writing.up and idle(hub) == 1)
        await notebook.write(3)
        assert await reader == list(range(1, 10))
        assert hub.statistics.live == 3


async def test_a_channel_joined_while_the_connection_is_made_is_heard(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised_redis, "SETTLED_S", 0.0)  # else a server that is restarted so often is left alone
    async with reader_and_writer(redis_server) as (hub, writing):
        for number in range(12):
            await asyncio.to_thread(redis_server.kill)
            await until(lambda: not hub.bus.up and not writing.up)
            early = Notebook(writing, f"early {number}")
            late = Notebook(writing, f"late {number}")
            seen: tuple[list[int], list[int]] = ([], [])
            readers = [asyncio.create_task(read_until(hub, early, 5, seen=seen[0]))]
            starting = asyncio.create_task(asyncio.to_thread(redis_server.start))
            await until(lambda: hub.bus.up or starting.done())  # noqa: B023
            for _ in range(number):
                await asyncio.sleep(0)
            readers.append(asyncio.create_task(read_until(hub, late, 5, seen=seen[1])))
            await starting
            await until(lambda: hub.bus.up and writing.up)
            before = hub.statistics.live
            await until(lambda: idle(hub) == 2)
            for _ in range(5):
                await early.write()
                await late.write()
                await until(lambda: all(len(lines) == len(early.lines) for lines in seen))  # noqa: B023
            assert await asyncio.gather(*readers) == [[1, 2, 3, 4, 5]] * 2
            assert hub.statistics.live - before >= 6  # the first may still be read instead


async def test_a_server_that_is_down_fails_nobody_and_nobody_waits_for_it(redis_server: RedisServer) -> None:
    redis_server.kill()
    async with reader_and_writer(redis_server) as (hub, writing):
        assert not writing.up
        for _ in range(5_000):
            with pytest.raises(StopIteration):  # done without waiting for anything
                writing.publish("notebook", "[]").send(None)
        await until(lambda: writing.statistics.dropped > 0)

        notebook = Notebook(writing)
        reader = asyncio.create_task(read_until(hub, notebook, 3))
        await until(lambda: idle(hub) == 1)
        await notebook.write(3)
        assert await reader == [1, 2, 3]
        assert hub.statistics.live == 0


async def test_a_server_that_hangs_is_noticed(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervised_redis, "KEEPALIVE_S", 0.05)
    async with reader_and_writer(redis_server) as (hub, writing):
        assert hub.bus.up
        assert redis_server._process is not None
        pid = redis_server._process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await until(lambda: not hub.bus.up)
        finally:
            os.kill(pid, signal.SIGCONT)
        await until(lambda: hub.bus.up and writing.up)


async def test_closing_leaves_nothing_behind_whatever_the_server_does(redis_server: RedisServer) -> None:
    for ticks in range(0, 40, 3):
        bus = asyncio.create_task(open_bus(redis_server.url))
        for _ in range(ticks):
            await asyncio.sleep(0)
        opened = await bus
        hub = Hub(opened)
        reader = asyncio.create_task(read_until(hub, Notebook(opened), 1))
        for _ in range(ticks):
            await asyncio.sleep(0)
        if ticks % 2:
            redis_server.restart()
        await hub.close()
        await opened.close()
        await asyncio.wait([reader])
        assert others() == set()


async def test_what_was_rung_just_before_closing_is_still_sent(redis_server: RedisServer) -> None:
    reading = await open_bus(redis_server.url)
    writing = await open_bus(redis_server.url)
    async with reading.subscribe("work") as next_message:
        for number in range(200):
            await writing.publish("work", str(number))
        await writing.close()
        assert [await next_message() for _ in range(200)] == [str(number) for number in range(200)]
    await reading.close()
    assert others() == set()
