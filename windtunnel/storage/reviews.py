"""Reviews with their votes, findings and evidence: rows and pages. What changes them is in `review_changes`.

What is read is EXPIRED from its deadline on, as `deployments` has it.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from windtunnel.domain.failures import Severity
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.reviews import (
    Decision,
    Evidence,
    Finding,
    Policy,
    Review,
    ReviewFilter,
    ReviewStatus,
    Vote,
)
from windtunnel.storage.paging import Conditions, read_page
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment

_STATUS = "CASE WHEN status IN ('QUEUED', 'IN_REVIEW') AND expires_ms <= {now} THEN 'EXPIRED' ELSE status END"
_COLUMNS = f"*, {_STATUS} AS status_now"
RANKS = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Review]:
    """Those of the tenant's reviews that exist, by id."""
    return {review.id: review for review in await _all(store, tenant_id, "id", ids)}


async def of_deployments(store: Store, tenant_id: str, deployment_ids: Iterable[str]) -> dict[str, Review]:
    """The reviews of these deployments, by deployment."""
    return {review.deployment_id: review for review in await _all(store, tenant_id, "deployment_id", deployment_ids)}


async def votes(store: Store, tenant_id: str, review_ids: Iterable[str]) -> dict[str, list[Vote]]:
    """The votes of these reviews, the first one first."""
    found: dict[str, list[Vote]] = {key: [] for key in review_ids}
    if known := known_ids(found):
        for row in await store.of(tenant_id).fetch(
            "SELECT * FROM review_votes WHERE tenant_id = $1 AND review_id = ANY($2) ORDER BY at_ms, person_id",
            tenant_id,
            known,
        ):
            found[row["review_id"]].append(vote_of(row))
    return found


async def findings(store: Store, tenant_id: str, review_ids: Iterable[str]) -> dict[str, list[Finding]]:
    """What the reviewers found, in their order."""
    found: dict[str, list[Finding]] = {key: [] for key in review_ids}
    if known := known_ids(found):
        for row in await store.of(tenant_id).fetch(
            "SELECT * FROM review_findings WHERE tenant_id = $1 AND review_id = ANY($2) ORDER BY review_id, number",
            tenant_id,
            known,
        ):
            finding = Finding(Severity(row["severity"]), row["title"], row["detail"], row["remediation"])
            found[row["review_id"]].append(finding)
    return found


async def evidence(store: Store, tenant_id: str, deployment_ids: Iterable[str]) -> dict[str, list[Evidence]]:
    """What was offered as evidence with these deployments."""
    found: dict[str, list[Evidence]] = {key: [] for key in deployment_ids}
    if known := known_ids(found):
        for row in await store.of(tenant_id).fetch(
            "SELECT * FROM review_evidence WHERE tenant_id = $1 AND deployment_id = ANY($2) ORDER BY subject_id",
            tenant_id,
            known,
        ):
            found[row["deployment_id"]].append(
                Evidence(
                    row["deployment_id"],
                    row["kind"],
                    row["subject_id"],
                    row["summary"],
                    row["environment_id"],
                    row["snapshot_digest"],
                )
            )
    return found


async def queue(store: Store, tenant_id: str, request: PageRequest, filter: ReviewFilter) -> Page[Review]:
    """The tenant's reviews that pass the filter (without statuses: those that wait), the first to expire first."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    statuses = {ReviewStatus.QUEUED, ReviewStatus.IN_REVIEW} if filter.statuses is None else filter.statuses
    where.add(f"{_STATUS} = ANY(?)", sorted(status.value for status in statuses))
    if filter.claimed_by is not None:
        where.add("claimed_by = ?", filter.claimed_by)
    if filter.min_risk is not None:
        where.add("risk_rank >= ?", RANKS.index(filter.min_risk))
    return await read_page(
        store.of(tenant_id),
        "reviews",
        _COLUMNS,
        where=where,
        request=request,
        decode=review_of,
        by=("expires_ms", "id"),
        ascending=True,
    )


def review_of(row: dict[str, Any]) -> Review:
    """A row of the table as the domain's value; as it is `status_now`, where that was read."""
    status, decided_ms = ReviewStatus(row.get("status_now", row["status"])), row["decided_ms"]
    if decided_ms is None and status is ReviewStatus.EXPIRED:
        decided_ms = row["expires_ms"]
    return Review(
        id=row["id"],
        tenant_id=row["tenant_id"],
        deployment_id=row["deployment_id"],
        status=status,
        risk=Severity(row["risk"]),
        policy=Policy(**orjson.loads(row["policy"])),
        policy_digest=row["policy_digest"],
        config_digest=row["config_digest"],
        excluded=tuple(orjson.loads(row["excluded"])),
        queued_at=moment(row["queued_ms"]),
        expires_at=moment(row["expires_ms"]),
        expected_at=moment(row["expected_ms"]),
        expected_basis=row["expected_basis"],
        claimed_by=row["claimed_by"],
        claimed_at=optional_moment(row["claimed_ms"]),
        reminded=row["reminded"],
        decided_at=optional_moment(decided_ms),
        comment=row["comment"],
        seal=row["seal"],
    )


def vote_of(row: dict[str, Any]) -> Vote:
    """A row of the table as the domain's value."""
    return Vote(
        review_id=row["review_id"],
        person_id=row["person_id"],
        decision=Decision(row["decision"]),
        reviewed_digest=row["reviewed_digest"],
        comment=row["comment"],
        token_id=row["token_id"],
        at=moment(row["at_ms"]),
        seal=row["seal"],
    )


async def _all(store: Store, tenant_id: str, column: str, ids: Iterable[str]) -> list[Review]:
    if not (known := known_ids(ids)):
        return []
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM reviews WHERE tenant_id = $1 AND {column} = ANY($2)",  # noqa: S608 - one of ours
        tenant_id,
        known,
    )
    return [review_of(row) for row in rows]
