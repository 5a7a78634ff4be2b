"""Counting votes: when one is given, and again by the worker before anything is deployed."""

from collections.abc import Mapping, Sequence

from windtunnel.domain.deployments import Deployment
from windtunnel.domain.reviews import Decision, Review, Vote
from windtunnel.domain.viewers import Role
from windtunnel.operations.review_people import counted, named_people
from windtunnel.operations.review_seals import is_genuine, was_cast
from windtunnel.operations.services import Services
from windtunnel.storage import agent_versions, people


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
    named = await _named(services, deployment)
    return counted(cast, behind, reviewers=reviewers, excluded={*review.excluded, deployment.submitted_by, *named})


async def _named(services: Services, deployment: Deployment) -> frozenset[str]:
    """Whom the package names, also those who are people of the tenant only since it was submitted."""
    store, tenant_id, version_id = services.store, deployment.tenant_id, deployment.version_id or ""
    version = (await agent_versions.get_many(store, tenant_id, [version_id])).get(version_id)
    return frozenset() if version is None else await named_people(store, tenant_id, version.manifest)
