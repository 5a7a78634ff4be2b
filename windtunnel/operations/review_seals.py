"""Seals on reviews and votes: what was written into the database by somebody else leads to no approval."""

from collections.abc import Sequence

import orjson

from windtunnel.domain.deployments import Deployment
from windtunnel.domain.review_rules import policy_digest
from windtunnel.domain.reviews import Review, Vote
from windtunnel.storage.times import milliseconds
from windtunnel.vault.sealing import Vault


def seal_of_review(vault: Vault, review: Review, deployment: Deployment, manifest_digest: str) -> str:
    """What binds a review to its agent and bytes, and to who may not vote, by when, under which policy."""
    return vault.fingerprint(_of_review(review, deployment, manifest_digest), _place(review))


def is_genuine(vault: Vault, review: Review, deployment: Deployment) -> bool:
    """Whether the review is as it was when it began, and of what the deployment brings."""
    plain = _of_review(review, deployment, deployment.manifest_digest)
    return review.policy_digest == policy_digest(review.policy) and vault.is_fingerprint_of(
        review.seal, plain, _place(review)
    )


def seal_of_vote(vault: Vault, review: Review, vote: Vote) -> str:
    """What binds a vote to who gave it, on what, when, and to the review as it began."""
    return vault.fingerprint(_of_vote(review, vote), _place(review, vote.person_id))


def was_cast(vault: Vault, review: Review, vote: Vote) -> bool:
    """Whether this person said exactly this to us."""
    return vault.is_fingerprint_of(vote.seal, _of_vote(review, vote), _place(review, vote.person_id))


def _of_review(review: Review, deployment: Deployment, manifest_digest: str | None) -> str:
    return _text(
        review.deployment_id,
        deployment.agent_id,
        deployment.package_digest,
        manifest_digest,
        policy_digest(review.policy),
        review.config_digest,
        sorted(review.excluded),
        milliseconds(review.queued_at),
        milliseconds(review.expires_at),
    )


def _of_vote(review: Review, vote: Vote) -> str:
    return _text(
        review.seal, vote.decision.value, vote.reviewed_digest, vote.comment, vote.token_id, milliseconds(vote.at)
    )


def _place(review: Review, person_id: str | None = None) -> Sequence[str]:
    if person_id is None:
        return ("reviews", review.tenant_id, review.id)
    return ("review_votes", review.tenant_id, review.id, person_id)


def _text(*parts: object) -> str:
    return orjson.dumps(parts).decode()
