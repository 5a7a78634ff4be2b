"""Approving a deployment: a vote for exactly these bytes; the one that makes the quorum has it deployed."""

from dataclasses import dataclass
from datetime import timedelta

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ErrorCode
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import EXECUTE_WITHIN_MS
from windtunnel.domain.review_rules import check_comment
from windtunnel.domain.reviews import Decision, QueueChange, ReviewStatus, Vote
from windtunnel.domain.rollbacks import is_held
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.counting_votes import votes_that_count
from windtunnel.operations.idempotent import Asked, Done
from windtunnel.operations.notify import notify
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.review_seals import is_genuine
from windtunnel.operations.reviewing import Case, ask, case_of, cast, expired
from windtunnel.operations.services import Services
from windtunnel.storage import agents, deployment_changes, deployment_events, deployments, review_changes, tenant_logs
from windtunnel.storage.times import milliseconds

HELD = "It was submitted before a rollback of this agent: it waits until an OPERATOR lifts the hold."
EXECUTE_WITHIN = timedelta(milliseconds=EXECUTE_WITHIN_MS)


@dataclass(frozen=True, slots=True)
class ApproveRequest:
    """What is asked for; `reviewed_digest` is that of the package that the reviewer has looked at."""

    deployment_id: str
    reviewed_digest: str
    comment: str | None = None
    idempotency_key: str | None = None


async def approve_deployment(services: Services, viewer: Viewer, request: ApproveRequest) -> Deployment:
    """The deployment: APPROVED once there are votes enough, or HELD when a rollback holds the agent; else IN_REVIEW.

    Raises ForbiddenError, NotFoundError, ValidationError, ConflictError (not in review, voted before, REVIEW_EXPIRED,
    DIGEST_MISMATCH, APPROVAL_INVALID, IDEMPOTENCY_MISMATCH) and PolicyError (SELF_REVIEW).
    """
    subject = Subject(Kind.DEPLOYMENT, request.deployment_id)
    await permit(services, viewer, Action.APPROVE_DEPLOYMENT, subject)
    comment = check_comment(request.comment)
    news = News(viewer.tenant_id)

    async def act() -> Done[Deployment]:
        case = await case_of(services, viewer, request.deployment_id)
        if request.reviewed_digest != case.deployment.package_digest:
            raise ConflictError(
                "What you reviewed is not what was submitted here. Look at the package of this deployment again.",
                current=case.deployment.package_digest,
                code=ErrorCode.DIGEST_MISMATCH,
                path=("input", "reviewed_digest"),
            )
        if not is_genuine(services.vault, case.review, case.deployment):
            raise _changed()
        case = await cast(services, viewer, case, Decision.APPROVE, comment)
        counted = await votes_that_count(services, case.deployment, case.review, case.votes, case.behind)
        if len(counted) < case.review.policy.quorum:
            deployment = await _wait_for_others(services, viewer, case, len(counted), news)
        else:
            deployment = await _approve(services, viewer, case, counted, news)
        return Done(deployment.id, deployment)

    what = {"deployment": request.deployment_id, "digest": request.reviewed_digest, "comment": comment}
    asked = Asked(Action.APPROVE_DEPLOYMENT, request.idempotency_key, what, subject)
    outcome = await ask(services, viewer, asked, request.deployment_id, act)
    await tell(services, news)
    if outcome.made:
        return outcome.made
    found = await deployments.get_many(services.store, viewer.tenant_id, [outcome.result_id])
    return found[outcome.result_id]


def _changed() -> ConflictError:
    return ConflictError(
        "This review is not as it was when it began: somebody changed it in the database, so no vote in it counts. "
        "Look into that, then have the package withdrawn and submitted again.",
        current=DeploymentStatus.IN_REVIEW.value,
        code=ErrorCode.APPROVAL_INVALID,
    )


async def _wait_for_others(services: Services, viewer: Viewer, case: Case, votes: int, news: News) -> Deployment:
    store, tenant_id = services.store, viewer.tenant_id
    message = f"{viewer.user.name} approved: {votes} of {case.review.policy.quorum} approvals."
    draft = DeploymentEventDraft(DeploymentStatus.IN_REVIEW, "vote", message, viewer.user.id)
    event = await deployment_events.append(store, tenant_id, case.deployment.id, draft)
    if event is not None:
        news.deployments.append(event)
    await _record_vote(services, viewer, case, votes)
    found = await deployments.get_many(store, tenant_id, [case.deployment.id])
    return found[case.deployment.id]


async def _approve(services: Services, viewer: Viewer, case: Case, counted: list[Vote], news: News) -> Deployment:
    store, tenant_id = services.store, viewer.tenant_id
    agent = await agents.get(store, tenant_id, case.deployment.agent_id)
    held = agent is not None and is_held(agent, case.deployment)
    execute_by = case.now + EXECUTE_WITHIN
    status = DeploymentStatus.HELD if held else DeploymentStatus.APPROVED
    message = f"{viewer.user.name} approved: {len(counted)} of {case.review.policy.quorum} approvals."
    changed = await deployment_changes.change(
        store,
        tenant_id,
        case.deployment.id,
        expected={DeploymentStatus.IN_REVIEW},
        draft=DeploymentEventDraft(status, "approved", f"{message} {HELD}" if held else message, viewer.user.id),
        values={
            "approved_ms": milliseconds(case.now),
            "execute_by_ms": milliseconds(execute_by),
            "due_ms": milliseconds(execute_by if held else case.now),
        },
        where="review_deadline_ms > {now}",
    )
    if changed is None:
        raise expired()
    deployment = news.of(changed)
    news.work = not held
    comment = counted[-1].comment
    await review_changes.ended(store, tenant_id, deployment.id, ReviewStatus.APPROVED, comment)
    news.queue.append(await tenant_logs.append_queue(store, tenant_id, QueueChange.DECIDED, case.review.id))
    kind = NotificationKind.DEPLOYMENT_HELD if held else NotificationKind.DEPLOYMENT_APPROVED
    news.notices.append(
        await notify(
            services,
            tenant_id,
            kind,
            title=f"{'Approved, and held' if held else 'Approved'}: {case.name}",
            body=HELD if held else comment or "It is being deployed.",
            subject=case.subject,
            recipients=[deployment.submitted_by],
        )
    )
    await _record_vote(services, viewer, case, len(counted))
    details = case.digests | {
        "configurationDigest": case.review.config_digest,
        "approvers": [Subject(Kind.USER, vote.person_id) for vote in counted],
        "executeBy": execute_by,
    }
    await record(
        services, viewer, tenant_id, AuditAction.DEPLOYMENT_APPROVED, case.subject, reason=comment, details=details
    )
    if held:
        await record(services, viewer, tenant_id, AuditAction.DEPLOYMENT_HELD, case.subject, reason=HELD)
    return deployment


async def _record_vote(services: Services, viewer: Viewer, case: Case, votes: int) -> None:
    mine = next(vote for vote in case.votes if vote.person_id == viewer.user.id)
    await record(
        services,
        viewer,
        viewer.tenant_id,
        AuditAction.REVIEW_VOTED,
        case.subject,
        reason=mine.comment,
        details=case.digests
        | {"decision": mine.decision.value, "approvals": votes, "quorum": case.review.policy.quorum},
    )
