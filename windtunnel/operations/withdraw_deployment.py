"""Withdrawing a deployment before it is decided: its submitter may, and an ADMIN."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import PolicyError
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.permissions import Action
from windtunnel.domain.pipeline_table import sources
from windtunnel.domain.reviews import QueueChange, Review, ReviewStatus
from windtunnel.domain.submissions import check_reason, illegal
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import current
from windtunnel.operations.idempotent import Asked, Done
from windtunnel.operations.notify import Announcement, notify
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.reviewing import ask, expired
from windtunnel.operations.services import Services
from windtunnel.storage import agents, deployment_changes, people, review_changes, tenant_logs
from windtunnel.storage.deployment_care import FREE

_FROM = sources(DeploymentStatus.WITHDRAWN)
_UNDECIDED = frozenset({DeploymentStatus.IN_REVIEW, DeploymentStatus.EXPIRED})


async def withdraw_deployment(
    services: Services,
    viewer: Viewer,
    deployment_id: str,
    reason: str | None = None,
    idempotency_key: str | None = None,
) -> Deployment:
    """The deployment, WITHDRAWN, and with it its review.

    Raises ForbiddenError, NotFoundError, ValidationError, PolicyError (somebody else has submitted it), ConflictError
    (it is decided, REVIEW_EXPIRED, IDEMPOTENCY_MISMATCH). What comes too late has expired then.
    """
    subject, tenant_id = Subject(Kind.DEPLOYMENT, deployment_id), viewer.tenant_id
    await permit(services, viewer, Action.WITHDRAW_DEPLOYMENT, subject)
    why, news = check_reason(reason), News(tenant_id)
    await _demand_right(services, viewer, await current(services, tenant_id, deployment_id), subject)

    async def withdraw() -> Done[Deployment]:
        before = await current(services, tenant_id, deployment_id)
        if not await _has_right(services, viewer, before):
            raise _refusal()
        deployment = news.of(await _changed(services, viewer, before, why))
        review = await review_changes.ended(services.home.store, tenant_id, deployment_id, ReviewStatus.WITHDRAWN, why)
        if review is not None:
            moved = await tenant_logs.append_queue(services.home.store, tenant_id, QueueChange.WITHDRAWN, review.id)
            news.queue.append(moved)
        news.notices.append(await _notify(services, viewer, deployment, review, why))
        details = {"from": before.status.value}
        action = AuditAction.DEPLOYMENT_WITHDRAWN
        await record(services, viewer, tenant_id, action, subject, reason=why, details=details)
        return Done(deployment_id, deployment)

    what = {"deployment_id": deployment_id, "reason": why}
    asked = Asked(Action.WITHDRAW_DEPLOYMENT, idempotency_key, what, subject)
    outcome = await ask(services, viewer, asked, deployment_id, withdraw)
    if outcome.made is None:
        return await current(services, tenant_id, deployment_id)
    await tell(services, news)
    return outcome.made


async def _changed(
    services: Services, viewer: Viewer, before: Deployment, why: str | None
) -> deployment_changes.Changed:
    message = f"The deployment was withdrawn: {why}" if why else "The deployment was withdrawn."
    draft = DeploymentEventDraft(DeploymentStatus.WITHDRAWN, "withdraw", message, viewer.user.id)
    changed = await deployment_changes.change(
        services.home.store,
        before.tenant_id,
        before.id,
        expected=_FROM,
        draft=draft,
        exprs={**FREE, "finished_ms": "{now}"},
        where="(status <> 'IN_REVIEW' OR review_deadline_ms > {now})",
    )
    if changed is not None:
        return changed
    if before.status in _UNDECIDED:
        raise expired()
    raise illegal(before, _FROM, "withdrawn")


async def _notify(
    services: Services, viewer: Viewer, deployment: Deployment, review: Review | None, why: str | None
) -> Announcement:
    """The reviewers who were asked, and whoever has submitted it; not the one who knows."""
    store, tenant_id = services.home.store, deployment.tenant_id
    told = {deployment.submitted_by}
    if review is not None:
        told |= await people.with_role(store, tenant_id, Role.SECURITY_REVIEWER) - set(review.excluded)
    agent = (await agents.get_many(store, tenant_id, [deployment.agent_id]))[deployment.agent_id]
    body = f"{viewer.user.name} has withdrawn it; nobody needs to review it any more."
    return await notify(
        services,
        tenant_id,
        NotificationKind.DEPLOYMENT_WITHDRAWN,
        title=f"The deployment of {agent.name} was withdrawn",
        body=f"{body} {why}" if why else body,
        subject=Subject(Kind.DEPLOYMENT, deployment.id),
        recipients=sorted(told - {viewer.user.id}),
    )


async def _demand_right(services: Services, viewer: Viewer, deployment: Deployment, subject: Subject) -> None:
    """Raise PolicyError, and put the attempt on record, unless it is the viewer's to withdraw as they came."""
    if deployment.submitted_by == viewer.user.id or Role.ADMIN in viewer.roles:
        return
    details = {"attempted": Action.WITHDRAW_DEPLOYMENT.value, "roles": sorted(viewer.roles)}
    await record(services, viewer, viewer.tenant_id, AuditAction.ACCESS_DENIED, subject, details=details)
    raise _refusal()


async def _has_right(services: Services, viewer: Viewer, deployment: Deployment) -> bool:
    if deployment.submitted_by == viewer.user.id:
        return True
    if Role.ADMIN not in viewer.roles:
        return False
    return Role.ADMIN in await people.roles(services.home.store, viewer.tenant_id, viewer.user.id)


def _refusal() -> PolicyError:
    return PolicyError("Only whoever has submitted a deployment, or an ADMIN, can withdraw it.", policy="withdrawal")
