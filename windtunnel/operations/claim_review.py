"""Claiming a review: the others see that somebody looks at it. Who decides needs no claim."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, NotFoundError, WindtunnelError
from windtunnel.domain.permissions import Action
from windtunnel.domain.reviews import QueueChange, Review
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.reviewing import Case, after_refusal, case_of
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_events, people, review_changes, reviews, tenant_logs


async def claim_review(services: Services, viewer: Viewer, review_id: str) -> Review:
    """The review, claimed by the viewer, also when it was before; from somebody who is no reviewer any more.

    Raises ForbiddenError, NotFoundError, ConflictError (claimed by somebody else, decided, REVIEW_EXPIRED) and
    PolicyError (SELF_REVIEW).
    """
    subject = Subject(Kind.REVIEW, review_id)
    await permit(services, viewer, Action.CLAIM_REVIEW, subject)
    known = (await reviews.get_many(services.store, viewer.tenant_id, [review_id])).get(review_id)
    if known is None:
        raise NotFoundError("There is no such review.", resource_id=review_id, path=("input", "review_id"))
    news = News(viewer.tenant_id)
    try:
        async with permitted_transaction(services, viewer, Action.CLAIM_REVIEW, subject):
            case = await case_of(services, viewer, known.deployment_id)
            review = await _claim(services, viewer, case, news)
    except WindtunnelError as refused:
        await after_refusal(services, viewer, Action.CLAIM_REVIEW, known.deployment_id, refused)
        raise
    await tell(services, news)
    return review


async def _claim(services: Services, viewer: Viewer, case: Case, news: News) -> Review:
    store, tenant_id, holder = services.store, viewer.tenant_id, case.review.claimed_by
    if holder == viewer.user.id:
        return case.review
    if holder is not None and holder in await people.with_role(store, tenant_id, Role.SECURITY_REVIEWER):
        raise ConflictError(
            "Somebody else looks at it already. You can decide it all the same.", current=case.review.status.value
        )
    review = await review_changes.claimed(store, case.review, viewer.user.id)
    if review is None:
        raise ConflictError("The review was changed meanwhile. Look at it again.", current=case.review.status.value)
    draft = DeploymentEventDraft(
        DeploymentStatus.IN_REVIEW, "claimed", f"{viewer.user.name} looks at it.", viewer.user.id
    )
    event = await deployment_events.append(store, tenant_id, review.deployment_id, draft)
    if event is not None:
        news.deployments.append(event)
    news.queue.append(await tenant_logs.append_queue(store, tenant_id, QueueChange.CLAIMED, review.id))
    await record(
        services, viewer, tenant_id, AuditAction.REVIEW_CLAIMED, case.subject, details=case.digests | {"before": holder}
    )
    return review
