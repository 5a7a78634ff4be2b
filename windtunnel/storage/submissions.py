"""What comes with a submission: how many are open already, and the evidence that is shown with one."""

from collections.abc import Iterable

from windtunnel.domain.events import EventKind
from windtunnel.domain.reviews import Evidence
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned


async def open_of(store: Store, tenant_id: str) -> int:
    """How many deployments of the tenant wait for a decision."""
    rows = await store.of(tenant_id).fetch(
        "SELECT COUNT(*) AS used FROM deployments"
        " WHERE tenant_id = $1 AND status IN ('SUBMITTED', 'VALIDATING', 'IN_REVIEW')",
        tenant_id,
    )
    return int(rows[0]["used"])


async def show(store: Store, tenant_id: str, evidence: Iterable[Evidence]) -> None:
    """Store what is shown with deployments that were inserted in the same transaction."""
    rows = [
        (
            each.deployment_id,
            each.subject_id,
            tenant_id,
            each.kind,
            cleaned(each.summary),
            each.environment_id,
            each.snapshot_digest,
        )
        for each in evidence
    ]
    if rows:
        await store.of(tenant_id).execute_many(
            "INSERT INTO review_evidence"
            " (deployment_id, subject_id, tenant_id, kind, summary, environment_id, snapshot_digest)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            rows,
        )


async def failures_met(store: Store, tenant_id: str, simulation_id: str) -> int:
    """How many failures the simulation has met, where it lies."""
    rows = await store.of(tenant_id).fetch(
        "SELECT COUNT(*) AS met FROM simulation_events WHERE simulation_id = $1 AND tenant_id = $2 AND kind = $3",
        simulation_id,
        tenant_id,
        EventKind.FAILURE_EVENT.value,
    )
    return int(rows[0]["met"])
