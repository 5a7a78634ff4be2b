"""What happened to deployments: appended with every change, read in order."""

from collections.abc import Iterable
from typing import Any

from windtunnel.domain.deployments import DeploymentEvent, DeploymentEventDraft, DeploymentStatus
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, known_ids
from windtunnel.storage.times import moment

_LARGEST_SEQ = 2**62


async def insert_event(store: Store, row: dict[str, Any], draft: DeploymentEventDraft) -> DeploymentEvent:
    """The event that belongs to a change which has just made `row` what it is: its `last_seq`, at its `at_ms`."""
    message = cleaned(draft.message)
    await store.of(row["tenant_id"]).fetch(
        "INSERT INTO deployment_events"
        " (deployment_id, seq, tenant_id, at_ms, status, step, message, actor_id, progress)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        row["id"],
        row["last_seq"],
        row["tenant_id"],
        row["at_ms"],
        draft.status.value,
        draft.step,
        message,
        draft.actor_id,
        draft.progress,
    )
    return DeploymentEvent(
        row["id"],
        row["last_seq"],
        moment(row["at_ms"]),
        draft.status,
        draft.step,
        message,
        draft.actor_id,
        draft.progress,
    )


async def append(
    store: Store, tenant_id: str, deployment_id: str, draft: DeploymentEventDraft
) -> DeploymentEvent | None:
    """An event of a deployment that stays in the status of `draft`; None when it is in another one by now."""
    rows = await store.of(tenant_id).fetch(
        "UPDATE deployments SET last_seq = last_seq + 1 WHERE tenant_id = $1 AND id = $2 AND status = $3"
        " RETURNING id, tenant_id, last_seq, {now} AS at_ms",
        tenant_id,
        deployment_id,
        draft.status.value,
    )
    return await insert_event(store, rows[0], draft) if rows else None


async def read(store: Store, tenant_id: str, deployment_id: str, after: int, limit: int) -> list[DeploymentEvent]:
    """At most `limit` events numbered above `after`, in order."""
    return (await read_many(store, tenant_id, [deployment_id], after, limit)).get(deployment_id, [])


async def read_many(
    store: Store, tenant_id: str, deployment_ids: Iterable[str], after: int = 0, limit: int = _LARGEST_SEQ
) -> dict[str, list[DeploymentEvent]]:
    """As `read` for each of several deployments, in one statement."""
    found: dict[str, list[DeploymentEvent]] = {key: [] for key in deployment_ids}
    if not (known := known_ids(found)):
        return found
    first = max(0, min(after, _LARGEST_SEQ))
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM deployment_events WHERE tenant_id = $1 AND deployment_id = ANY($2) AND seq > $3 AND seq <= $4"
        " ORDER BY deployment_id, seq",
        tenant_id,
        known,
        first,
        first + min(limit, _LARGEST_SEQ),
    )
    for row in rows:
        found[row["deployment_id"]].append(
            DeploymentEvent(
                row["deployment_id"],
                row["seq"],
                moment(row["at_ms"]),
                DeploymentStatus(row["status"]),
                row["step"],
                row["message"],
                row["actor_id"],
                row["progress"],
            )
        )
    return found
