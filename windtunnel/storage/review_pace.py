"""How a tenant's reviews went, up to a moment: what the expected time of another one is reckoned from."""

from datetime import datetime, timedelta

from windtunnel.domain.expected_review import Pace
from windtunnel.domain.policy import REVIEW_EXPECTED_OF_LAST
from windtunnel.domain.viewers import Role
from windtunnel.storage.store import Store
from windtunnel.storage.times import milliseconds


async def pace(store: Store, tenant_id: str, classification: str | None, at: datetime) -> Pace:
    """The pace at the moment `at`, which does not change any more but for who may review now."""
    scope, at_ms = store.of(tenant_id), milliseconds(at)
    counted = await scope.fetch(
        "SELECT (SELECT COUNT(*) FROM reviews WHERE tenant_id = $1 AND queued_ms <= $2 AND expires_ms > $2"
        " AND COALESCE(decided_ms, expires_ms) > $2) AS waiting,"
        " (SELECT COUNT(*) FROM memberships WHERE tenant_id = $1 AND role = $3) AS reviewers",
        tenant_id,
        at_ms,
        Role.SECURITY_REVIEWER.value,
    )
    decided = (
        await scope.fetch(
            "SELECT r.decided_ms - r.queued_ms AS took_ms FROM reviews AS r"
            " JOIN deployments AS d ON d.tenant_id = r.tenant_id AND d.id = r.deployment_id"
            " JOIN agent_versions AS v ON v.tenant_id = d.tenant_id AND v.id = d.version_id"
            " WHERE r.tenant_id = $1 AND r.decided_ms <= $2 AND r.status IN ('APPROVED', 'REJECTED')"
            " AND v.classification = $3 ORDER BY r.decided_ms DESC, r.id DESC LIMIT $4",
            tenant_id,
            at_ms,
            classification,
            REVIEW_EXPECTED_OF_LAST,
        )
        if classification is not None
        else []
    )
    return Pace(
        classification,
        tuple(timedelta(milliseconds=row["took_ms"]) for row in decided),
        waiting=counted[0]["waiting"],
        reviewers=counted[0]["reviewers"],
    )
