"""The beginning of a review, in the transaction in which its deployment becomes IN_REVIEW."""

from collections.abc import Collection
from datetime import datetime, timedelta

from windtunnel.domain.deployments import Deployment
from windtunnel.domain.failures import Severity
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import REVIEW_WITHIN_MS
from windtunnel.domain.review_rules import policy_digest
from windtunnel.domain.reviews import Policy, Review, ReviewStatus
from windtunnel.operations.review_seals import seal_of_review
from windtunnel.operations.services import Services
from windtunnel.storage import review_changes
from windtunnel.storage.times import milliseconds, moment

WITHIN = timedelta(milliseconds=REVIEW_WITHIN_MS)


async def open_review(
    services: Services,
    deployment: Deployment,
    *,
    manifest_digest: str,
    risk: Severity,
    policy: Policy,
    config_digest: str,
    excluded: Collection[str],
    expected_at: datetime,
    expected_basis: str,
) -> Review:
    """The review of a deployment, which waits in the queue from now on, for a day.

    The deployment has then its `review_deadline_ms` from `expires_at`, its `quorum` from the policy, and its `due_ms`
    from `review_rules.next_look(review, 0)`.
    """
    now = moment(milliseconds(await services.store.now()))
    review = Review(
        id=new_id(),
        tenant_id=deployment.tenant_id,
        deployment_id=deployment.id,
        status=ReviewStatus.QUEUED,
        risk=risk,
        policy=policy,
        policy_digest=policy_digest(policy),
        config_digest=config_digest,
        excluded=tuple(sorted(excluded)),
        queued_at=now,
        expires_at=now + WITHIN,
        expected_at=expected_at,
        expected_basis=expected_basis,
    )
    seal = seal_of_review(services.vault, review, deployment, manifest_digest)
    return await review_changes.insert(services.store, review, seal)
