"""Halting what runs in an environment while some of it is just ending by itself, in another process."""

import asyncio

from tests.operations.environment_world import begun_in, opened_environment, stored_in
from tests.operations.world import demo, process
from tests.storage import environment_worlds
from tests.storage.worlds import drafts
from windtunnel.domain.events import EventKind
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.operations.claiming_runs import claim_runs
from windtunnel.operations.environment_runs import PAUSED, count_in, halt_runs
from windtunnel.operations.places import both, in_environment
from windtunnel.storage import transitions


async def test_what_ends_meanwhile_has_ended_and_nobody_waits_for_ever(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as one, process(postgres_database_url, owner="two") as two:
        viewer = await demo(one)
        environment = await opened_environment(one, viewer)
        ending, other = [await begun_in(one, viewer, environment) for _ in range(2)]
        async with in_environment(two, environment) as there:
            claimed = await claim_runs(there, "conductor", 2)
            (mine,) = [each for each in claimed if each.id == ending.id]
        paused = await environment_worlds.became(one.store, environment, "PAUSED")
        async with in_environment(one, paused) as here, in_environment(two, paused) as there:
            cancelling = asyncio.Semaphore(0)
            here.store.on_statement = lambda sql: cancelling.release() if "'CANCELLED'" in sql else None
            async with both(there, viewer.tenant_id):
                await transitions.finished(
                    there.store,
                    viewer.tenant_id,
                    mine.id,
                    mine.fence,
                    mine.last_seq,
                    status=SimulationStatus.SUCCEEDED,
                    narrative="All went well.",
                    error=None,
                    drafts=drafts(1, EventKind.SIMULATION_FINISHED),
                )
                halting = asyncio.create_task(halt_runs(one, paused, PAUSED, waiting=False))
                for _ in claimed:
                    await cancelling.acquire()  # the other one is halted, and this one is waited for
                await count_in(there, viewer.tenant_id, mine.id)
            assert await halting == 1
        for simulation, status in ((ending, SimulationStatus.SUCCEEDED), (other, SimulationStatus.CANCELLED)):
            found = await stored_in(one, paused, simulation.id)
            assert found
            assert found.status is status
        assert (await environment_worlds.stored(one.store, paused)).usage.simulations == 2
