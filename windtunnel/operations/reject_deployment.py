"""Rejecting a deployment: one reviewer is enough, who says why and what would remedy it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.permissions import Action
from windtunnel.domain.review_rules import check_findings, check_reason
from windtunnel.domain.reviews import Decision, Finding, QueueChange, ReviewStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.idempotent import Asked, Done
from windtunnel.operations.notify import notify
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.reviewing import Case, ask, case_of, cast, expired
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_changes, deployments, review_changes, tenant_logs


@dataclass(frozen=True, slots=True)
class RejectRequest:
    """What is asked for; every one of `findings`, and there is one at least, says what would remedy it."""

    deployment_id: str
    reason: str
    findings: Sequence[Finding]
    idempotency_key: str | None = None


async def reject_deployment(services: Services, viewer: Viewer, request: RejectRequest) -> Deployment:
    """The deployment, REJECTED.

    Raises ForbiddenError, NotFoundError, ValidationError, ConflictError (not in review, voted before, REVIEW_EXPIRED,
    IDEMPOTENCY_MISMATCH) and PolicyError (SELF_REVIEW).
    """
    subject = Subject(Kind.DEPLOYMENT, request.deployment_id)
    await permit(services, viewer, Action.REJECT_DEPLOYMENT, subject)
    reason, findings = check_reason(request.reason), check_findings(request.findings)
    news = News(viewer.tenant_id)

    async def act() -> Done[Deployment]:
        case = await case_of(services, viewer, request.deployment_id)
        case = await cast(services, viewer, case, Decision.REJECT, reason)
        deployment = await _reject(services, viewer, case, reason, findings, news)
        return Done(deployment.id, deployment)

    what = {"deployment": request.deployment_id, "reason": reason, "findings": [asdict(each) for each in findings]}
    asked = Asked(Action.REJECT_DEPLOYMENT, request.idempotency_key, what, subject)
    outcome = await ask(services, viewer, asked, request.deployment_id, act)
    await tell(services, news)
    if outcome.made:
        return outcome.made
    found = await deployments.get_many(services.store, viewer.tenant_id, [outcome.result_id])
    return found[outcome.result_id]


async def _reject(  # noqa: PLR0917 - read in this order
    services: Services, viewer: Viewer, case: Case, reason: str, findings: Sequence[Finding], news: News
) -> Deployment:
    store, tenant_id = services.store, viewer.tenant_id
    changed = await deployment_changes.change(
        store,
        tenant_id,
        case.deployment.id,
        expected={DeploymentStatus.IN_REVIEW},
        draft=DeploymentEventDraft(
            DeploymentStatus.REJECTED, "rejected", f"{viewer.user.name} rejected: {reason}", viewer.user.id
        ),
        exprs={"finished_ms": "{now}"},
        where="review_deadline_ms > {now}",
    )
    if changed is None:
        raise expired()
    deployment = news.of(changed)
    await review_changes.add_findings(store, tenant_id, case.review.id, findings)
    await review_changes.ended(store, tenant_id, deployment.id, ReviewStatus.REJECTED, reason)
    news.queue.append(await tenant_logs.append_queue(store, tenant_id, QueueChange.DECIDED, case.review.id))
    news.notices.append(
        await notify(
            services,
            tenant_id,
            NotificationKind.DEPLOYMENT_REJECTED,
            title=f"Rejected: {case.name}",
            body="\n\n".join([reason, *(_told(finding) for finding in findings)]),
            subject=case.subject,
            recipients=[deployment.submitted_by],
        )
    )
    details = case.digests | {"decision": Decision.REJECT.value}
    await record(services, viewer, tenant_id, AuditAction.REVIEW_VOTED, case.subject, reason=reason, details=details)
    await record(
        services,
        viewer,
        tenant_id,
        AuditAction.DEPLOYMENT_REJECTED,
        case.subject,
        reason=reason,
        details=case.digests | {"findings": [asdict(finding) for finding in findings]},
    )
    return deployment


def _told(finding: Finding) -> str:
    return f"{finding.severity}: {finding.title}\n{finding.detail}\nWhat to do: {finding.remediation}"
