"""How a rollback ends: the version is restored, all at once, or what is in production stays there."""

from windtunnel.domain.agents import Pointer, VersionState
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.rollbacks import ProductionEventKind, Rollback
from windtunnel.operations.audit_trail import record
from windtunnel.operations.news_of_restoring import record_success, tell_of_failure, tell_of_success
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.rollback_parts import CannotRestoreError, Parts, parts_of
from windtunnel.operations.services import Services
from windtunnel.storage import (
    deployment_changes,
    releases,
    rollback_changes,
    tenant_logs,
)
from windtunnel.storage.errors import LeaseLostError

TOO_SLOW = "The version was not restored within 60 seconds."


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
        await tell_of_success(services, done, parts, news)
        await record_success(services, done, parts)
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
        await tell_of_failure(services, ended, failure, news)
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
