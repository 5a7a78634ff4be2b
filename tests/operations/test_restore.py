"""Carrying rollbacks out with real processes: quickly, once, and never to what is not what was approved."""

import asyncio
from datetime import timedelta

import pytest

from tests.operations.deploying import an_agent, another, deploy_all, deployed, pointer_of, release_of, runs, waiting
from tests.operations.inboxes import inbox
from tests.operations.pipeline_world import stored
from tests.operations.releases_world import REASON, as_stored, claimed, on_record, states
from tests.operations.world import LEASE_S, demo, process
from windtunnel.deploying.target import ReleaseState
from windtunnel.domain.agents import Agent
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.flags import Flag
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.rollbacks import Rollback, RollbackStatus
from windtunnel.operations import restore as restoring
from windtunnel.operations.release_hold import release_hold
from windtunnel.operations.restore import give_up, restore
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.services import Services
from windtunnel.operations.set_feature_flag import set_feature_flag
from windtunnel.storage import rollback_care, rollbacks
from windtunnel.storage.errors import ConstraintError, LeaseLostError


async def asked(services: Services, agent: Agent) -> Rollback:
    return await rollback_deployment(services, await demo(services), RollbackRequest(agent.id, REASON))


async def carried_out(services: Services, agent: Agent) -> Rollback:
    """A rollback that was asked for, and that a worker has dealt with."""
    rollback = await asked(services, agent)
    await restore(services, await claimed(services))
    return await now(services, rollback)


async def now(services: Services, rollback: Rollback) -> Rollback:
    found = await rollbacks.get(services.store, rollback.tenant_id, rollback.id)
    assert found
    return found


async def two_versions(services: Services) -> tuple[Agent, Deployment, Deployment]:
    agent = await an_agent(services)
    return agent, await deployed(services, agent), await deployed(services, agent)


async def test_what_is_warm_is_in_production_at_once(database_url: str) -> None:
    async with process(database_url) as one:
        agent, first, second = await two_versions(one)
        waits = await waiting(one, agent)
        rollback = await carried_out(one, agent)
        assert (rollback.status, rollback.step, rollback.lease_owner) == (RollbackStatus.SUCCEEDED, "completed", None)
        assert await runs(one) == {release_of(first): ReleaseState.LIVE, release_of(second): ReleaseState.WARM}
        assert [(await stored(one, each)).status for each in (first, second, waits)] == [S.LIVE, S.ROLLED_BACK, S.HELD]
        await deploy_all(one)
        assert (await stored(one, waits)).status is S.HELD  # nothing deploys behind the operator's back
        await release_hold(one, await demo(one), agent.id, "The new one mends it.")
        await deploy_all(one)
        assert [(await stored(one, each)).status for each in (first, waits)] == [S.RETIRED, S.LIVE]


async def test_what_is_cold_is_started(database_url: str) -> None:
    async with process(database_url) as one:
        agent, first, second = await two_versions(one)
        async with another(one, database_url) as other:
            assert await runs(other) == {}
            rollback = await asked(one, agent)
            await restore(other, await claimed(other))
            assert (await now(one, rollback)).status is RollbackStatus.SUCCEEDED
            assert await runs(other) == {release_of(first): ReleaseState.LIVE}
            assert (await pointer_of(one, second)).deployment_id == first.id


