"""Agents with versions in production: each approved by another person, deployed by the rules, without any process."""

from collections.abc import Sequence

import orjson

from tests.operations.packages_world import mine
from tests.operations.pipeline_world import DIGEST, became, registered, review_of, stored, submitted
from tests.packages.world import manifest
from windtunnel.domain.agents import Agent, AgentVersion, Pointer, VersionState
from windtunnel.domain.audit import AuditEntry
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.ids import new_id
from windtunnel.domain.rollbacks import ProductionEvent, Rollback
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.services import Services
from windtunnel.storage import (
    agent_versions,
    agents,
    audit,
    deployments,
    releases,
    review_changes,
    rollback_care,
    tenant_logs,
)

REASON = "It answers in the wrong language."


async def reviewed(services: Services, viewer: Viewer, agent: Agent, version: str) -> Deployment:
    """A deployment of this version that waits for reviewers."""
    made = await submitted(services, viewer, agent, data=mine(version=version))
    made = await became(services, made, S.VALIDATING)
    await _bound(services, made, version)
    made = await became(services, made, S.IN_REVIEW)
    await review_changes.insert(services.store, await review_of(services, made), "s" * 64)
    return made


async def approved(services: Services, viewer: Viewer, agent: Agent, version: str) -> Deployment:
    """A deployment of this version that waits to be deployed."""
    return await became(services, await reviewed(services, viewer, agent, version), S.APPROVED)


async def go_live(services: Services, deployment: Deployment) -> list[AgentVersion] | None:
    """What a worker does with one that is APPROVED, up and well; the versions that are pruned then.

    None when it is too late for it: somebody else has set out to change production.
    """
    await became(services, deployment, S.DEPLOYING)
    store, tenant_id, agent_id = services.store, deployment.tenant_id, deployment.agent_id
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        begun = await releases.raise_fence(store, tenant_id, agent_id)
    return None if begun is None else await switch(services, deployment, begun.fence)


async def switch(services: Services, deployment: Deployment, fence: int) -> list[AgentVersion] | None:
    """The last step of `go_live`, under a fence that was raised before."""
    store, tenant_id, agent_id = services.store, deployment.tenant_id, deployment.agent_id
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        before = (await agents.pointers(store, tenant_id, [agent_id]))[agent_id]
        now = await stored(services, deployment)
        assert now.version_id
        pointer = await releases.switch(
            store,
            tenant_id,
            agent_id,
            fence=fence,
            version_id=now.version_id,
            deployment_id=now.id,
            package_digest=now.package_digest,
        )
        if pointer is None:
            return None
        if before.version_id is not None and before.version_id != now.version_id:
            assert await releases.put_aside(store, tenant_id, before.version_id, VersionState.STANDBY)
        assert await releases.bring_live(store, tenant_id, now.version_id, now.id, pointer.release_seq)
        if before.deployment_id is not None:
            old = await stored_by_id(services, tenant_id, before.deployment_id)
            await became(services, old, S.RETIRED)
        await became(services, now, S.LIVE)
        return await releases.prune(store, tenant_id, agent_id)


async def live(services: Services, viewer: Viewer, agent: Agent, *versions: str) -> Sequence[Deployment]:
    """Deployments of these versions, which went live one after the other."""
    made = [await approved(services, viewer, agent, version) for version in versions]
    for deployment in made:
        assert await go_live(services, deployment) is not None
    return [await stored(services, deployment) for deployment in made]


async def agent_with(services: Services, viewer: Viewer, *versions: str) -> Agent:
    """An agent whose versions went live one after the other."""
    agent = await registered(services, viewer, f"agent-{new_id()[-12:]}")
    await live(services, viewer, agent, *versions)
    return agent


async def rolled(services: Services, viewer: Viewer, agent: Agent, to: str | None = None, **given: str) -> Rollback:
    """A rollback that was just accepted; `to` is a version number."""
    target = None if to is None else (await versions_of(services, agent))[to].id
    return await rollback_deployment(services, viewer, RollbackRequest(agent.id, REASON, target, **given))


async def claimed(services: Services, owner: str = "deployer") -> Rollback:
    (found,) = await rollback_care.claim(services.store, owner, 100)
    return found


async def versions_of(services: Services, agent: Agent) -> dict[str, AgentVersion]:
    """The agent's versions by their numbers."""
    rows = await services.store.of(agent.tenant_id).fetch(
        "SELECT id FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2 ORDER BY created_ms", *_named(agent)
    )
    found = await agent_versions.get_many(services.store, agent.tenant_id, [row["id"] for row in rows])
    return {version.version: version for version in found.values()}


async def states(services: Services, agent: Agent) -> dict[str, str]:
    """The states of the agent's versions by their numbers."""
    return {number: version.state.value for number, version in (await versions_of(services, agent)).items()}


async def pointer_of(services: Services, agent: Agent) -> Pointer:
    return (await agents.pointers(services.store, agent.tenant_id, [agent.id]))[agent.id]


async def as_stored(services: Services, agent: Agent) -> Agent:
    found = await agents.get(services.store, agent.tenant_id, agent.id)
    assert found
    return found


async def stored_by_id(services: Services, tenant_id: str, deployment_id: str) -> Deployment:
    found = await deployments.get(services.store, tenant_id, deployment_id)
    assert found
    return found


async def production_events(services: Services, viewer: Viewer) -> Sequence[ProductionEvent]:
    return await tenant_logs.read_production(services.store, viewer.tenant_id, 0, 1_000)


async def on_record(services: Services, viewer: Viewer) -> list[AuditEntry]:
    return list(await audit.read(services.store, viewer.tenant_id, 0, 10_000))


async def _bound(services: Services, deployment: Deployment, number: str) -> None:
    """The version that validation makes, or has made of the same package before."""
    store, tenant_id = services.store, deployment.tenant_id
    async with store.transaction(tenant_id):
        scope = store.of(tenant_id)
        found = await scope.fetch(
            "SELECT id FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2 AND version = $3",
            tenant_id,
            deployment.agent_id,
            number,
        )
        version_id = found[0]["id"] if found else new_id()
        if not found:
            declared = manifest(version=number)
            await scope.fetch(
                "INSERT INTO agent_versions (id, tenant_id, agent_id, version, package_digest, manifest_digest,"
                " manifest, classification, submitted_by, created_ms, bound, state)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, {now}, TRUE, 'CANDIDATE')",
                version_id,
                tenant_id,
                deployment.agent_id,
                number,
                deployment.package_digest,
                DIGEST,
                orjson.dumps(declared).decode(),
                declared["data"]["classification"],
                deployment.submitted_by,
            )
        await scope.fetch(
            "UPDATE deployments SET version_id = $3, manifest_digest = $4 WHERE tenant_id = $1 AND id = $2",
            tenant_id,
            deployment.id,
            version_id,
            DIGEST,
        )


def _named(agent: Agent) -> tuple[str, str]:
    return agent.tenant_id, agent.id
