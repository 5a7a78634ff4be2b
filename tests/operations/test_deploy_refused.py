"""What is not deployed, although its row says that it is approved; what is in production stays as it was."""

from tests.operations.deploying import an_agent, deploy_all, deployed, pointer_of, runs, waiting
from tests.operations.pipeline_world import stored, told
from tests.operations.world import process
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.isolation import Mechanism
from windtunnel.operations.code_host import CodeHost
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
