"""What changes reviews: each in the transaction, under the tenant's lock, in which its deployment changes.

Votes, findings and evidence are only ever added. Of a review that is decided nothing changes any more.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import orjson

from windtunnel.domain.reviews import Finding, Review, ReviewStatus, Vote
from windtunnel.storage.reviews import RANKS, review_of
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, known_ids
from windtunnel.storage.times import milliseconds

_WAITS = "status IN ('QUEUED', 'IN_REVIEW')"


async def insert(store: Store, review: Review, seal: str) -> Review:
    """Store a new review, which waits in the queue, with its seal."""
    rows = await store.of(review.tenant_id).fetch(
        "INSERT INTO reviews (id, tenant_id, deployment_id, status, risk, risk_rank, policy, policy_digest,"
        " config_digest, excluded, queued_ms, expires_ms, expected_ms, expected_basis, reminded, seal)"
        " VALUES ($1, $2, $3, 'QUEUED', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14) RETURNING *",
        review.id,
        review.tenant_id,
        review.deployment_id,
        review.risk.value,
        RANKS.index(review.risk),
        orjson.dumps(asdict(review.policy), option=orjson.OPT_SORT_KEYS).decode(),
        review.policy_digest,
        review.config_digest,
        orjson.dumps(review.excluded).decode(),
        milliseconds(review.queued_at),
        milliseconds(review.expires_at),
        milliseconds(review.expected_at),
        cleaned(review.expected_basis),
        seal,
    )
    return review_of(rows[0])


async def claimed(store: Store, review: Review, person_id: str) -> Review | None:
    """The person looks at it from now on; None when somebody else was first, or it is decided."""
    rows = await store.of(review.tenant_id).fetch(
        "UPDATE reviews SET status = 'IN_REVIEW', claimed_by = $3, claimed_ms = {now}"  # noqa: S608
        f" WHERE tenant_id = $1 AND id = $2 AND {_WAITS} AND expires_ms > {{now}}"
        " AND (claimed_by IS NULL OR claimed_by = $4) RETURNING *",
        review.tenant_id,
        review.id,
        person_id,
        review.claimed_by,
    )
    return review_of(rows[0]) if rows else None


async def vote(store: Store, tenant_id: str, vote: Vote) -> bool:
    """Store what somebody said; False when this person has said something before."""
    rows = await store.of(tenant_id).fetch(
        "INSERT INTO review_votes"
        " (review_id, person_id, tenant_id, decision, reviewed_digest, comment, token_id, at_ms, seal)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (review_id, person_id) DO NOTHING"
        " RETURNING person_id",
        vote.review_id,
        vote.person_id,
        tenant_id,
        vote.decision.value,
        vote.reviewed_digest,
        vote.comment,
        vote.token_id,
        milliseconds(vote.at),
        vote.seal,
    )
    return bool(rows)


async def add_findings(store: Store, tenant_id: str, review_id: str, findings: Sequence[Finding]) -> None:
    """Store what a reviewer found, in this order."""
    await store.of(tenant_id).execute_many(
        "INSERT INTO review_findings (review_id, number, tenant_id, severity, title, detail, remediation)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (review_id, number, tenant_id, each.severity.value, each.title, each.detail, each.remediation)
            for number, each in enumerate(findings, 1)
        ],
    )


async def ended(
    store: Store, tenant_id: str, deployment_id: str, status: ReviewStatus, comment: str | None = None
) -> Review | None:
    """The review of this deployment, decided, expired or withdrawn; None without one that still waits."""
    if not known_ids([deployment_id]):
        return None
    rows = await store.of(tenant_id).fetch(
        "UPDATE reviews SET status = $3, decided_ms = {now}, comment = $4"  # noqa: S608
        f" WHERE tenant_id = $1 AND deployment_id = $2 AND {_WAITS} RETURNING *",
        tenant_id,
        deployment_id,
        status.value,
        comment,
    )
    return review_of(rows[0]) if rows else None


async def reminded(store: Store, review: Review, times: int, due_at: datetime) -> Review | None:
    """Note that the reviewers have been reminded so many times; its deployment is looked at again at `due_at`.

    None when they were already, or it no longer waits.
    """
    scope = store.of(review.tenant_id)
    rows = await scope.fetch(
        "UPDATE reviews SET reminded = $3 WHERE tenant_id = $1 AND id = $2 AND reminded < $3"  # noqa: S608
        f" AND {_WAITS} AND expires_ms > {{now}} RETURNING *",
        review.tenant_id,
        review.id,
        times,
    )
    await scope.fetch(
        "UPDATE deployments SET due_ms = $3 WHERE tenant_id = $1 AND id = $2 AND status = 'IN_REVIEW'",
        review.tenant_id,
        review.deployment_id,
        milliseconds(due_at),
    )
    return review_of(rows[0]) if rows else None
