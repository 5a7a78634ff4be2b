"""The end of a review that nobody decided in time."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment, DeploymentEventDraft, DeploymentStatus
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.reviews import QueueChange, ReviewStatus
from windtunnel.operations.audit_trail import record
from windtunnel.operations.deployment_parts import name_of
from windtunnel.operations.notify import notify
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.review_people import eligible_reviewers
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_changes, review_changes, tenant_logs

TOO_LATE = "Nobody decided within 24 hours. Submit the package again to have it reviewed."


async def expire_review(services: Services, tenant_id: str, deployment_id: str) -> Deployment | None:
    """IN_REVIEW -> EXPIRED, if its time is over; None when it is not, or somebody else was first."""
    services = services.home
    store, news = services.store, News(tenant_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        changed = await deployment_changes.change(
            store,
            tenant_id,
            deployment_id,
            expected={DeploymentStatus.IN_REVIEW},
            draft=DeploymentEventDraft(DeploymentStatus.EXPIRED, "expired", TOO_LATE),
            exprs={"finished_ms": "{now}"},
            where="review_deadline_ms <= {now}",
        )
        if changed is None:
            return None
        deployment = news.of(changed)
        review = await review_changes.ended(store, tenant_id, deployment_id, ReviewStatus.EXPIRED)
        if review is None:
            raise LookupError("a deployment in review has no review that waits")
        news.queue.append(await tenant_logs.append_queue(store, tenant_id, QueueChange.EXPIRED, review.id))
        reviewers = await eligible_reviewers(store, tenant_id, review.excluded)
        news.notices.append(
            await notify(
                services,
                tenant_id,
                NotificationKind.REVIEW_EXPIRED,
                title=f"Review expired: {await name_of(services, deployment)}",
                body=TOO_LATE,
                subject=Subject(Kind.DEPLOYMENT, deployment_id),
                recipients={deployment.submitted_by, *reviewers},
            )
        )
        await record(
            services,
            None,
            tenant_id,
            AuditAction.REVIEW_EXPIRED,
            Subject(Kind.DEPLOYMENT, deployment_id),
            details={
                "review": Subject(Kind.REVIEW, review.id),
                "packageDigest": deployment.package_digest,
                "expiresAt": review.expires_at,
            },
            request_id=deployment.request_id,
        )
    await tell(services, news)
    return deployment
