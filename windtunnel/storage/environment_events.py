"""What happened to environments: appended in the transaction of the change, numbered without gaps, read in order."""

from typing import Any

from windtunnel.domain.environments import EnvironmentEvent, EnvironmentEventDraft, EnvironmentStatus
from windtunnel.domain.errors import NotFoundError
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, known_ids
from windtunnel.storage.times import moment

_LARGEST_SEQ = 2**62


async def append(store: Store, tenant_id: str, environment_id: str, draft: EnvironmentEventDraft) -> EnvironmentEvent:
    """Number an event and store it, in the transaction of the change that it tells of.

    Raises NotFoundError. The row of a DELETED environment never changes: its last event is stored by `insert`, with
    the number that the change itself takes.
    """
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            "UPDATE environments SET last_seq = last_seq + 1 WHERE tenant_id = $1 AND id = $2"
            " RETURNING last_seq, {now} AS at_ms",
            tenant_id,
            environment_id,
        )
        if not rows:
            raise NotFoundError("There is no such environment.", resource_id=environment_id)
        return await insert(store, tenant_id, environment_id, rows[0]["last_seq"], rows[0]["at_ms"], draft)


async def insert(  # noqa: PLR0917 - read in this order everywhere
    store: Store, tenant_id: str, environment_id: str, seq: int, at_ms: int, draft: EnvironmentEventDraft
) -> EnvironmentEvent:
    """Store an event in the transaction that has just raised `last_seq` of the environment to `seq`, at `at_ms`."""
    message = cleaned(draft.message)
    await store.of(tenant_id).fetch(
        "INSERT INTO environment_events (environment_id, seq, tenant_id, at_ms, status, step, message, progress)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        environment_id,
        seq,
        tenant_id,
        at_ms,
        draft.status.value,
        draft.step,
        message,
        float(draft.progress),
    )
    return EnvironmentEvent(
        environment_id, seq, moment(at_ms), draft.status, draft.step, message, float(draft.progress)
    )


async def read(
    store: Store, tenant_id: str, environment_id: str, after: int = 0, limit: int = 500
) -> list[EnvironmentEvent]:
    """At most `limit` of the events of the tenant's environment with a seq above `after`, in order."""
    if not known_ids([environment_id]):
        return []
    first = max(0, min(after, _LARGEST_SEQ))
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM environment_events WHERE environment_id = $1 AND tenant_id = $2 AND seq > $3 AND seq <= $4"
        " ORDER BY seq",
        environment_id,
        tenant_id,
        first,
        first + limit,
    )
    return [_event(row) for row in rows]


def _event(row: dict[str, Any]) -> EnvironmentEvent:
    return EnvironmentEvent(
        environment_id=row["environment_id"],
        seq=row["seq"],
        at=moment(row["at_ms"]),
        status=EnvironmentStatus(row["status"]),
        step=row["step"],
        message=row["message"],
        progress=row["progress"],
    )
