import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.typing import EventDict

from tests.operations.environment_world import begun_in, opened_environment
from tests.operations.world import (
    LEASE_S,
    ReadyPlanner,
    begun,
    claimed,
    demo,
    now_stored,
    process,
    queued,
    until_stored,
)
from tests.waiting import a_moment, until
from windtunnel.domain.errors import NotFoundError, UnavailableError
from windtunnel.domain.simulations import Simulation, SimulationStage
from windtunnel.operations import leaseholder
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.places import in_environment
from windtunnel.operations.services import Services


@pytest.fixture(autouse=True)
def eager_renewal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaseholder, "LEASE_RENEW_EVERY_MS", 5)
    monkeypatch.setattr(leaseholder, "RENEW_AGAIN_S", 0.001)


class Job:
    """Waits to be let go, like a conductor of a slow simulation."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.cancelled = False

    async def __call__(self, simulation: Simulation) -> None:
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def lease_until(services: Services, simulation: Simulation) -> Any:
    rows = await services.store.of(simulation.tenant_id).fetch(
        "SELECT lease_until_ms FROM simulations WHERE id = $1", simulation.id
    )
    return rows[0]["lease_until_ms"]


async def until_renewed(services: Services, simulation: Simulation, until_ms: float) -> None:
    while await lease_until(services, simulation) < until_ms:
        await a_moment()


async def test_a_lease_is_kept_as_long_as_its_job_runs(database_url: str) -> None:
    async with process(database_url) as services:
        simulation = await queued(services, await demo(services))
        (mine,) = await claimed(services, "one")
        holder, job = Leaseholder("one"), Job()
        holder.start(services.store, mine, job)
        for _ in range(4):
            before = await lease_until(services, simulation)
            services.store.clock_offset += timedelta(seconds=LEASE_S * 0.9)
            await until_renewed(services, simulation, before + 1_000 * LEASE_S * 0.8)
            assert await claimed(services, "two") == []
        job.may_end.set()
        await until(lambda: len(holder) == 0)
        assert not job.cancelled
        await holder.close()
        services.store.clock_offset += timedelta(seconds=LEASE_S + 1)
        assert len(await claimed(services, "two")) == 1


async def test_a_job_whose_lease_is_lost_is_cancelled_and_the_others_go_on(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await queued(services, viewer)
        (lost,) = await claimed(services, "one")
        services.store.clock_offset += timedelta(seconds=LEASE_S + 1)
        (taken,) = await claimed(services, "two")
        kept = await queued(services, viewer)
        (kept,) = await claimed(services, "one")
        holder, jobs = Leaseholder("one"), (Job(), Job())
        holder.start(services.store, lost, jobs[0])
        holder.start(services.store, kept, jobs[1])
        await until(lambda: len(holder) == 1)
        assert (jobs[0].cancelled, jobs[1].cancelled) == (True, False)
        await holder.close()
        assert jobs[1].cancelled
        assert (await now_stored(services, taken)).lease_owner == "two"
        assert (await now_stored(services, kept)).lease_owner is None


async def test_renewing_outlives_failures_of_the_database(sqlite_url: str, logs: list[EventDict]) -> None:
    def fail(statement: str) -> None:
        if "lease_until_ms" in statement:
            raise UnavailableError("down")

    async with process(sqlite_url) as services:
        simulation = await queued(services, await demo(services))
        (mine,) = await claimed(services, "one")
        holder = Leaseholder("one")
        holder.start(services.store, mine, Job())
        before = await lease_until(services, simulation)
        services.store.clock_offset += timedelta(seconds=1)
        services.store.on_statement = fail
        await until(lambda: sum("not renewed" in entry["event"] for entry in logs) >= 3)
        services.store.on_statement = None
        await until_renewed(services, simulation, before + 900)
        await holder.close()


async def test_a_job_that_fails_is_logged_and_its_lease_runs_out(sqlite_url: str, logs: list[EventDict]) -> None:
    async def defective(_: Simulation) -> None:
        raise RuntimeError("defect")

    async with process(sqlite_url) as services:
        simulation = await queued(services, await demo(services))
        (mine,) = await claimed(services, "one")
        holder, ended = Leaseholder("one"), asyncio.Event()
        holder.start(services.store, mine, defective, after=ended.set)
        await ended.wait()
        assert len(holder) == 0
        assert [entry["log_level"] for entry in logs] == ["error"]
        await holder.close()
        assert (await now_stored(services, simulation)).lease_owner == "one"


async def test_a_scenario_deleted_as_its_plan_is_ready_is_no_defect(database_url: str, logs: list[EventDict]) -> None:
    planner = ReadyPlanner(held_at=10)
    async with process(database_url, planner=planner) as services:
        viewer = await demo(services)
        waiting = asyncio.create_task(begun(services, viewer, wait_for=SimulationStage.PLANNED))
        simulation = await begun(services, viewer)
        await until_stored(services, simulation, 11)
        await delete_scenario(services, viewer, simulation.scenario_id or "")
        planner.gate.set()
        await waiting
        await until(lambda: len(services.planning) == 0)
        with pytest.raises(NotFoundError):
            await delete_scenario(services, viewer, simulation.scenario_id or "")
        assert {entry["log_level"] for entry in logs} <= {"info", "debug"}


async def test_leases_at_home_are_kept_while_an_environment_does_not_answer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaseholder, "RENEW_WITHIN_S", 0.1)
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        at_home, abroad = await queued(services, viewer), await begun_in(services, viewer, environment)
        async with in_environment(services, environment) as place:
            (here,), (there,) = await claimed(services, "one"), await claimed(place, "one")
            holder, jobs = Leaseholder("one"), [Job(), Job()]
            async with place.store.transaction(viewer.tenant_id):
                await place.store.of(viewer.tenant_id).fetch(
                    "UPDATE simulations SET pace = pace WHERE id = $1", abroad.id
                )
                holder.start(services.store, here, jobs[0])
                holder.start(place.store, there, jobs[1])
                renewing = asyncio.create_task(until_renewed_again(services, at_home))
                await renewing
            await until_renewed_again(place, abroad)
            assert not any(job.cancelled for job in jobs)
            await holder.close()
            assert [each.id for each in await claimed(place, "two")] == [abroad.id]
            assert [each.id for each in await claimed(services, "two")] == [at_home.id]


async def until_renewed_again(services: Services, simulation: Simulation) -> None:
    for _ in range(3):
        before = await lease_until(services, simulation)
        services.store.clock_offset += timedelta(seconds=1)
        await until_renewed(services, simulation, before + 500)
