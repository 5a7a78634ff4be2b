"""Lifting the hold that a rollback put on what was submitted before it."""

from collections.abc import Sequence

from windtunnel.domain.agents import Agent
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.permissions import Action
from windtunnel.domain.rollback_rules import check_reason, no_such_agent
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import agents, deployment_changes, rollback_changes, rollbacks
from windtunnel.storage.deployment_care import FREE

LIFTED = "The hold was lifted"


async def release_hold(
    services: Services, viewer: Viewer, agent_id: str, reason: str, *, idempotency_key: str | None = None
) -> Agent:
    """The agent, not held any more: what was approved is deployed by itself, what had failed can be tried again.

    What should have been deployed by now stays as it is: its time is over. Raises ForbiddenError, ValidationError,
    NotFoundError, ConflictError (no hold, a rollback that still runs, or IDEMPOTENCY_MISMATCH).
    """
    subject = Subject(Kind.AGENT, agent_id)
    await permit(services, viewer, Action.RELEASE_HOLD, subject)
    reason = check_reason(reason)
    store, tenant_id = services.home.store, viewer.tenant_id
    news = News(tenant_id)

    async def release() -> Done[Agent]:
        agent = await agents.get(store, tenant_id, agent_id)
        if agent is None:
            raise no_such_agent(agent_id)
        lifted = await rollback_changes.lift(store, tenant_id, agent_id)
        if lifted is None:
            raise await _refusal(services, agent)
        released = await _let_go(services, viewer, agent_id, news)
        await record(
            services,
            viewer,
            tenant_id,
            AuditAction.HOLD_RELEASED,
            subject,
            reason=reason,
            details={
                "rollbackId": Subject(Kind.ROLLBACK, agent.held_by) if agent.held_by else None,
                "released": [Subject(Kind.DEPLOYMENT, each.id) for each in released],
            },
        )
        news.work = True
        return Done(agent_id, lifted)

    what = {"agent_id": agent_id, "reason": reason}
    outcome = await once(services, viewer, Asked(Action.RELEASE_HOLD, idempotency_key, what, subject), release)
    await tell(services, news)
    agent = outcome.made or await agents.get(store, tenant_id, outcome.result_id)
    if agent is None:
        raise no_such_agent(agent_id)
    return agent


async def _let_go(services: Services, viewer: Viewer, agent_id: str, news: News) -> Sequence[Deployment]:
    store, tenant_id = services.home.store, viewer.tenant_id
    released = []
    for deployment, becomes in await rollback_changes.held(store, tenant_id, agent_id):
        changed = await deployment_changes.change(
            store,
            tenant_id,
            deployment.id,
            expected={DeploymentStatus.HELD},
            draft=DeploymentEventDraft(becomes, "released", _told(deployment, becomes), viewer.user.id),
            exprs={**FREE, "due_ms": "{now}"},
            where="execute_by_ms > {now}",
        )
        if changed is not None:
            released.append(news.of(changed))
    return released


def _told(deployment: Deployment, becomes: DeploymentStatus) -> str:
    if becomes is DeploymentStatus.APPROVED:
        return f"{LIFTED}: it is deployed now."
    return f"{LIFTED}. It had failed before: {deployment.failure}"


async def _refusal(services: Services, agent: Agent) -> ConflictError:
    if await rollbacks.running(services.home.store, agent.tenant_id, agent.id):
        return ConflictError(
            "A rollback of this agent is running. Wait for its end, a minute at most.",
            current="ROLLING_BACK",
            allowed=["HELD"],
        )
    return ConflictError("Nothing of this agent is held back.", current="NOT_HELD", allowed=["HELD"])
