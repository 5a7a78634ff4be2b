"""What people and records are told of the end of a rollback."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.eligibility import restorable
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.rollbacks import ProductionEventKind, Rollback
from windtunnel.domain.viewers import Role
from windtunnel.operations.audit_trail import record
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News
from windtunnel.operations.rollback_parts import Parts
from windtunnel.operations.services import Services
from windtunnel.storage import (
    agent_versions,
    agents,
    deployment_events,
    people,
    releases,
    tenant_logs,
)


async def tell_of_success(services: Services, rollback: Rollback, parts: Parts, news: News) -> None:
    """To those who were told of its beginning, and to whoever submitted what is back."""
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


async def record_success(services: Services, rollback: Rollback, parts: Parts) -> None:
    """What was taken away is quarantined, what was there before is back."""
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


async def tell_of_failure(services: Services, rollback: Rollback, failure: str, news: News) -> None:
    """To those who were told of its beginning, and to every ADMIN, with what could be restored instead."""
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
