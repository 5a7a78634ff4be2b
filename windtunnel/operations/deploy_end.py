"""How an attempt to deploy ends: the version is in production, all at once, or what is in production stays there."""

from dataclasses import dataclass

from windtunnel.deploying.target import Release
from windtunnel.domain.agents import AgentVersion, Pointer, VersionState
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployment_words import what_helps
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.rollbacks import ProductionEventKind
from windtunnel.domain.viewers import Role
from windtunnel.domain.words import sentence
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import name_of
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_care, deployment_changes, people, releases, tenant_logs
from windtunnel.storage.deployment_care import FREE
from windtunnel.storage.errors import LeaseLostError

_DEPLOYING = frozenset({DeploymentStatus.DEPLOYING})


class OvertakenError(Exception):
    """Somebody has set out to change what is in production since; nothing is done."""


class TooLateError(Exception):
    """The approval ended while the attempt went on; nothing is done."""


class QuarantinedError(Exception):
    """The version may not go into production; the text is for people."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What is in production now, and what is not retained any more."""

    pointer: Pointer
    pruned: list[Release]


async def complete(services: Services, deployment: Deployment, begun: Pointer) -> Completed:
    """DEPLOYING -> LIVE, and all that follows from it; `begun` is the pointer as the attempt has begun.

    Raises LeaseLostError, OvertakenError, QuarantinedError, TooLateError; nothing is done then.
    """
    store, tenant_id = services.home.store, deployment.tenant_id
    news = News(tenant_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        version_id = deployment.version_id or ""
        # First of all, since what others have put into production meanwhile would be in the way of all that follows.
        pointer = await _switch(services, deployment, begun, version_id)
        if begun.deployment_id is not None:
            await _retire(services, tenant_id, begun.deployment_id, news)
        changed = await deployment_changes.change(
            store,
            tenant_id,
            deployment.id,
            expected=_DEPLOYING,
            draft=DeploymentEventDraft(DeploymentStatus.LIVE, "live", "It is in production.", None, 1.0),
            values={"failure": None},
            exprs={**FREE, "deployed_ms": "{now}", "finished_ms": "NULL"},
            fence=deployment.fence,
            where="execute_by_ms > {now}",
        )
        if changed is None:
            raise await _why_not(services, deployment)
        deployment = news.of(changed)
        version = await _bring_live(services, deployment, begun, pointer, version_id)
        pruned = await releases.prune(store, tenant_id, deployment.agent_id)
        news.production.append(
            await tenant_logs.append_production(
                store,
                tenant_id,
                ProductionEventKind.VERSION_LIVE,
                agent_id=deployment.agent_id,
                version_id=version_id,
                previous_id=begun.version_id,
            )
        )
        await _tell_of_success(services, deployment, news)
        await _record_success(services, deployment, version, begun, pruned)
    await tell(services, news)
    return Completed(pointer, [Release(tenant_id, each.agent_id, each.package_digest) for each in pruned])


async def fail(services: Services, deployment: Deployment, code: ErrorCode, reason: str) -> None:
    """DEPLOYING -> DEPLOY_FAILED; what is in production stays. Raises LeaseLostError."""
    store, tenant_id, subject = services.home.store, deployment.tenant_id, Subject(Kind.DEPLOYMENT, deployment.id)
    news = News(tenant_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        in_time = deployment.execute_by is not None and await store.now() < deployment.execute_by
        advice = what_helps(code, deployment.attempts, in_time=in_time)
        reason = sentence(reason)
        failure = f"{code}: {reason}"
        changed = await deployment_changes.change(
            store,
            tenant_id,
            deployment.id,
            expected=_DEPLOYING,
            draft=DeploymentEventDraft(DeploymentStatus.DEPLOY_FAILED, "failed", failure),
            values={"failure": failure},
            exprs=FREE,
            fence=deployment.fence,
        )
        if changed is None:
            raise LeaseLostError(deployment.id)
        deployment = news.of(changed)
        operators = sorted(await people.with_role(store, tenant_id, Role.OPERATOR))
        news.notices.append(
            await notify(
                services,
                tenant_id,
                NotificationKind.DEPLOYMENT_FAILED,
                title=f"Deployment failed: {await name_of(services, deployment)}",
                body=f"{reason} What was in production still is. {advice}",
                subject=subject,
                recipients=dict.fromkeys([deployment.submitted_by, *operators]),
            )
        )
        await record(
            services,
            None,
            tenant_id,
            AuditAction.DEPLOYMENT_FAILED,
            subject,
            reason=failure,
            details={"attempt": deployment.attempts, "code": code.value},
            request_id=deployment.request_id,
        )
    await tell(services, news)


async def _why_not(services: Services, deployment: Deployment) -> LeaseLostError | TooLateError:
    """Why what was to go live did not: when it is this one's to deploy still, the approval was over."""
    now = await deployment_care.under_fence(services.home.store, deployment)
    is_ours = now is not None and now.status in _DEPLOYING
    return TooLateError() if is_ours else LeaseLostError(deployment.id)


async def _retire(services: Services, tenant_id: str, deployment_id: str, news: News) -> None:
    """LIVE -> RETIRED, if it is; what was in production when the attempt began cannot have changed unnoticed."""
    draft = DeploymentEventDraft(DeploymentStatus.RETIRED, "retired", "Another version is in production.")
    changed = await deployment_changes.change(
        services.home.store,
        tenant_id,
        deployment_id,
        expected={DeploymentStatus.LIVE},
        draft=draft,
        exprs={"finished_ms": "{now}"},
    )
    if changed is None:
        raise OvertakenError
    news.of(changed)


async def _switch(services: Services, deployment: Deployment, begun: Pointer, version_id: str) -> Pointer:
    store, tenant_id = services.home.store, deployment.tenant_id
    pointer = await releases.switch(
        store,
        tenant_id,
        deployment.agent_id,
        fence=begun.fence,
        version_id=version_id,
        deployment_id=deployment.id,
        package_digest=deployment.package_digest,
    )
    if pointer is None:
        raise OvertakenError
    return pointer


async def _bring_live(
    services: Services, deployment: Deployment, begun: Pointer, pointer: Pointer, version_id: str
) -> AgentVersion:
    store, tenant_id = services.home.store, deployment.tenant_id
    if begun.version_id not in {None, version_id}:
        await releases.put_aside(store, tenant_id, begun.version_id or "", VersionState.STANDBY)
    version = await releases.bring_live(store, tenant_id, version_id, deployment.id, pointer.release_seq)
    if version is None:
        raise QuarantinedError(
            "A rollback took this version away and no security reviewer has released it, or it is not kept any more."
        )
    return version


async def _tell_of_success(services: Services, deployment: Deployment, news: News) -> None:
    news.notices.append(
        await notify(
            services,
            deployment.tenant_id,
            NotificationKind.DEPLOYMENT_SUCCEEDED,
            title=f"In production: {await name_of(services, deployment)}",
            body="It was approved, deployed, and is well.",
            subject=Subject(Kind.DEPLOYMENT, deployment.id),
            recipients=[deployment.submitted_by],
        )
    )


async def _record_success(
    services: Services, deployment: Deployment, version: AgentVersion, begun: Pointer, pruned: list[AgentVersion]
) -> None:
    tenant_id = deployment.tenant_id
    for each in pruned:
        await record(
            services,
            None,
            tenant_id,
            AuditAction.VERSION_PRUNED,
            Subject(Kind.AGENT_VERSION, each.id),
            details={"version": each.version, "packageDigest": each.package_digest},
            request_id=deployment.request_id,
        )
    await record(
        services,
        None,
        tenant_id,
        AuditAction.DEPLOYMENT_COMPLETED,
        Subject(Kind.DEPLOYMENT, deployment.id),
        details={
            "version": Subject(Kind.AGENT_VERSION, version.id),
            "packageDigest": deployment.package_digest,
            "replaced": Subject(Kind.AGENT_VERSION, begun.version_id) if begun.version_id else None,
        },
        request_id=deployment.request_id,
    )