async def test_it_works_with_the_flag_off(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        agent, *_ = await two_versions(one)
        await set_feature_flag(one, await demo(one), Flag.DEPLOYMENT_PIPELINE.value, enabled=False)
        assert (await carried_out(one, agent)).status is RollbackStatus.SUCCEEDED


@pytest.mark.parametrize("tampered", ["blob", "approval"])
async def test_what_is_not_what_was_approved_is_not_restored(database_url: str, tampered: str) -> None:
    async with process(database_url) as one:
        agent, first, second = await two_versions(one)
        if tampered == "blob":
            path = await one.blobs.path(first.package_digest)
            path.chmod(0o600)
            path.write_bytes(path.read_bytes()[:-1] + b"x")
        else:
            await one.store.of(agent.tenant_id).fetch(
                "UPDATE deployments SET approval = $3 WHERE tenant_id = $1 AND id = $2",
                agent.tenant_id,
                first.id,
                second.approval,
            )
        async with another(one, database_url) as other:
            rollback = await asked(one, agent)
            await restore(other, await claimed(other))
            assert await runs(other) == {}
        failed = await now(one, rollback)
        code = ErrorCode.DIGEST_MISMATCH if tampered == "blob" else ErrorCode.APPROVAL_INVALID
        assert failed.status is RollbackStatus.FAILED
        assert (failed.failure or "").startswith(f"{code}: ")
        assert (await stored(one, second)).status is S.LIVE
        assert (await pointer_of(one, second)).deployment_id == second.id
        entry = (await on_record(one, await demo(one)))[-1]
        assert (entry.action, entry.reason) == (AuditAction.ROLLBACK_FAILED, failed.failure)


async def test_what_does_not_come_up_any_more_fails_and_production_stays(database_url: str) -> None:
    async with process(database_url) as one:
        agent, first, second = await two_versions(one)
        await one.blobs.delete(first.package_digest)
        async with another(one, database_url) as other:
            rollback = await asked(one, agent)
            await restore(other, await claimed(other))
            assert await runs(other) == {}
        assert (await now(one, rollback)).status is RollbackStatus.FAILED
        assert (await stored(one, second)).status is S.LIVE
        told = [each.kind for each in await inbox(one, await demo(one))]
        assert told.count(NotificationKind.ROLLBACK_FAILED) == 1
        assert (await as_stored(one, agent)).held_by == rollback.id


async def test_what_hangs_has_failed_after_a_minute(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with process(sqlite_url) as one:
        agent, _, second = await two_versions(one)
        rollback = await asked(one, agent)
        held = await claimed(one)

        async def hang(*_: object) -> None:
            one.store.clock_offset += timedelta(seconds=60)
            raise TimeoutError

        monkeypatch.setattr(restoring, "bring_up", hang)
        await restore(one, held)
        ended = await now(one, rollback)
        assert (ended.status, ended.failure) == (
            RollbackStatus.FAILED,
            "The version was not restored within 60 seconds.",
        )
        assert (await stored(one, second)).status is S.LIVE
        assert not await give_up(one, held)
        one.store.clock_offset += timedelta(seconds=60)
        late = await rolled_late(one, agent)
        await restore(one, late)
        assert (await now(one, late)).status is RollbackStatus.FAILED


async def rolled_late(services: Services, agent: Agent) -> Rollback:
    """A rollback whose time is over by now."""
    await asked(services, agent)
    held = await claimed(services)
    services.store.clock_offset += timedelta(seconds=61)
    return held


async def test_of_two_who_carry_it_out_one_does(database_url: str) -> None:
    async with process(database_url) as one, another(one, database_url) as other:
        agent, first, _ = await two_versions(one)
        for _ in range(2):
            rollback = await asked(one, agent)
            slow = await claimed(one, "slow")
            one.store.clock_offset = other.store.clock_offset = other.store.clock_offset + timedelta(
                seconds=LEASE_S + 1
            )
            heir = await claimed(other, "heir")
            ended = await asyncio.gather(restore(one, slow), restore(other, heir), return_exceptions=True)
            assert [type(each) for each in ended] == [LeaseLostError, type(None)]
            assert (await now(one, rollback)).status is RollbackStatus.SUCCEEDED
            done = [each for each in await on_record(one, await demo(one)) if each.subject_id == rollback.id]
            assert [each.action for each in done] == [AuditAction.ROLLBACK_STARTED, AuditAction.ROLLBACK_COMPLETED]
            await deployed(one, agent)
        assert (await stored(one, first)).status in {S.RETIRED, S.LIVE}


async def test_what_is_being_restored_cannot_be_pruned(database_url: str) -> None:
    async with process(database_url) as one:
        agent, first, _ = await two_versions(one)
        await asked(one, agent)
        with pytest.raises(ConstraintError):
            await one.store.of(agent.tenant_id).fetch(
                "UPDATE agent_versions SET state = 'PRUNED', pruned_ms = {now} WHERE tenant_id = $1 AND id = $2",
                agent.tenant_id,
                first.version_id,
            )
        assert sorted((await states(one, agent)).values()) == ["LIVE", "STANDBY"]
        assert await rollback_care.overdue(one.store) == []
