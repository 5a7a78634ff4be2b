"""Following one's own notifications: live, resumed, and without a bus."""

import asyncio
from contextlib import aclosing

import pytest

from tests.operations.inboxes import inbox, tell
from tests.operations.world import conduct_all, demo, process, queued
from tests.waiting import until
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import Notification
from windtunnel.operations.inbox import inbox_log
from windtunnel.operations.watch_notifications import watch_notifications
from windtunnel.streams.bus import open_bus


async def test_it_is_live_and_says_what_the_store_says(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        async with aclosing(watch_notifications(services, viewer)) as stream:
            coming = asyncio.create_task(_next(stream))
            await until(lambda: services.hub.followers == 1)
            await queued(services, viewer)
            await conduct_all(services)
            assert [await coming] == list(await inbox(services, viewer))
        assert services.hub.followers == 0


async def test_followers_in_other_processes_miss_nothing_while_the_bus_is_down(
    database_url: str, redis_url: str
) -> None:
    near, far, nowhere = await open_bus(redis_url), await open_bus(redis_url), await open_bus("redis://127.0.0.1:1/0")
    try:
        async with (
            process(database_url, bus=near) as here,
            process(database_url, bus=far) as there,
            process(database_url, bus=nowhere) as alone,
        ):
            viewer = await demo(here)
            streams = [watch_notifications(each, viewer, 0) for each in (here, there, alone)]
            for number in range(5):
                await tell(here, viewer, f"{number}")
            received = [[(await anext(stream)).seq for _ in range(5)] for stream in streams]
            assert received == [[1, 2, 3, 4, 5]] * 3
            await tell(alone, viewer, "Unheard")
            assert [(await anext(stream)).title for stream in streams] == ["Unheard"] * 3
            for stream in streams:
                await stream.aclose()
    finally:
        for bus in (near, far, nowhere):
            await bus.close()


async def test_a_server_that_shuts_down_says_so(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        stream = watch_notifications(services, await demo(services))
        coming = asyncio.create_task(_next(stream))
        await until(lambda: services.hub.followers == 1)
    with pytest.raises(UnavailableError):
        await coming


async def test_the_bus_carries_exactly_what_is_stored(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        log = inbox_log(services.store, viewer.tenant_id, viewer.user.id)
        async with services.bus.subscribe(log.channel) as next_message:
            for title in ("Plain", "é 🦊 \u2028", "x" * 200):
                await tell(services, viewer, title)
                assert log.decode(await next_message()) == (await inbox(services, viewer))[-1:]
    assert log.channel != inbox_log(services.store, viewer.tenant_id, new_id()).channel


async def _next(stream: object) -> Notification:
    told: Notification = await anext(stream)  # type: ignore[call-overload]
    return told
