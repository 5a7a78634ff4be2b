"""Looking after a review that waits: its reviewers are reminded of it, until it expires."""

from datetime import datetime

from windtunnel.domain.deployments import Deployment, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.policy import REVIEW_ESCALATED_AT
from windtunnel.domain.review_rules import next_look, reminders_due
from windtunnel.domain.reviews import Review
from windtunnel.domain.viewers import Role
from windtunnel.operations.deployment_parts import name_of
from windtunnel.operations.expire_review import expire_review
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.review_people import eligible_reviewers
from windtunnel.operations.services import Services
from windtunnel.storage import deployments, people, review_changes, reviews


async def tend_review(services: Services, tenant_id: str, deployment_id: str) -> bool:
    """Do what is due for a deployment that is IN_REVIEW; False when there is nothing, or somebody else was first."""
    services = services.home
    if await expire_review(services, tenant_id, deployment_id):
        return True
    store, news = services.store, News(tenant_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        deployment = await deployments.get(store, tenant_id, deployment_id)
        review = (await reviews.of_deployments(store, tenant_id, [deployment_id])).get(deployment_id)
        if deployment is None or review is None or deployment.status is not DeploymentStatus.IN_REVIEW:
            return False
        now = await store.now()
        due = reminders_due(review, now)
        noted = await review_changes.reminded(store, review, due, next_look(review, due))
        if noted is None:
            return False
        await _remind(services, deployment, noted, now, news)
    await tell(services, news)
    return True


async def _remind(services: Services, deployment: Deployment, review: Review, now: datetime, news: News) -> None:
    store, tenant_id = services.store, review.tenant_id
    voted = {vote.person_id for vote in (await reviews.votes(store, tenant_id, [review.id]))[review.id]}
    recipients = set(await eligible_reviewers(store, tenant_id, review.excluded)) - voted
    escalated = review.reminded >= REVIEW_ESCALATED_AT
    if escalated:
        recipients |= await people.with_role(store, tenant_id, Role.ADMIN)
    minutes = max(1, round((review.expires_at - now).total_seconds() / 60))
    left = f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
    body = f"It expires in {left}, and nothing is deployed then."
    if escalated:
        body += " ADMINs of the tenant are told as well, so that they can find somebody to review it."
    notice = await notify(
        services,
        tenant_id,
        NotificationKind.REVIEW_EXPIRING,
        title=f"Review waits: {await name_of(services, deployment)}",
        body=body,
        subject=Subject(Kind.DEPLOYMENT, deployment.id),
        recipients=recipients,
    )
    news.notices.append(notice)
