"""How an attempt to deploy begins: one of each agent at a time, under new fences, unless a rollback is in the way."""

from dataclasses import dataclass

from windtunnel.domain.agents import Agent, Pointer
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.rollbacks import is_held
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import name_of
from windtunnel.operations.holding import MESSAGE as HELD
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import agents, deployment_care, deployment_changes, releases
from windtunnel.storage.errors import LeaseLostError

AGAIN_MS = 500
"""How soon it is tried again while something else is going on with the agent."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt: the deployment is DEPLOYING, and may switch the pointer under this one's fence."""

    deployment: Deployment
    pointer: Pointer


async def begin(services: Services, deployment: Deployment) -> Begun | None:
    """Begin, or go on with, what was claimed; None when it has to wait, or is held back. Raises LeaseLostError."""
    store, tenant_id = services.home.store, deployment.tenant_id
    news = News(tenant_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        now = await deployment_care.under_fence(store, deployment)
        agent = await agents.get(store, tenant_id, deployment.agent_id)
        if now is None or agent is None or now.status is not deployment.status:
            raise LeaseLostError(deployment.id)
        begun = await _begin(services, now, agent, news)
    await tell(services, news)
    return begun


async def _begin(services: Services, deployment: Deployment, agent: Agent, news: News) -> Begun | None:
    store = services.home.store
    if is_held(agent, deployment):
        await _hold(services, deployment, news)
        return None
    if deployment.status is DeploymentStatus.APPROVED and await deployment_care.is_deploying(store, agent):
        await deployment_care.postpone(store, deployment, AGAIN_MS)
        return None
    pointer = await releases.raise_fence(store, agent.tenant_id, agent.id)
    if pointer is None:  # a rollback is running
        await deployment_care.postpone(store, deployment, AGAIN_MS)
        return None
    if deployment.status is DeploymentStatus.DEPLOYING:
        return Begun(deployment, pointer)
    changed = await deployment_changes.change(
        store,
        agent.tenant_id,
        deployment.id,
        expected={DeploymentStatus.APPROVED},
        draft=DeploymentEventDraft(DeploymentStatus.DEPLOYING, "deploying", "A worker deploys it.", None, 0.0),
        exprs={"attempts": "attempts + 1"},
        fence=deployment.fence,
        where="execute_by_ms > {now} AND attempts < 3",
    )
    if changed is None:
        raise LeaseLostError(deployment.id)
    deployment = news.of(changed)
    await record(
        services,
        None,
        agent.tenant_id,
        AuditAction.DEPLOYMENT_STARTED,
        Subject(Kind.DEPLOYMENT, deployment.id),
        details={"packageDigest": deployment.package_digest, "attempt": deployment.attempts},
        request_id=deployment.request_id,
    )
    return Begun(deployment, pointer)


async def _hold(services: Services, deployment: Deployment, news: News) -> None:
    """APPROVED or DEPLOYING -> HELD, because it was asked for before a rollback that is not lifted yet."""
    changed = await deployment_changes.change(
        services.home.store,
        deployment.tenant_id,
        deployment.id,
        expected={DeploymentStatus.APPROVED, DeploymentStatus.DEPLOYING},
        draft=DeploymentEventDraft(DeploymentStatus.HELD, "held", HELD),
        exprs=deployment_care.FREE,
        fence=deployment.fence,
    )
    if changed is None:
        raise LeaseLostError(deployment.id)
    deployment, subject = news.of(changed), Subject(Kind.DEPLOYMENT, deployment.id)
    news.notices.append(
        await notify(
            services,
            deployment.tenant_id,
            NotificationKind.DEPLOYMENT_HELD,
            title=f"Deployment held back: {await name_of(services, deployment)}",
            body=HELD,
            subject=subject,
            recipients=[deployment.submitted_by],
        )
    )
    await record(
        services,
        None,
        deployment.tenant_id,
        AuditAction.DEPLOYMENT_HELD,
        subject,
        reason=HELD,
        request_id=deployment.request_id,
    )
