"""A bus is closed at whatever moment something is sent, and leaves nothing behind."""

import asyncio

from tests.servers import RedisServer
from tests.streams.notebook import others
from windtunnel.streams.ending import ended
from windtunnel.streams.statistics import Statistics
from windtunnel.streams.supervised_redis import SupervisedRedis

TURNS = 20
"""Of the event loop: more than closing takes."""


async def test_a_bus_that_is_just_sending_can_be_closed(redis_server: RedisServer) -> None:
    for turns in range(TURNS):
        backend = SupervisedRedis(redis_server.url, Statistics())
        await backend.connect()
        await backend.subscribe("channel")
        closing = asyncio.create_task(backend.disconnect())
        for _ in range(turns):
            await asyncio.sleep(0)
        await backend.unsubscribe("channel")
        await closing
        assert others() == set()


async def test_whoever_forgets_a_cancellation_is_ended_and_so_is_who_waits_for_that() -> None:
    forgotten: list[bool] = []

    async def forget() -> None:
        while len(forgotten) < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                forgotten.append(True)
        await asyncio.Event().wait()

    forgetful = asyncio.create_task(forget())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(ended(forgetful))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert forgetful.cancelled()
