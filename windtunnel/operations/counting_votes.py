"""Counting votes: when one is given, and again by the worker before anything is deployed."""

from collections.abc import Mapping, Sequence

from windtunnel.domain.deployments import Deployment
from windtunnel.domain.reviews import Decision, Review, Vote
from windtunnel.domain.viewers import Role
from windtunnel.operations.review_people import counted
from windtunnel.operations.review_seals import is_genuine, was_cast
from windtunnel.operations.services import Services
from windtunnel.storage import people


async def votes_that_count(
    services: Services,
    deployment: Deployment,
    review: Review,
    votes: Sequence[Vote],
    behind: Mapping[str, frozenset[str]],
) -> list[Vote]:
    """The approvals that count now, the first one first: cast here, on these bytes, by different people.

    Each of them is a reviewer at this moment and had no part in what is reviewed. None, when the review itself is not
    as it was when it began.
    """
    if not is_genuine(services.vault, review, deployment):
        return []
    cast = [
        vote
        for vote in votes
        if vote.decision is Decision.APPROVE
        and vote.reviewed_digest == deployment.package_digest
        and vote.at < review.expires_at
        and was_cast(services.vault, review, vote)
    ]
    reviewers = await people.with_role(services.store, deployment.tenant_id, Role.SECURITY_REVIEWER)
    return counted(cast, behind, reviewers=reviewers, excluded={*review.excluded, deployment.submitted_by})
