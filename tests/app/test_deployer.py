"""The deployer: from a submission to production, by itself; hands over; outlives what goes down."""

import asyncio
from contextlib import aclosing

import pytest

import app.claiming
from app.deployer import Deployer
from tests.databases import migrate_url
from tests.operations.care import LEASE_OVER
from tests.operations.deploying import another, pointer_of, through_review, waiting
from tests.operations.pipeline_world import stored, told
from tests.operations.world import demo, die, process
from tests.servers import PostgresServer
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.operations import deploy as deploying
from windtunnel.operations.services import Services
from windtunnel.operations.watch_deployment import watch_deployment

NEVER = 3_600.0


async def until_status(services: Services, deployment: Deployment, *statuses: S) -> S:
    async with aclosing(watch_deployment(services, await demo(services), deployment.id)) as stream:
        async for event in stream:
            if event.status in statuses:
                return event.status
    raise AssertionError(statuses)


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_from_a_submission_to_production_by_itself(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.claiming, "LOOK_EVERY_S", NEVER)
    async with process(database_url) as services:
        async with Deployer(services, "one"):
            made = await through_review(services)
            seen = await until_status(services, made, S.LIVE, S.DEPLOY_FAILED)
            assert seen is S.LIVE, (await stored(services, made)).failure
            assert (await pointer_of(services, made)).deployment_id == made.id
        assert await services.target.observe() != []
    assert tasks() == set()


async def test_a_deployer_that_stops_hands_over_at_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, blocked = asyncio.Event(), True
    bring_up = deploying.bring_up  # type: ignore[attr-defined]

    async def slowly(*about: object) -> None:
        begun.set()
        while blocked:
            await asyncio.Event().wait()
        await bring_up(*about)  # type: ignore[arg-type]

    monkeypatch.setattr(deploying, "bring_up", slowly)
    async with process(database_url) as services:
        made = await waiting(services)
        async with Deployer(services, "one"):
            await begun.wait()
        given_up = await stored(services, made)
        assert (given_up.status, given_up.lease_owner) == (S.DEPLOYING, None)
        blocked = False
        async with Deployer(services, "two"):
            assert await until_status(services, made, S.LIVE, S.DEPLOY_FAILED) is S.LIVE
        assert (await stored(services, made)).attempts == 1


async def test_a_deployer_takes_over_from_a_dead_one(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.claiming, "LOOK_EVERY_S", 0.05)
    begun, blocked = asyncio.Event(), True
    bring_up = deploying.bring_up  # type: ignore[attr-defined]

    async def slowly(*about: object) -> None:
        begun.set()
        while blocked:
            await asyncio.Event().wait()
        await bring_up(*about)  # type: ignore[arg-type]

    monkeypatch.setattr(deploying, "bring_up", slowly)
    async with process(database_url, owner="dead") as services, Deployer(services, "dead") as dying:
        made = await through_review(services)
        await begun.wait()
        await die(dying._deployments)
        blocked = False
        async with another(services, database_url) as heirs:
            services.store.clock_offset = heirs.store.clock_offset = LEASE_OVER
            async with Deployer(heirs, "heir"):
                assert await until_status(heirs, made, S.LIVE, S.DEPLOY_FAILED) is S.LIVE
        done = await stored(services, made)
        assert (done.fence >= 2, done.attempts) == (True, 1)
        assert [event.step for event in await told(services, made)].count("live") == 1


async def test_one_that_hangs_keeps_only_its_own_place(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_up, hanging = deploying.bring_up, asyncio.Event()  # type: ignore[attr-defined]

    async def stuck(services: Services, tenant_id: str, agent_id: str, digest: str) -> None:
        if not hanging.is_set():
            hanging.set()
            await asyncio.Event().wait()
        await bring_up(services, tenant_id, agent_id, digest)

    monkeypatch.setattr(deploying, "bring_up", stuck)
    async with process(sqlite_url) as services, Deployer(services, "one"):
        first = await through_review(services)
        await hanging.wait()
        for _ in range(3):
            made = await through_review(services)
            assert await until_status(services, made, S.LIVE, S.DEPLOY_FAILED) is S.LIVE
        assert (await stored(services, first)).status is S.DEPLOYING


async def test_a_deployer_outlives_its_database(postgres_server: PostgresServer) -> None:
    await asyncio.to_thread(migrate_url, postgres_server.url)
    async with process(postgres_server.url) as services, Deployer(services, "one"):
        before = await through_review(services)
        await until_status(services, before, S.LIVE)
        await asyncio.to_thread(postgres_server.kill)
        await asyncio.to_thread(postgres_server.start)
        after = await through_review(services)
        await until_status(services, after, S.LIVE)
