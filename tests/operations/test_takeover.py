import asyncio
from dataclasses import replace
from datetime import timedelta

from tests.operations.world import (
    LEASE_S,
    ReadyPlanner,
    begun,
    claimed,
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
from windtunnel.domain.events import EventKind
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.operations.conduct_simulation import CONDUCTORS_MAX, conduct_simulation
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.plan_simulation import plan_simulation
from windtunnel.storage import leases

LONG_AGO = timedelta(seconds=LEASE_S + 1)


async def test_whoever_takes_over_from_a_dead_conductor_continues_the_same_story(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        at_once = await queued(services, viewer)
        await conduct_all(services)
        expected = await stored_events(services, at_once)
        pace = expected[-1].elapsed_ms / 1000 / 5

        simulation = await queued(services, viewer, pace=pace)
        watching = asyncio.create_task(watched(services, viewer, simulation))
        (mine,) = await claimed(services, "one")
        holder = Leaseholder("one")
        holder.start(services.store, mine, lambda each: conduct_simulation(services, each))
        await until_stored(services, simulation, 30)
        await die(holder)
        await holder.close()
        assert await claimed(services, "two") == []  # the lease still holds

        services.store.clock_offset = LONG_AGO
        (taken,) = await claimed(services, "two")
        assert taken.fence == mine.fence + 1
        assert taken.started_at == mine.started_at
        assert taken.last_seq >= 30
        services.store.clock_offset += timedelta(seconds=20)  # by now, all of it is due
        await conduct_simulation(services, taken)
        assert tale(await stored_events(services, simulation)) == tale(expected)
        assert await watching == await stored_events(services, simulation)


async def test_a_conductor_that_was_replaced_cannot_write(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        undisturbed = await queued(services, viewer)
        await conduct_all(services)
        simulation = await queued(services, viewer)
        (slow,) = await claimed(services, "one")
        services.store.clock_offset = LONG_AGO
        (quick,) = await claimed(services, "two")
        await asyncio.gather(conduct_simulation(services, slow), conduct_simulation(services, quick))
        expected = tale(await stored_events(services, undisturbed))
        assert tale(await stored_events(services, simulation)) == expected


async def test_whoever_takes_over_from_a_dead_planner_tells_no_step_twice(database_url: str) -> None:
    async with process(database_url) as services:
        undisturbed = await queued(services, await demo(services))
        expected = tale(await stored_events(services, undisturbed))
        await conduct_all(services)
    async with process(database_url, planner=ReadyPlanner(held_at=7), owner="dead") as dying:
        viewer = await demo(dying)
        simulation = await begun(dying, viewer)
        await until_stored(dying, simulation, 8)
        await die(dying.planning)
    async with process(database_url) as services:
        assert await claimed(services) == []
        services.store.clock_offset = LONG_AGO
        (taken,) = await claimed(services)
        assert taken.status is SimulationStatus.PLANNING
        await conduct_simulation(services, taken)
        assert tale(await stored_events(services, simulation)) == expected
        assert (await now_stored(services, simulation)).status is SimulationStatus.QUEUED


async def test_a_process_that_shuts_down_hands_its_plans_over_at_once(database_url: str) -> None:
    async with process(database_url, planner=ReadyPlanner(held_at=3)) as closing:
        simulation = await begun(closing, await demo(closing))
        await until_stored(closing, simulation, 4)
    async with process(database_url) as services:
        (taken,) = await claimed(services)
        assert taken.id == simulation.id
        await plan_simulation(services, taken)
        assert (await now_stored(services, simulation)).status is SimulationStatus.QUEUED


async def test_a_simulation_that_outlives_all_its_conductors_is_given_up(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        simulation = await queued(services, await demo(services))
        await services.store.of(simulation.tenant_id).fetch(
            "UPDATE simulations SET fence = $2 WHERE id = $1", simulation.id, CONDUCTORS_MAX
        )
        await conduct_all(services)
        failed = await now_stored(services, simulation)
        assert failed.status is SimulationStatus.FAILED
        assert kinds(await stored_events(services, simulation))[-1] is EventKind.SIMULATION_FINISHED


async def test_a_simulation_given_up_between_two_batches_can_be_claimed_and_released(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        simulation = await queued(services, await demo(services), pace=0.001)
        (mine,) = await claimed(services, "one")
        holder = Leaseholder("one")
        holder.start(services.store, mine, lambda each: conduct_simulation(services, each))
        await until_stored(services, simulation, 13)
        await holder.close()
        (taken,) = await claimed(services, "two")
        assert taken.fence == mine.fence + 1
        await leases.release(services.store, "two", {taken.id: taken.fence})
        assert replace(await now_stored(services, simulation), lease_owner=None).lease_owner is None
