"""How a rollback ends: the version is restored, all at once, or what is in production stays there."""

from dataclasses import dataclass

from windtunnel.domain.agents import Agent, AgentVersion, Pointer, VersionState
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.eligibility import restorable
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.rollbacks import ProductionEventKind, Rollback
from windtunnel.domain.viewers import Role
from windtunnel.operations.audit_trail import record
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import (
    agent_versions,
    agents,
    deployment_changes,
    deployment_events,
    deployments,
    people,
    releases,
    rollback_changes,
    tenant_logs,
)
from windtunnel.storage.errors import LeaseLostError

TOO_SLOW = "The version was not restored within 60 seconds."


class CannotRestoreError(Exception):
    """The version cannot be restored, whoever tries; the text is for people."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rollback is about. `deployment` is what it takes away, `restored` what put its target into production."""

    agent: Agent
    current: AgentVersion
    target: AgentVersion
    deployment: Deployment
    restored: Deployment


async def parts_of(services: Services, rollback: Rollback) -> Parts:
    """As it is now. Raises CannotRestoreError when the target was never deployed."""
    store, tenant_id = services.home.store, rollback.tenant_id
    found = await agents.get(store, tenant_id, rollback.agent_id)
    versions = await agent_versions.get_many(store, tenant_id, [rollback.from_version_id, rollback.to_version_id])
    target = versions[rollback.to_version_id]
    approved = target.approved_deployment_id
    known = await deployments.get_many(store, tenant_id, [rollback.deployment_id, *([approved] if approved else [])])
    if found is None or approved is None:
        raise CannotRestoreError(f"Version {target.version} was never in production.")
    return Parts(found, versions[rollback.from_version_id], target, known[rollback.deployment_id], known[approved])


