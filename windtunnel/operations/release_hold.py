"""Lifting the hold that a rollback put on what was submitted before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from windtunnel.domain.agents import Agent
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployment_words import failure_now
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.permissions import Action
from windtunnel.domain.rollback_rules import check_reason, no_such_agent
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import current, name_of
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.notify import notify
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.rollback_people import concerned
from windtunnel.operations.services import Services
from windtunnel.storage import agent_versions, agents, deployment_changes, rollback_changes, rollbacks
from windtunnel.storage.deployment_care import FREE

LIFTED = "The hold was lifted"


async def release_hold(
    services: Services, viewer: Viewer, agent_id: str, reason: str, *, idempotency_key: str | None = None
) -> Agent:
    """The agent, not held any more: what was approved is deployed by itself, what had failed can be tried again.

    That is so, too, where something that was submitted later is in production by now: people are warned then. What
    should have been deployed by now stays as it is: its time is over. Raises ForbiddenError, ValidationError,
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
        newer = await _newer(services, agent)
        released = await _let_go(services, viewer, agent_id, newer, news)
        older = [each for each in released if newer and newer.outruns(each)]
        if newer and older:
            await _warn(services, viewer, agent, newer, older, news)
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
                "olderThanLive": [Subject(Kind.DEPLOYMENT, each.id) for each in older],
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


@dataclass(frozen=True, slots=True)
class _Newer:
    """What is in production, as long as something that was submitted before it waits."""

    deployment: Deployment
    version: str

    def outruns(self, held: Deployment) -> bool:
        """Whether it was submitted later than what was held."""
        return self.deployment.submitted_at > held.submitted_at

    @property
    def warning(self) -> str:
        """For people."""
        return f"version {self.version}, which was submitted later and is in production."


async def _newer(services: Services, agent: Agent) -> _Newer | None:
    store, tenant_id = services.home.store, agent.tenant_id
    pointer = (await agents.pointers(store, tenant_id, [agent.id])).get(agent.id)
    if pointer is None or pointer.deployment_id is None or pointer.version_id is None:
        return None
    deployment = await current(services, tenant_id, pointer.deployment_id)
    version = (await agent_versions.get_many(store, tenant_id, [pointer.version_id]))[pointer.version_id]
    return _Newer(deployment, version.version)


async def _let_go(
    services: Services, viewer: Viewer, agent_id: str, newer: _Newer | None, news: News
) -> Sequence[Deployment]:
    store, tenant_id = services.home.store, viewer.tenant_id
    released = []
    for deployment, becomes in await rollback_changes.held(store, tenant_id, agent_id):
        message = _told(deployment, becomes, newer if newer and newer.outruns(deployment) else None)
        changed = await deployment_changes.change(
            store,
            tenant_id,
            deployment.id,
            expected={DeploymentStatus.HELD},
            draft=DeploymentEventDraft(becomes, "released", message, viewer.user.id),
            exprs={**FREE, "due_ms": "{now}"},
            where="execute_by_ms > {now}",
        )
        if changed is not None:
            released.append(news.of(changed))
    return released


def _told(deployment: Deployment, becomes: DeploymentStatus, newer: _Newer | None) -> str:
    if becomes is DeploymentStatus.APPROVED:
        place = f", and takes the place of {newer.warning}" if newer else "."
        return f"{LIFTED}: it is deployed now{place}"
    again = f" Tried again, it takes the place of {newer.warning}" if newer else ""
    return f"{LIFTED}. It had failed before: {failure_now(replace(deployment, status=becomes))}{again}"


async def _warn(  # noqa: PLR0917 - read in this order
    services: Services, viewer: Viewer, agent: Agent, newer: _Newer, older: Sequence[Deployment], news: News
) -> None:
    """Tell those concerned that something older is going to replace something newer."""
    for deployment in older:
        if deployment.status is not DeploymentStatus.APPROVED:
            continue
        news.notices.append(
            await notify(
                services,
                agent.tenant_id,
                NotificationKind.DEPLOYMENT_APPROVED,
                title=f"Older than what is in production: {await name_of(services, deployment)}",
                body=f"{viewer.user.name} has lifted the hold: it is deployed now, and takes the place of"
                f" {newer.warning} If that is not wanted, roll it back once it is in production.",
                subject=Subject(Kind.DEPLOYMENT, deployment.id),
                recipients=sorted(await concerned(services, agent, [deployment.submitted_by, viewer.user.id])),
            )
        )


async def _refusal(services: Services, agent: Agent) -> ConflictError:
    if await rollbacks.running(services.home.store, agent.tenant_id, agent.id):
        return ConflictError(
            "A rollback of this agent is running. Wait for its end, a minute at most.",
            current="ROLLING_BACK",
            allowed=["HELD"],
        )
    return ConflictError("Nothing of this agent is held back.", current="NOT_HELD", allowed=["HELD"])
