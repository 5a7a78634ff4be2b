import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

import app.claiming
from app.worker import Worker
from tests.databases import migrate_url
from tests.operations.world import (
    LEASE_S,
    ReadyPlanner,
    begun,
    conduct_all,
    demo,
    die,
    kinds,
    now_stored,
    process,
    queued,
    stored_events,
    tale,
    until_stored,
    watched,
)
from tests.servers import PostgresServer, RedisServer
from tests.waiting import a_moment
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.events import EventKind
from windtunnel.domain.simulations import Counts, Simulation, SimulationStage, SimulationStatus
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.services import Limits, Services
from windtunnel.storage import simulations
from windtunnel.streams.bus import open_bus

LONG_AGO = timedelta(seconds=LEASE_S + 1)
NEVER = 3_600.0


async def over(services: Services, simulation: Simulation) -> Simulation:
    """The simulation, once it has come to its end."""
    await watched(services, await demo(services), simulation)
    return await now_stored(services, simulation)


async def until_counts(services: Services, wanted: Callable[[Counts], bool]) -> Counts:
    tenant_id = (await demo(services)).tenant_id
    while not wanted(counts := await simulations.counts(services.store, tenant_id)):
        await a_moment()
    return counts


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_a_worker_hears_of_work_and_goes_on_to_the_next_without_looking_for_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.claiming, "LOOK_EVERY_S", NEVER)
    async with process(database_url) as services:
        async with Worker(services, "worker", concurrency=2):
            viewer = await demo(services)
            made = await asyncio.gather(
                *(begun(services, viewer, wait_for=SimulationStage.FINISHED, seed=seed) for seed in range(12))
            )
        assert {simulation.status for simulation in made} == {SimulationStatus.SUCCEEDED}
    assert tasks() == set()


async def test_no_more_run_at_a_time_than_may_and_all_come_to_their_end(sqlite_url: str) -> None:
    async with (
        process(sqlite_url, limits=Limits(running_per_tenant=3)) as services,
        Worker(services, "worker", concurrency=10),
    ):
        viewer = await demo(services)
        made = [await queued(services, viewer, pace=0.001) for _ in range(5)]
        assert await until_counts(services, lambda counts: counts.running == 3) == Counts(waiting=2, running=3)
        for simulation in made[:3]:
            await cancel_simulation(services, viewer, simulation.id)
            counts = await until_counts(services, lambda counts: counts.running == 3 or counts.waiting == 0)
            assert counts.running <= 3
        assert await until_counts(services, lambda counts: counts.running == 2) == Counts(waiting=0, running=2)


async def test_a_worker_that_stops_hands_over_at_once(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        plain = await queued(services, viewer)
        await conduct_all(services)
        expected = await stored_events(services, plain)
        pace = expected[-1].elapsed_ms / 1000 / 2
        simulation = await queued(services, viewer, pace=pace)
        async with Worker(services, "one", concurrency=2):
            await until_stored(services, simulation, 20)
        given_up = await now_stored(services, simulation)
        assert given_up.status is SimulationStatus.RUNNING
        assert given_up.lease_owner is None
        async with Worker(services, "two", concurrency=2):
            await until_stored(services, simulation, given_up.last_seq + 1)
            assert (await now_stored(services, simulation)).lease_owner in {"two", None}
            assert (await over(services, simulation)).status is SimulationStatus.SUCCEEDED
        assert tale(await stored_events(services, simulation)) == tale(expected)


async def test_a_worker_takes_over_from_dead_planners_and_conductors(database_url: str) -> None:
    bus = await open_bus(None)
    async with process(database_url, planner=ReadyPlanner(held_at=5), bus=bus, owner="dead") as dead:
        viewer = await demo(dead)
        unplanned = await begun(dead, viewer)
        await until_stored(dead, unplanned, 6)
        await die(dead.planning)
        async with process(database_url, bus=bus) as services:
            untold = await queued(services, viewer, pace=1.0)
            dying = Worker(services, "dying", concurrency=2)
            async with dying:
                await until_stored(services, untold, 13)
                await die(dying._holder)
                services.store.clock_offset = LONG_AGO + timedelta(days=1)
                async with Worker(services, "heir", concurrency=2):
                    for simulation in (unplanned, untold):
                        assert (await over(services, simulation)).status is SimulationStatus.SUCCEEDED
                        told = await stored_events(services, simulation)
                        assert [event.seq for event in told] == list(range(1, len(told) + 1))
                        assert kinds(told).count(EventKind.PLANNER_STEP) == 10
    await bus.close()
    assert tasks() == set()


async def test_a_worker_outlives_its_database(postgres_server: PostgresServer) -> None:
    await asyncio.to_thread(migrate_url, postgres_server.url)
    async with process(postgres_server.url) as services, Worker(services, "worker", concurrency=2):
        viewer = await demo(services)
        under_way = await queued(services, viewer, pace=0.001)
        await until_stored(services, under_way, 13)
        await asyncio.to_thread(postgres_server.kill)
        with pytest.raises(UnavailableError):
            await begun(services, viewer)
        await asyncio.to_thread(postgres_server.start)
        after = await begun(services, viewer, wait_for=SimulationStage.FINISHED)
        assert after.status is SimulationStatus.SUCCEEDED
        await cancel_simulation(services, viewer, under_way.id)
        assert (await over(services, under_way)).status is SimulationStatus.CANCELLED


async def test_a_worker_finds_work_while_the_bus_is_down(postgres_database_url: str, redis_server: RedisServer) -> None:
    hearing, ringing = await open_bus(redis_server.url), await open_bus(redis_server.url)
    async with (
        process(postgres_database_url, bus=ringing, owner="api") as api,
        process(postgres_database_url, bus=hearing) as services,
        Worker(services, "worker", concurrency=2),
    ):
        viewer = await demo(api)
        live = await begun(api, viewer, wait_for=SimulationStage.FINISHED)
        assert live.status is SimulationStatus.SUCCEEDED
        redis_server.kill()
        polled = await begun(api, viewer, wait_for=SimulationStage.FINISHED)
        assert polled.status is SimulationStatus.SUCCEEDED
        await asyncio.to_thread(redis_server.start)
        again = await begun(api, viewer, wait_for=SimulationStage.FINISHED)
        assert again.status is SimulationStatus.SUCCEEDED
        streams = [tale(await stored_events(api, each)) for each in (live, polled, again)]
        assert streams[0] == streams[1] == streams[2]
    await hearing.close()
    await ringing.close()
    assert tasks() == set()
