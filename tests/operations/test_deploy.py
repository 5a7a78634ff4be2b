"""Deploying: what comes of it, what stays as it was when it fails, and who cannot have their way."""

import asyncio
from datetime import timedelta

import pytest

from tests.operations.deploying import (
    HANGING,
    SICK,
    an_agent,
    claimed,
    deploy_all,
    deployed,
    pointer_of,
    release_of,
    runs,
    submitter,
    version_of,
    waiting,
)
from tests.operations.pipeline_world import stored, told
from tests.operations.world import process
from windtunnel.deploying.target import ReleaseState
from windtunnel.domain.agents import VersionState
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.rollbacks import ProductionEventKind
from windtunnel.operations import deploy as deploying
from windtunnel.operations.deploy import deploy
from windtunnel.operations.lapse_deployment import lapse_deployment
from windtunnel.operations.retry_deployment import retry_deployment
from windtunnel.operations.services import Services
from windtunnel.storage import audit, deployment_care, notifications, tenant_logs
from windtunnel.storage.errors import LeaseLostError

DAY = timedelta(days=1)


async def audited(services: Services, deployment: Deployment) -> list[str]:
    entries = await audit.read(services.store, deployment.tenant_id, 0, 10_000)
    return [entry.action for entry in entries if entry.subject.id == deployment.id]


async def noticed(services: Services, deployment: Deployment) -> dict[NotificationKind, str]:
    """The titles of what its developer was told."""
    viewer = await submitter(services)
    page = await notifications.page(services.store, viewer.tenant_id, viewer.user.id, PageRequest(100))
    return {each.kind: each.title for each in page.items if each.subject.id == deployment.id}


