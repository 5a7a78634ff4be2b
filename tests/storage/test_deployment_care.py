"""Claims of deployments and what is due, on both databases."""

import asyncio
from datetime import timedelta

import pytest

from tests.operations.deploying import an_agent, deployed, waiting
from tests.operations.pipeline_world import registered, stored, submitted
from tests.operations.review_world import reviewable
from tests.operations.world import demo, process
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.storage import deployment_care, rollback_care
from windtunnel.storage.deployment_care import DeploymentDue, DueDeployment
from windtunnel.storage.store import DatabaseRole, open_store

LEASE_OVER = timedelta(seconds=11)
DAY = timedelta(days=1)


async def test_of_all_who_claim_one_gets_each(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        made = {(await submitted(services, viewer)).id for _ in range(6)}
        got: list[Deployment] = []
        while len(got) < len(made):  # who comes at the same moment as others may get less than there is
            claims = await asyncio.gather(*(deployment_care.claim(services.store, f"{n}", 2) for n in range(6)))
            got += [each for claim in claims for each in claim]
        assert (sorted(each.id for each in got), {each.fence for each in got}) == (sorted(made), {1})
        assert await deployment_care.claim(services.store, "late", 10) == []


async def test_a_lease_is_renewed_released_and_ends(database_url: str) -> None:
    async with process(database_url) as services:
        made = await submitted(services, await demo(services))
        (mine,) = await deployment_care.claim(services.store, "one", 10)
        assert await deployment_care.renew(services.store, "one", {made.id: mine.fence}) == {made.id}
        assert await deployment_care.renew(services.store, "two", {made.id: mine.fence}) == set()
        assert await deployment_care.renew(services.store, "one", {made.id: mine.fence + 1}) == set()
        await deployment_care.release(services.store, "two", {made.id: mine.fence})
        assert await deployment_care.claim(services.store, "two", 10) == []
        services.store.clock_offset = LEASE_OVER
        (heir,) = await deployment_care.claim(services.store, "two", 10)
        assert heir.fence == mine.fence + 1
        assert await deployment_care.under_fence(services.store, mine) is None
        assert await deployment_care.renew(services.store, "one", {made.id: mine.fence}) == set()
        await deployment_care.release(services.store, "two", {made.id: heir.fence})
        (third,) = await deployment_care.claim(services.store, "three", 10)
        assert third.fence == heir.fence + 1


async def test_no_tenant_has_all_hands(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_care, "HELD_PER_TENANT", 2)
    async with process(database_url) as services:
        viewer = await demo(services)
        made = [await submitted(services, viewer) for _ in range(5)]
        assert len(await deployment_care.claim(services.store, "one", 10)) == 2
        assert await deployment_care.claim(services.store, "two", 10) == []
        await deployment_care.release(services.store, "one", {made[0].id: 1})
        assert len(await deployment_care.claim(services.store, "two", 10)) == 1
        services.store.clock_offset = LEASE_OVER
        assert len(await deployment_care.claim(services.store, "three", 10)) == 2


async def test_what_is_approved_comes_first_and_tenants_take_turns(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        asked = await submitted(services, viewer)
        approved = await waiting(services, await registered(services, viewer, "other"))
        claimed = [(await deployment_care.claim(services.store, "one", 1))[0].id for _ in range(2)]
        assert claimed == [approved.id, asked.id]


async def test_what_is_due_is_found_in_time(database_url: str) -> None:
    async with process(database_url) as services:
        store, viewer = services.store, await demo(services)
        assert (await deployment_care.due(store), await rollback_care.due(store)) == ([], (False, False))
        reviewed = await reviewable(services, viewer)
        assert await deployment_care.due(store) == []
        made = await waiting(services)
        assert await deployment_care.due(store) == [DueDeployment(made.id, made.tenant_id, DeploymentDue.TO_DO)]
        await deployment_care.postpone(store, await stored(services, made), 60_000)
        assert await deployment_care.due(store) == []
        store.clock_offset = DAY
        found = {(each.id, each.due) for each in await deployment_care.due(store)}
        assert found == {(reviewed.id, DeploymentDue.REVIEW), (made.id, DeploymentDue.LAPSED)}


async def test_what_is_in_production_is_found(database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        assert await deployment_care.in_production(services.store) == []
        made = await deployed(services, agent)
        assert made.status is S.LIVE
        (pointer,) = await deployment_care.in_production(services.store)
        assert (pointer.agent_id, pointer.package_digest) == (agent.id, made.package_digest)


async def test_who_only_answers_requests_cannot_claim(postgres_database_url: str) -> None:
    store = await open_store(postgres_database_url, role=DatabaseRole.API)
    try:
        with pytest.raises(Exception, match="permission denied"):
            await deployment_care.claim(store, "one", 1)
        with pytest.raises(Exception, match="permission denied"):
            await deployment_care.in_production(store)
    finally:
        await store.close()
