"""Runs in an environment are halted, whoever is just beginning one; what they used is counted."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from tests.operations.environment_world import begun_in, conduct_in, opened_environment, stored_in
from tests.operations.world import ReadyPlanner, demo, process, until_stored, watched
from tests.storage import environment_worlds
from tests.waiting import a_moment, until
from windtunnel.domain.environments import Environment, EnvironmentLimits
from windtunnel.domain.errors import ConflictError, ErrorCode, NotFoundError
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.simulations import Counts, SimulationStage, SimulationStatus
from windtunnel.operations.claiming_runs import claim_runs
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.environment_runs import halt_runs
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.places import in_environment
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.operations.services import Services
from windtunnel.operations.watch_simulation import watch_simulation
from windtunnel.storage import audit, environment_turns, leases, simulations

WHY = "The environment is taken away."


async def test_what_runs_is_halted_and_what_waits_only_when_wanted(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        running, waiting = [await begun_in(services, viewer, environment, pace=0.001) for _ in range(2)]
        assert await halt_runs(services, environment, WHY, waiting=True) == 0  # it is READY
        async with in_environment(services, environment) as place:
            (mine,) = await claim_runs(place, "conductor", 1)
            assert mine.id == running.id
            job = asyncio.create_task(conduct_simulation(place, mine))
            await until_stored(services, running, 13)
            paused = await environment_worlds.became(services.store, environment, "PAUSED")
            assert await halt_runs(services, paused, WHY, waiting=False) == 1
            await job  # it has noticed
        told = await watched(services, viewer, running)
        assert (told[-1].kind, told[-1].message) == (EventKind.SIMULATION_FINISHED, WHY)
        still = await stored_in(services, environment, waiting.id)
        assert still
        assert still.status is SimulationStatus.QUEUED
        assert await halt_runs(services, paused, WHY, waiting=False) == 0
        following = asyncio.create_task(watched(services, viewer, waiting))
        assert await halt_runs(services, paused, WHY, waiting=True) == 1
        assert (await following)[-1].body["status"] == SimulationStatus.CANCELLED
        entries = [
            each
            for each in await audit.read(services.store, viewer.tenant_id, 0, 100)
            if each.action == "SIMULATION_CANCELLED"
        ]
        assert [(each.actor_id, each.reason, each.subject_id) for each in entries] == [
            (None, WHY, running.id),
            (None, WHY, waiting.id),
        ]
        assert (await environment_worlds.stored(services.store, environment)).usage.simulations == 2


async def test_where_there_is_no_database_nothing_runs(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await environment_worlds.provisioning(services.store, viewer)
        assert await halt_runs(services, environment, WHY, waiting=True) == 0
        assert not await services.places.databases.exists(environment.namespace)


async def test_what_is_claimed_while_the_environment_is_paused_is_halted_or_not_claimed(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment, pace=0.001)
        claimed, committed = asyncio.Event(), asyncio.Event()

        async def slow_worker() -> None:
            async with in_environment(services, environment) as place, place.store.transaction():
                await environment_turns.lock_work(place.store)
                assert len(await leases.claim(place.store, "slow", 1, 5)) == 1
                claimed.set()
                await committed.wait()

        working = asyncio.create_task(slow_worker())
        await claimed.wait()
        pausing = asyncio.create_task(pause_environment(services, viewer, environment.id))
        await until_status(services, environment, "PAUSED")
        await asyncio.wait([pausing], timeout=0.1)
        assert not pausing.done()  # it waits for what is being claimed
        committed.set()
        await asyncio.gather(working, pausing)
        halted = await stored_in(services, environment, simulation.id)
        assert halted
        assert halted.status is SimulationStatus.CANCELLED

        async with in_environment(services, environment) as place:  # as it was when it was read
            await resume_environment(services, viewer, environment.id)
            late = await begun_in(services, viewer, environment)
            await pause_environment(services, viewer, environment.id)
            assert await claim_runs(place, "late", 1) == ()
        left = await stored_in(services, environment, late.id)
        assert left
        assert left.status is SimulationStatus.QUEUED


async def until_status(services: Services, environment: Environment, status: str) -> None:
    while (await environment_worlds.stored(services.store, environment)).status != status:
        await a_moment()


async def test_work_that_is_not_to_be_seen_yet_is_not_forgotten(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        waiting = await begun_in(services, viewer, environment)
        on_record, go_on = asyncio.Event(), asyncio.Event()

        async def accepting() -> None:
            """Puts work on record at home before it can be seen where it is to be done."""
            async with in_environment(services, environment) as place, place.store.transaction(viewer.tenant_id):
                await environment_turns.lock_work(place.store)
                async with services.store.transaction(viewer.tenant_id):
                    await environment_turns.raise_work(services.store, viewer.tenant_id, environment.id)
                on_record.set()
                await go_on.wait()
                await place.store.of(viewer.tenant_id).fetch(
                    "UPDATE simulations SET status = 'QUEUED', finished_ms = NULL WHERE id = $1 AND tenant_id = $2",
                    waiting.id,
                    viewer.tenant_id,
                )

        async with in_environment(services, environment) as place:
            await place.store.of(viewer.tenant_id).fetch(
                "UPDATE simulations SET status = 'CANCELLED', finished_ms = 1 WHERE id = $1", waiting.id
            )
        begun = asyncio.create_task(accepting())
        await on_record.wait()
        looking = asyncio.create_task(conduct_in(services, environment))
        await asyncio.wait([looking], timeout=0.05)
        assert not looking.done()
        go_on.set()
        await asyncio.gather(begun, looking)
        current = await environment_worlds.stored(services.store, environment)
        assert current.work_seq == 2
        assert current.worked_seq == 0
        assert [each.id for each in await environment_turns.with_work(services.store)] == [environment.id]
        assert await conduct_in(services, environment) == 1
        assert await environment_turns.with_work(services.store) == []


async def test_plans_go_on_in_a_paused_environment_and_wait_there(database_url: str) -> None:
    planner = ReadyPlanner(held_at=5)
    async with process(database_url, planner=planner) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment, wait_for=SimulationStage.ACCEPTED)
        await pause_environment(services, viewer, environment.id)
        assert await conduct_in(services, environment) == 0
        assert await environment_turns.with_work(services.store) == []  # nobody looks into it in vain
        planner.gate.set()
        await until(lambda: len(services.planning) == 0)
        planned = await stored_in(services, environment, simulation.id)
        assert planned
        assert planned.status is SimulationStatus.QUEUED
        await resume_environment(services, viewer, environment.id)
        assert await conduct_in(services, environment) == 1


async def test_a_process_that_shuts_down_hands_its_plans_over_at_once(sqlite_url: str) -> None:
    async with process(sqlite_url, planner=ReadyPlanner(held_at=3)) as closing:
        viewer = await demo(closing)
        environment = await opened_environment(closing, viewer)
        simulation = await begun_in(closing, viewer, environment, wait_for=SimulationStage.ACCEPTED)
        await until_stored(closing, simulation, 4)
        await closing.planning.close()
        async with in_environment(closing, environment) as place:
            (taken,) = await claim_runs(place, "heir", 5)
        assert (taken.id, taken.status, taken.fence) == (simulation.id, SimulationStatus.PLANNING, 2)


async def test_a_run_that_fills_its_environment_fails_and_says_so(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        full = await opened_environment(services, viewer, limits=EnvironmentLimits(storage_mb=16))
        other = await opened_environment(services, viewer)
        simulation, unharmed = [await begun_in(services, viewer, each) for each in (full, other)]
        with (services.environments_dir / full.namespace / "ballast").open("wb") as file:
            file.truncate(16 * 1024 * 1024)
        assert await conduct_in(services, full) == await conduct_in(services, other) == 1
        failed, done = await stored_in(services, full, simulation.id), await stored_in(services, other, unharmed.id)
        assert failed
        assert failed.error
        assert (failed.status, failed.error.code) == (SimulationStatus.FAILED, ErrorCode.LIMIT_EXCEEDED)
        assert "storageMb" in failed.error.message
        assert done
        assert done.status is SimulationStatus.SUCCEEDED


async def rest_of(stream: AsyncGenerator[SimulationEvent]) -> list[SimulationEvent]:
    return [event async for event in stream]


async def test_whoever_watches_is_told_when_the_environment_is_gone(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment)
        async with aclosing(watch_simulation(services, viewer, simulation.id)) as stream:
            assert (await anext(stream)).seq == 1
            await environment_worlds.became(services.store, environment, "DELETING", "ended_by = 'PERSON'")
            await services.places.close(environment.namespace)
            await services.places.databases.remove(environment.namespace)
            with pytest.raises(NotFoundError):
                await rest_of(stream)
        with pytest.raises(NotFoundError):
            await watched(services, viewer, simulation)


async def test_whoever_waits_for_a_run_is_told_when_the_environment_is_gone(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        waiting = asyncio.create_task(begun_in(services, viewer, environment, wait_for=SimulationStage.FINISHED))
        await until_work(services, environment, 1)
        await environment_worlds.became(services.store, environment, "DELETING", "ended_by = 'PERSON'")
        await services.places.close(environment.namespace)
        await services.places.databases.remove(environment.namespace)
        with pytest.raises(ConflictError) as told:
            await waiting
        assert (told.value.current, told.value.path) == ("DELETING", ("input", "environment_id"))


async def until_work(services: Services, environment: Environment, seq: int) -> None:
    while (await environment_worlds.stored(services.store, environment)).work_seq < seq:
        await a_moment()


async def test_what_begins_while_the_environment_is_deleted_is_halted_or_refused(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        for _ in range(4):
            environment = await opened_environment(services, viewer)

            async def begin(environment: Environment, seed: int) -> str | None:
                try:
                    made = await begun_in(
                        services, viewer, environment, seed=seed, pace=0.001, wait_for=SimulationStage.ACCEPTED
                    )
                except ConflictError:
                    return None
                return made.id

            async def delete(environment: Environment) -> None:
                await until_work(services, environment, 1)
                await delete_environment(services, viewer, environment.id)
                await halt_runs(services, environment, WHY, waiting=True)

            *begun, _ = await asyncio.gather(*(begin(environment, seed) for seed in range(6)), delete(environment))
            ids = [each for each in begun if each]
            assert ids
            halted = [await stored_in(services, environment, each) for each in ids]
            assert [each and each.status for each in halted] == [SimulationStatus.CANCELLED] * len(ids)
            async with in_environment(services, environment) as place:
                assert await simulations.counts(place.store, viewer.tenant_id) == Counts(waiting=0, running=0)
            deleting = await environment_worlds.stored(services.store, environment)
            assert deleting.usage.simulations == len(ids)