async def test_what_is_approved_goes_into_production(database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        made = await deployed(services, agent)
        version, pointer = await version_of(services, made), await pointer_of(services, made)
        assert (made.status, made.attempts, made.failure, made.lease_owner) == (S.LIVE, 1, None, None)
        assert made.approval
        assert made.deployed_at
        assert version.first_live_at
        assert pointer.live_since
        assert (version.state, version.version_seq, version.approved_deployment_id) == (VersionState.LIVE, 1, made.id)
        assert (pointer.deployment_id, pointer.version_id, pointer.package_digest, pointer.release_seq) == (
            made.id,
            version.id,
            made.package_digest,
            1,
        )
        assert await runs(services) == {release_of(made): ReleaseState.LIVE}
        assert [event.step for event in await told(services, made)][-5:] == [
            "deploying",
            "approval",
            "starting",
            "healthy",
            "live",
        ]
        assert (await audited(services, made))[-2:] == [
            AuditAction.DEPLOYMENT_STARTED,
            AuditAction.DEPLOYMENT_COMPLETED,
        ]
        told_of_it = (await noticed(services, made))[NotificationKind.DEPLOYMENT_SUCCEEDED]
        assert told_of_it == f"In production: {agent.name} {version.version}"
        (event,) = await tenant_logs.read_production(services.store, made.tenant_id, 0, 10)
        assert (event.kind, event.agent_id, event.version_id, event.previous_id) == (
            ProductionEventKind.VERSION_LIVE,
            made.agent_id,
            version.id,
            None,
        )


async def test_the_next_version_retires_the_one_before(database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        first = await deployed(services, agent)
        second = await deployed(services, agent)
        first = await stored(services, first)
        assert (first.status, second.status) == (S.RETIRED, S.LIVE)
        assert first.finished_at
        assert (await version_of(services, first)).state is VersionState.STANDBY
        assert (await version_of(services, second)).version_seq == 2
        assert await runs(services) == {release_of(first): ReleaseState.WARM, release_of(second): ReleaseState.LIVE}
        events = await tenant_logs.read_production(services.store, agent.tenant_id, 0, 10)
        assert [(event.version_id, event.previous_id) for event in events] == [
            (first.version_id, None),
            (second.version_id, first.version_id),
        ]


async def test_at_most_ten_versions_are_retained(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        agent = await an_agent(services)
        made = [await deployed(services, agent) for _ in range(11)]
        states = [(await version_of(services, each)).state for each in made]
        assert states == [VersionState.PRUNED, *[VersionState.STANDBY] * 9, VersionState.LIVE]
        assert release_of(made[0]) not in await runs(services)


async def test_what_is_not_well_leaves_production_as_it_was(database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        first = await deployed(services, agent)
        before = await pointer_of(services, first)
        second = await deployed(services, agent, health=SICK)
        after = await pointer_of(services, first)
        assert (second.status, second.attempts, second.lease_owner) == (S.DEPLOY_FAILED, 1, None)
        assert second.failure
        assert second.failure.startswith("UNAVAILABLE: Its health command fails.")
        assert "out of order" in second.failure
        assert (await told(services, second))[-1].message == second.failure
        assert (after.release_seq, after.deployment_id) == (before.release_seq, first.id)
        assert (await stored(services, first)).status is S.LIVE
        assert await runs(services) == {release_of(first): ReleaseState.LIVE}
        assert (await audited(services, second))[-1] == AuditAction.DEPLOYMENT_FAILED
        told_of_it = (await noticed(services, second))[NotificationKind.DEPLOYMENT_FAILED]
        assert told_of_it == f"Deployment failed: {agent.name} {(await version_of(services, second)).version}"


async def test_it_is_tried_three_times_and_then_lapses(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await submitter(services)
        agent = await an_agent(services)
        made = await deployed(services, agent, health=SICK)
        for attempt in (2, 3):
            await retry_deployment(services, viewer, made.id)
            await deploy_all(services)
            made = await stored(services, made)
            assert (made.status, made.attempts) == (S.DEPLOY_FAILED, attempt)
        assert not await lapse_deployment(services, made.tenant_id, made.id)
        services.store.clock_offset = DAY
        (due,) = await deployment_care.due(services.store)
        assert (due.id, due.due) == (made.id, deployment_care.DeploymentDue.LAPSED)
        lapsed = await asyncio.gather(*(lapse_deployment(services, made.tenant_id, made.id) for _ in range(4)))
        assert sorted(lapsed) == [False, False, False, True]
        assert (await stored(services, made)).status is S.LAPSED
        assert (await audited(services, made)).count(AuditAction.DEPLOYMENT_LAPSED) == 1
        told_of_it = (await noticed(services, made))[NotificationKind.DEPLOYMENT_LAPSED]
        assert told_of_it == f"Deployment lapsed: {agent.name} {(await version_of(services, made)).version}"


async def test_what_is_too_late_is_not_begun(database_url: str) -> None:
    async with process(database_url) as services:
        made = await waiting(services)
        services.store.clock_offset = DAY
        assert await claimed(services) == []
        assert await lapse_deployment(services, made.tenant_id, made.id)


async def test_one_agent_is_deployed_one_after_the_other(database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        made = [await waiting(services, agent) for _ in range(3)]
        for _ in range(3):
            services.store.clock_offset += timedelta(seconds=1)
            await asyncio.gather(*(deploy(services, each) for each in await claimed(services)))
        found = [(await stored(services, each)).status for each in made]
        assert sorted(found) == [S.LIVE, S.RETIRED, S.RETIRED]
        assert (await pointer_of(services, made[0])).release_seq == 3


async def test_a_rollback_that_was_sooner_holds_it_back(database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        made = await waiting(services, agent)
        await services.store.of(made.tenant_id).fetch(
            "UPDATE agents SET held_by = 'somebody', held_ms = {now} WHERE tenant_id = $1 AND id = $2",
            made.tenant_id,
            made.agent_id,
        )
        await deploy_all(services)
        made = await stored(services, made)
        assert (made.status, made.attempts, made.lease_owner) == (S.HELD, 0, None)
        told_of_it = (await noticed(services, made))[NotificationKind.DEPLOYMENT_HELD]
        assert told_of_it == f"Deployment held back: {agent.name} {(await version_of(services, made)).version}"


async def test_who_was_at_it_before_cannot_change_anything(database_url: str) -> None:
    async with process(database_url) as services:
        await waiting(services)
        (slow,) = await claimed(services, "slow")
        services.store.clock_offset = timedelta(minutes=1)
        (heir,) = await claimed(services, "heir")
        assert heir.fence == slow.fence + 1
        with pytest.raises(LeaseLostError):
            await deploy(services, slow)
        await deploy(services, heir)
        with pytest.raises(LeaseLostError):
            await deploy(services, slow)
        assert (await stored(services, heir)).status is S.LIVE
        assert (await audited(services, heir)).count(AuditAction.DEPLOYMENT_COMPLETED) == 1


async def test_what_hangs_is_given_up(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploying, "ATTEMPT_S", 1.0)
    async with process(sqlite_url) as services:
        made = await deployed(services, health=HANGING)
        assert made.status is S.DEPLOY_FAILED
        assert (made.failure or "").startswith("TIMEOUT: ")
        assert await runs(services) == {}


async def test_a_pointer_that_another_has_claimed_is_claimed_again(database_url: str) -> None:
    async with process(database_url) as services:
        made = await waiting(services)
        (held,) = await claimed(services)
        brought_up, rounds = deploying.bring_up, []  # type: ignore[attr-defined]

        async def overtaken(*about: object) -> None:
            rounds.append(about)
            await brought_up(*about)  # type: ignore[arg-type]
            if len(rounds) == 1:
                await services.store.of(made.tenant_id).fetch(
                    "UPDATE pointers SET fence = fence + 1 WHERE tenant_id = $1", made.tenant_id
                )

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(deploying, "bring_up", overtaken)
            await deploy(services, held)
        assert (len(rounds), (await stored(services, made)).status) == (2, S.LIVE)