async def complete(services: Services, rollback: Rollback) -> Pointer:
    """What is in production from now on: the target, which is up and well.

    Raises LeaseLostError when somebody else carries it out, or its time is over, CannotRestoreError when something has
    changed that cannot have; then nothing is done.
    """
    store, tenant_id = services.home.store, rollback.tenant_id
    news = News(tenant_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        done = await rollback_changes.succeeded(store, rollback)
        if done is None:
            raise LeaseLostError(rollback.id)
        parts = await parts_of(services, rollback)
        pointer = await _switch(services, done, parts, news)
        news.production.append(
            await tenant_logs.append_production(
                store,
                tenant_id,
                ProductionEventKind.ROLLBACK_COMPLETED,
                agent_id=parts.agent.id,
                version_id=parts.target.id,
                previous_id=parts.current.id,
            )
        )
        await _tell_of_success(services, done, parts, news)
        await _record_success(services, done, parts)
    await tell(services, news)
    return pointer


async def fail(services: Services, rollback: Rollback, failure: str) -> bool:
    """End a rollback that cannot succeed any more: what is in production stays there, and operators are called.

    False when it is over already, or somebody else carries it out and still has time.
    """
    store, tenant_id = services.home.store, rollback.tenant_id
    news = News(tenant_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        ended = await rollback_changes.failed(store, rollback, failure)
        if ended is None:
            return False
        await _tell_of_failure(services, ended, failure, news)
        await record(
            services,
            None,
            tenant_id,
            AuditAction.ROLLBACK_FAILED,
            Subject(Kind.ROLLBACK, rollback.id),
            reason=failure,
            details={"agentId": Subject(Kind.AGENT, rollback.agent_id), "durationMs": ended.duration_ms},
            request_id=rollback.request_id,
        )
        news.work = True
    await tell(services, news)
    return True


async def _switch(services: Services, rollback: Rollback, parts: Parts, news: News) -> Pointer:
    store, tenant_id, target = services.home.store, rollback.tenant_id, parts.target
    pointer = await releases.switch(
        store,
        tenant_id,
        parts.agent.id,
        fence=rollback.pointer_fence,
        version_id=target.id,
        deployment_id=parts.restored.id,
        package_digest=target.package_digest,
    )
    taken = await releases.put_aside(store, tenant_id, parts.current.id, VersionState.QUARANTINED, rollback.reason)
    if pointer is None or taken is None:
        raise CannotRestoreError("Something else was put into production meanwhile.")
    if await releases.bring_live(store, tenant_id, target.id, parts.restored.id, pointer.release_seq) is None:
        raise CannotRestoreError(f"Version {target.version} cannot be restored any more.")
    back = f"Version {parts.current.version} was taken out of production by a rollback: {rollback.reason}"
    away = await deployment_changes.change(
        store,
        tenant_id,
        parts.deployment.id,
        expected={DeploymentStatus.LIVE},
        draft=DeploymentEventDraft(DeploymentStatus.ROLLED_BACK, "rolled_back", back, progress=1.0),
        exprs={"finished_ms": "{now}"},
    )
    again = await deployment_changes.change(
        store,
        tenant_id,
        parts.restored.id,
        expected={DeploymentStatus.RETIRED, DeploymentStatus.ROLLED_BACK},
        draft=DeploymentEventDraft(
            DeploymentStatus.LIVE, "restored", f"Version {target.version} is in production again.", progress=1.0
        ),
        exprs={"finished_ms": "NULL", "deployed_ms": "{now}"},
    )
    if away is None or again is None:
        raise CannotRestoreError("Something else was put into production meanwhile.")
    news.of(away)
    news.of(again)
    return pointer


async def _tell_of_success(services: Services, rollback: Rollback, parts: Parts, news: News) -> None:
    seconds = (rollback.duration_ms or 0) / 1000
    news.notices.append(
        await notify(
            services,
            rollback.tenant_id,
            NotificationKind.ROLLBACK_COMPLETED,
            title=f"Rollback completed: {parts.agent.name} {parts.target.version}",
            body=(
                f"Version {parts.target.version} is in production again, after {seconds:.1f} seconds. Version"
                f" {parts.current.version} cannot be restored until a security reviewer releases it."
            ),
            subject=Subject(Kind.ROLLBACK, rollback.id),
            recipients=sorted({*rollback.told, parts.restored.submitted_by}),
        )
    )


async def _record_success(services: Services, rollback: Rollback, parts: Parts) -> None:
    subject = Subject(Kind.ROLLBACK, rollback.id)
    agent = Subject(Kind.AGENT, parts.agent.id)
    await record(
        services,
        None,
        rollback.tenant_id,
        AuditAction.VERSION_QUARANTINED,
        Subject(Kind.AGENT_VERSION, parts.current.id),
        reason=rollback.reason,
        details={
            "agentId": agent,
            "rollbackId": subject,
            "version": parts.current.version,
            "packageDigest": parts.current.package_digest,
        },
        request_id=rollback.request_id,
    )
    await record(
        services,
        None,
        rollback.tenant_id,
        AuditAction.ROLLBACK_COMPLETED,
        subject,
        reason=rollback.reason,
        details={
            "agentId": agent,
            "deploymentId": Subject(Kind.DEPLOYMENT, parts.restored.id),
            "fromVersion": parts.current.version,
            "fromDigest": parts.current.package_digest,
            "toVersion": parts.target.version,
            "toDigest": parts.target.package_digest,
            "durationMs": rollback.duration_ms,
        },
        request_id=rollback.request_id,
    )


async def _tell_of_failure(services: Services, rollback: Rollback, failure: str, news: News) -> None:
    store, tenant_id, agent_id = services.home.store, rollback.tenant_id, rollback.agent_id
    agent = (await agents.get_many(store, tenant_id, [agent_id]))[agent_id]
    named = await agent_versions.get_many(store, tenant_id, [rollback.from_version_id, rollback.to_version_id])
    current, target = named[rollback.from_version_id].version, named[rollback.to_version_id].version
    message = f"Version {target} was not restored, {current} stays in production: {failure}"
    draft = DeploymentEventDraft(DeploymentStatus.LIVE, "rollback_failed", message)
    if event := await deployment_events.append(store, tenant_id, rollback.deployment_id, draft):
        news.deployments.append(event)
    news.production.append(
        await tenant_logs.append_production(
            store,
            tenant_id,
            ProductionEventKind.ROLLBACK_FAILED,
            agent_id=agent_id,
            version_id=rollback.to_version_id,
            previous_id=rollback.from_version_id,
        )
    )
    news.notices.append(
        await notify(
            services,
            tenant_id,
            NotificationKind.ROLLBACK_FAILED,
            title=f"Rollback failed: {agent.name} {target}",
            body=f"{message} {await _instead(services, rollback)}",
            subject=Subject(Kind.ROLLBACK, rollback.id),
            recipients=sorted({*rollback.told, *await people.with_role(store, tenant_id, Role.ADMIN)}),
        )
    )


async def _instead(services: Services, rollback: Rollback) -> str:
    """What could be restored in the place of the target."""
    store, tenant_id, agent_id = services.home.store, rollback.tenant_id, rollback.agent_id
    pointer = (await agents.pointers(store, tenant_id, [agent_id])).get(agent_id)
    others = restorable(await releases.retained(store, tenant_id, agent_id), pointer, await store.now())
    other = next((version for version in others if version.id != rollback.to_version_id), None)
    return f"Version {other.version} can be restored instead." if other else "No other version can be restored."
