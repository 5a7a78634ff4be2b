"""Whoever simulates is told of the end: once, in the transaction of the end, whoever brings it about."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta

import pytest

from tests.operations.world import (
    LEASE_S,
    TEXT,
    ReadyPlanner,
    begun,
    claimed,
    conduct_all,
    demo,
    die,
    now_stored,
    process,
    queued,
    stored_events,
    until,
)
from tests.storage import worlds
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import Notification, NotificationKind
from windtunnel.domain.scenarios import title_of
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.operations.inbox import inbox_log
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.notify import announce_notifications, notify
from windtunnel.operations.services import Services
from windtunnel.operations.watch_notifications import watch_notifications
from windtunnel.storage import notifications
from windtunnel.streams.bus import open_bus


async def inbox(services: Services, viewer: Viewer) -> Sequence[Notification]:
    return await notifications.read(services.store, viewer.tenant_id, viewer.user.id, 0, 1_000)


async def test_success_is_told_to_its_author_alone(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        bo = await worlds.colleague(services.store, viewer)
        simulation = await queued(services, bo)
        await conduct_all(services)
        (told,) = await inbox(services, bo)
        last = (await stored_events(services, simulation))[-1]
        assert (told.kind, told.seq, told.read_at) == (NotificationKind.SIMULATION_FINISHED, 1, None)
        assert told.title == f"Simulation succeeded: {title_of(TEXT)}"
        assert told.body == f"It told {last.seq} events in {last.elapsed_ms / 1000:.1f} seconds of simulated time."
        assert told.subject == Subject(Kind.SIMULATION, simulation.id)
        assert told.created_at >= last.at
        assert await inbox(services, viewer) == []


async def test_a_plan_that_failed_is_told(database_url: str) -> None:
    failure = ValidationError("Too complex.", rule="x", code=ErrorCode.SCENARIO_TOO_COMPLEX)
    async with process(database_url, planner=ReadyPlanner(failing=failure)) as services:
        viewer = await demo(services)
        simulation = await begun(services, viewer)
        await until(lambda: not services.planning)
        assert (await now_stored(services, simulation)).status is SimulationStatus.FAILED
        (told,) = await inbox(services, viewer)
        assert (told.title, told.body) == (f"Simulation failed: {title_of(TEXT)}", "Too complex.")


async def test_what_a_person_ended_is_not_told(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        cancelled, deleted = await queued(services, viewer), await queued(services, viewer)
        await cancel_simulation(services, viewer, cancelled.id)
        (mine,) = await claimed(services)
        await delete_scenario(services, viewer, deleted.scenario_id or "")
        await conduct_simulation(services, mine)
        assert await inbox(services, viewer) == []


async def test_an_end_that_is_not_stored_is_not_told(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await queued(services, viewer)
        (slow,) = await claimed(services, "one")
        services.store.clock_offset = timedelta(seconds=LEASE_S + 1)
        (quick,) = await claimed(services, "two")
        await asyncio.gather(conduct_simulation(services, slow), conduct_simulation(services, quick))
        await conduct_simulation(services, slow)
        assert [each.seq for each in await inbox(services, viewer)] == [1]


async def test_whoever_dies_near_the_end_leaves_one_notification(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        needed, ended_before_death = 0, set()
        for number in range(1, 20):
            simulation = await queued(services, viewer)
            (mine,) = await claimed(services, "one")
            holder = Leaseholder(services.store, "one")
            holder.start(mine, lambda each: conduct_simulation(services, each))
            turns = 0
            while len(holder) and (number == 1 or turns < needed * number / 10):
                turns += 1
                await asyncio.sleep(0)
            needed = needed or turns  # by the first, which nobody disturbs
            ended_before_death.add((await now_stored(services, simulation)).is_over)
            if len(holder):
                await die(holder)
            await holder.close()
            services.store.clock_offset += timedelta(seconds=LEASE_S + 1)
            await conduct_all(services, "two")
            told = await inbox(services, viewer)
            assert [each.seq for each in told] == list(range(1, number + 1))
            assert told[-1].subject.id == simulation.id
        assert ended_before_death == {True, False}


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


async def tell(services: Services, viewer: Viewer, title: str) -> None:
    announcement = await notify(
        services,
        viewer.tenant_id,
        NotificationKind.SIMULATION_FINISHED,
        title=title,
        body="\ud800",
        subject=Subject(Kind.SIMULATION, new_id()),
        recipients=[viewer.user.id],
    )
    await announce_notifications(services.bus, announcement)


async def _next(stream: object) -> Notification:
    told: Notification = await anext(stream)  # type: ignore[call-overload]
    return told
