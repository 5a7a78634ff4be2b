"""What is not deployed, although its row says that it is approved; what is in production stays as it was."""

from datetime import timedelta
from typing import Any

import pytest

from tests.operations.deploying import an_agent, deploy_all, deployed, pointer_of, runs, waiting
from tests.operations.pipeline_world import stored, told
from tests.operations.world import process
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.isolation import Mechanism
from windtunnel.operations import deploy as deploying
from windtunnel.operations.bring_up import bring_up
from windtunnel.operations.code_host import CodeHost
from windtunnel.storage import audit
from windtunnel.storage.store import Store


async def test_an_edited_blob_is_not_deployed(database_url: str) -> None:
    async with process(database_url) as services:
        made = await waiting(services)
        path = await services.blobs.path(made.package_digest)
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        await deploy_all(services)
        made = await stored(services, made)
        assert made.status is S.DEPLOY_FAILED
        assert (made.failure or "").startswith("DIGEST_MISMATCH: ")
        assert (await pointer_of(services, made)).version_id is None
        assert (await told(services, made))[-1].message == made.failure


async def test_a_voter_who_may_not_vote_any_more_stops_it(database_url: str) -> None:
    async with process(database_url) as services:
        made = await waiting(services)
        await services.store.of(made.tenant_id).fetch(
            "DELETE FROM memberships WHERE tenant_id = $1 AND role = 'SECURITY_REVIEWER'", made.tenant_id
        )
        await deploy_all(services)
        made = await stored(services, made)
        assert (made.status, made.approval) == (S.DEPLOY_FAILED, None)
        assert (made.failure or "").startswith("APPROVAL_INVALID: ")


async def test_an_approval_of_another_deployment_is_not_believed(database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        first = await deployed(services, agent)
        second = await waiting(services, agent)
        await services.store.of(agent.tenant_id).fetch(
            "UPDATE deployments SET approval = $3 WHERE tenant_id = $1 AND id = $2",
            agent.tenant_id,
            second.id,
            first.approval,
        )
        await deploy_all(services)
        second = await stored(services, second)
        assert second.status is S.DEPLOY_FAILED
        assert (second.failure or "").startswith("APPROVAL_INVALID: ")


@pytest.mark.parametrize("late", [timedelta(), -timedelta(seconds=30)], ids=["at the end", "half a minute before"])
async def test_an_attempt_that_began_in_time_and_came_up_too_late_lapses(
    database_url: str, monkeypatch: pytest.MonkeyPatch, late: timedelta
) -> None:
    async with process(database_url) as services:
        made = await waiting(services)

        async def slowly(*given: Any) -> None:
            await bring_up(*given)
            assert made.execute_by
            services.store.clock_offset = made.execute_by + late - await services.store.now()

        monkeypatch.setattr(deploying, "bring_up", slowly)
        await deploy_all(services)
        made = await stored(services, made)
        if late:
            assert made.status is S.LIVE
            return
        assert (made.status, (await pointer_of(services, made)).version_id) == (S.LAPSED, None)
        assert [event.status for event in await told(services, made)][-2:] == [S.DEPLOY_FAILED, S.LAPSED]
        assert (made.failure or "").startswith("TIMEOUT: Its approval ended before it was in production.")
        assert await runs(services) == {}
        entries = await audit.read(services.store, made.tenant_id, 0, 1_000)
        assert [entry.action for entry in entries if entry.subject_id == made.id][-2:] == [
            AuditAction.DEPLOYMENT_FAILED,
            AuditAction.DEPLOYMENT_LAPSED,
        ]


async def test_below_the_isolation_that_a_tenant_wants_nothing_is_deployed(sqlite_url: str) -> None:
    lesser = CodeHost(without=frozenset({Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP}))
    async with process(sqlite_url, code_host=lesser) as services:
        made = await deployed(services)
        assert made.status is S.DEPLOY_FAILED
        assert (made.failure or "").startswith("POLICY_VIOLATION: Isolation is ")
        assert await runs(services) == {}


async def test_an_edited_manifest_row_is_not_deployed(unguarded: Store, database_url: str) -> None:
    async with process(database_url) as services:
        made = await waiting(services)
        unbound = {
            "postgres": "ALTER TABLE agent_versions DISABLE TRIGGER USER",
            "sqlite": "DROP TRIGGER agent_versions_go_on",
        }
        await unguarded.fetch(unbound[unguarded.dialect])
        await unguarded.fetch(
            "UPDATE agent_versions SET manifest = REPLACE(manifest, 'Sorts', 'Loses') WHERE id = $1", made.version_id
        )
        await deploy_all(services)
        made = await stored(services, made)
        assert made.status is S.DEPLOY_FAILED
        assert (made.failure or "").startswith("APPROVAL_INVALID: ")
        assert (await pointer_of(services, made)).version_id is None
