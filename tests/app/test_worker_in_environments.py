"""Workers in environments: so many at a time as each allows, in turns, and in place of those that died."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

import app.claiming
from app.worker import Worker
from tests.operations.environment_world import begun_in, conduct_in, opened_environment, stored_in
from tests.operations.world import (
    LEASE_S,
    ReadyPlanner,
    begun,
    conduct_all,
    demo,
    die,
    process,
    queued,
    stored_events,
    tale,
    until_stored,
    watched,
)
from tests.storage import environment_worlds, worlds
from tests.waiting import a_moment, until
from windtunnel.domain.environments import Environment, EnvironmentLimits
from windtunnel.domain.ids import namespace_of
from windtunnel.domain.simulations import Counts, SimulationStage, SimulationStatus
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.claiming_runs import Rounds
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.places import in_environment
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.operations.services import Services
from windtunnel.storage import audit, environment_turns, simulations
from windtunnel.streams.bus import open_bus

NEVER = 3_600.0


async def counts_in(services: Services, environment: Environment) -> Counts:
    async with in_environment(services, environment) as place:
        return await simulations.counts(place.store, environment.tenant_id)


async def until_running(services: Services, environment: Environment, number: int) -> Counts:
    while (counts := await counts_in(services, environment)).running != number:
        await a_moment()
    return counts


async def until_rested(services: Services, environment: Environment) -> None:
    """Until it is on record that nothing is left to do."""
    while environment.id in {each.id for each in await environment_turns.with_work(services.store)}:
        await a_moment()


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_a_worker_hears_of_work_in_environments_and_of_its_end(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.claiming, "LOOK_EVERY_S", NEVER)
    async with process(database_url) as services:
        async with Worker(services, "worker", concurrency=4):
            viewer = await demo(services)
            one, two = [await opened_environment(services, viewer) for _ in range(2)]
            made = await asyncio.gather(
                *(
                    begun_in(services, viewer, environment, wait_for=SimulationStage.FINISHED, seed=seed)
                    for seed in range(4)
                    for environment in (one, two)
                ),
                *(begun(services, viewer, wait_for=SimulationStage.FINISHED, seed=seed) for seed in range(4)),
            )
            await until_rested(services, one)
            await until_rested(services, two)
        assert {simulation.status for simulation in made} == {SimulationStatus.SUCCEEDED}
        assert {namespace_of(simulation.id) for simulation in made} == {one.namespace, two.namespace, None}
    assert tasks() == set()


@pytest.mark.parametrize("limits", [EnvironmentLimits(), EnvironmentLimits(max_simulations=3)])
async def test_so_many_run_as_the_environment_allows_and_more_wait(sqlite_url: str, limits: EnvironmentLimits) -> None:
    most = limits.max_simulations
    async with process(sqlite_url) as services, Worker(services, "worker", concurrency=30):
        viewer = await demo(services)
        environment, other = [await opened_environment(services, viewer, limits=limits) for _ in range(2)]
        made = [await begun_in(services, viewer, environment, pace=0.001) for _ in range(most + 2)]
        assert await until_running(services, environment, most) == Counts(waiting=2, running=most)
        await begun_in(services, viewer, other, pace=0.001)
        assert await until_running(services, other, 1) == Counts(waiting=0, running=1)
        assert (await counts_in(services, environment)).running == most
        for simulation in made[:2]:
            await cancel_simulation(services, viewer, simulation.id)
        assert (await until_running(services, environment, most)).waiting == 0


async def test_no_more_run_than_allowed_whoever_claims(postgres_database_url: str) -> None:
    async with process(postgres_database_url, owner="api") as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        for _ in range(8):
            await begun_in(services, viewer, environment, pace=0.001)
        async with (
            process(postgres_database_url, owner="one", vault=services.vault) as one,
            process(postgres_database_url, owner="two", vault=services.vault) as two,
            Worker(one, "one", concurrency=8),
            Worker(two, "two", concurrency=8),
        ):
            assert await until_running(services, environment, 5) == Counts(waiting=3, running=5)
            for _ in range(50):
                assert (await counts_in(services, environment)).running == 5


async def test_places_take_turns(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environments = [await opened_environment(services, viewer) for _ in range(2)]
        made = [await queued(services, viewer) for _ in range(6)]
        for environment in environments:
            made += [await begun_in(services, viewer, environment) for _ in range(3)]
        async with Worker(services, "worker", concurrency=1):
            for simulation in made:
                await watched(services, viewer, simulation)
        entries = await audit.read(services.store, viewer.tenant_id, 0, 200)
        order = [namespace_of(each.subject_id) for each in entries if each.action == "SIMULATION_FINISHED"]
        assert len(order) == 12
        assert order[0::2] == [None] * 6 or order[1::2] == [None] * 6  # every other turn is home's
        abroad = [place for place in order if place]
        assert all(one != two for one, two in pairwise(abroad))


async def test_many_environments_are_no_more_turns(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer, stranger = await demo(services), await worlds.stranger(services.store)
        mine = [await environment_worlds.ready(services.store, viewer) for _ in range(4)]
        theirs = await environment_worlds.ready(services.store, stranger)
        rounds = Rounds()
        first = [each and each.tenant_id for each in rounds.order([*mine, theirs])]
        assert first[3:] == [viewer.tenant_id] * 3
        assert set(first[:3]) == {None, viewer.tenant_id, stranger.tenant_id}
        served = []
        for _ in range(30):
            served.append(next(rounds.order([*mine, theirs])))
            rounds.served(served[-1])
        assert [each and each.tenant_id for each in served].count(viewer.tenant_id) == 10
        assert served.count(theirs) == served.count(None) == 10
        assert {served.count(each) for each in mine} <= {2, 3}
        list(rounds.order([]))
        assert rounds._served.keys() == {""}


async def test_a_worker_takes_over_from_dead_ones_in_environments(database_url: str) -> None:
    bus = await open_bus(None)
    async with process(database_url, planner=ReadyPlanner(held_at=5), bus=bus, owner="dead") as dead:
        viewer = await demo(dead)
        environment = await opened_environment(dead, viewer)
        unplanned = await begun_in(dead, viewer, environment, wait_for=SimulationStage.ACCEPTED)
        await until_stored(dead, unplanned, 6)
        await die(dead.planning)
        async with process(database_url, bus=bus, vault=dead.vault, environments_dir=dead.environments_dir) as services:
            at_home = await queued(services, viewer)
            await conduct_all(services)
            expected = tale(await stored_events(services, at_home))
            untold = await begun_in(services, viewer, environment, pace=1.0)
            async with Worker(services, "dying", concurrency=2) as dying:
                await until_stored(services, untold, 13)
                await die(dying._holder)
                services.store.clock_offset = timedelta(seconds=LEASE_S + 1, days=1)
                async with Worker(services, "heir", concurrency=2):
                    for simulation in (unplanned, untold):
                        told = await watched(services, viewer, simulation)
                        assert tale(told) == expected
                        stored = await stored_in(services, environment, simulation.id)
                        assert stored
                        assert stored.status is SimulationStatus.SUCCEEDED
        assert (await environment_worlds.stored(dead.store, environment)).usage.simulations == 2
    await bus.close()
    assert tasks() == set()


async def test_what_is_planned_and_conducted_keeps_its_environment_open(database_url: str) -> None:
    planner = ReadyPlanner(held_at=5)
    async with process(database_url, planner=planner) as services:
        services.places._idle_max = 0  # closed as soon as nobody works there
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment, wait_for=SimulationStage.ACCEPTED)
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=0.1)
        planner.gate.set()
        await until(lambda: len(services.planning) == 0)
        planned = await stored_in(services, environment, simulation.id)
        assert planned
        assert planned.status is SimulationStatus.QUEUED
        async with Worker(services, "worker", concurrency=2):
            assert (await watched(services, viewer, simulation))[-1].body["status"] == SimulationStatus.SUCCEEDED


async def test_a_worker_that_stops_hands_over_at_once(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment, pace=0.001)
        async with Worker(services, "one", concurrency=2):
            await until_stored(services, simulation, 13)
        given_up = await stored_in(services, environment, simulation.id)
        assert given_up
        assert (given_up.status, given_up.lease_owner) == (SimulationStatus.RUNNING, None)
        async with Worker(services, "two", concurrency=2):
            while (await stored_in(services, environment, simulation.id) or given_up).lease_owner != "two":
                await a_moment()


async def test_what_runs_ends_with_the_pause_and_what_waits_goes_on_after_it(database_url: str) -> None:
    async with process(database_url) as services, Worker(services, "worker", concurrency=8):
        viewer = await demo(services)
        environment = await opened_environment(services, viewer, limits=EnvironmentLimits(max_simulations=1))
        running = await begun_in(services, viewer, environment, pace=0.001)
        await until_stored(services, running, 13)
        waiting = await begun_in(services, viewer, environment)
        await pause_environment(services, viewer, environment.id)
        assert (await watched(services, viewer, running))[-1].body["status"] == SimulationStatus.CANCELLED
        await until_rested(services, environment)
        assert await counts_in(services, environment) == Counts(waiting=1, running=0)
        await resume_environment(services, viewer, environment.id)
        assert (await watched(services, viewer, waiting))[-1].body["status"] == SimulationStatus.SUCCEEDED


async def test_a_pause_that_nobody_lived_to_carry_out_is_carried_out_by_a_worker(database_url: str) -> None:
    async with process(database_url) as services, Worker(services, "worker", concurrency=8):
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        running = await begun_in(services, viewer, environment, pace=0.001)
        await until_stored(services, running, 13)
        await environment_worlds.became(services.store, environment, "PAUSED")
        assert (await watched(services, viewer, running))[-1].body["status"] == SimulationStatus.CANCELLED


async def test_an_environment_that_cannot_be_opened_keeps_no_other_waiting(database_url: str) -> None:
    async with process(database_url) as services, Worker(services, "worker", concurrency=8):
        viewer = await demo(services)
        lost, sound = [await opened_environment(services, viewer) for _ in range(2)]
        await services.places.close(lost.namespace)
        await services.places.databases.remove(lost.namespace)
        await environment_turns.raise_work(services.store, viewer.tenant_id, lost.id)
        done = await begun_in(services, viewer, sound, wait_for=SimulationStage.FINISHED)
        assert done.status is SimulationStatus.SUCCEEDED
        assert (await begun(services, viewer, wait_for=SimulationStage.FINISHED)).status is SimulationStatus.SUCCEEDED
        assert await conduct_in(services, sound) == 0
