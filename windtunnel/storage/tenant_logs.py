"""Two logs of a tenant: what happened to production, and how the review queue moved. Numbered without gaps."""

from typing import Any

from windtunnel.domain.reviews import QueueChange, QueueEvent
from windtunnel.domain.rollbacks import ProductionEvent, ProductionEventKind
from windtunnel.storage.store import Store
from windtunnel.storage.times import moment

_LARGEST_SEQ = 2**62


async def append_production(
    store: Store,
    tenant_id: str,
    kind: ProductionEventKind,
    *,
    agent_id: str | None = None,
    version_id: str | None = None,
    previous_id: str | None = None,
) -> ProductionEvent:
    """Append to what happened to production, in the transaction of the change, under the tenant's lock."""
    rows = await store.of(tenant_id).fetch(
        "INSERT INTO production_events (tenant_id, seq, at_ms, kind, agent_id, version_id, previous_id)"
        " SELECT CAST($1 AS VARCHAR(36)), COALESCE(MAX(seq), 0) + 1, {now}, $2, $3, $4, $5 FROM production_events"
        " WHERE tenant_id = $1 RETURNING *",
        tenant_id,
        kind.value,
        agent_id,
        version_id,
        previous_id,
    )
    return _production_event(rows[0])


async def read_production(store: Store, tenant_id: str, after: int, limit: int) -> list[ProductionEvent]:
    """At most `limit` events numbered above `after`, in order."""
    return [_production_event(row) for row in await _read(store, "production_events", tenant_id, after, limit)]


async def append_queue(store: Store, tenant_id: str, change: QueueChange, review_id: str) -> QueueEvent:
    """Append to how the review queue moved, in the transaction of the move, under the tenant's lock."""
    rows = await store.of(tenant_id).fetch(
        "INSERT INTO review_queue_events (tenant_id, seq, at_ms, change, review_id)"
        " SELECT CAST($1 AS VARCHAR(36)), COALESCE(MAX(seq), 0) + 1, {now}, $2, $3 FROM review_queue_events"
        " WHERE tenant_id = $1 RETURNING *",
        tenant_id,
        change.value,
        review_id,
    )
    return _queue_event(rows[0])


async def read_queue(store: Store, tenant_id: str, after: int, limit: int) -> list[QueueEvent]:
    """At most `limit` moves numbered above `after`, in order."""
    return [_queue_event(row) for row in await _read(store, "review_queue_events", tenant_id, after, limit)]


async def last_production(store: Store, tenant_id: str) -> int:
    """The number of the newest event, 0 without any."""
    return await _last(store, "production_events", tenant_id)


async def last_queue(store: Store, tenant_id: str) -> int:
    """The number of the newest move, 0 without any."""
    return await _last(store, "review_queue_events", tenant_id)


async def _last(store: Store, table: str, tenant_id: str) -> int:
    rows = await store.of(tenant_id).fetch(
        f"SELECT COALESCE(MAX(seq), 0) AS last FROM {table} WHERE tenant_id = $1",  # noqa: S608 - one of two
        tenant_id,
    )
    return int(rows[0]["last"])


async def _read(store: Store, table: str, tenant_id: str, after: int, limit: int) -> list[dict[str, Any]]:
    first = max(0, min(after, _LARGEST_SEQ))
    return await store.of(tenant_id).fetch(
        f"SELECT * FROM {table} WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq",  # noqa: S608
        tenant_id,
        first,
        first + limit,
    )


def _production_event(row: dict[str, Any]) -> ProductionEvent:
    return ProductionEvent(
        row["seq"],
        moment(row["at_ms"]),
        ProductionEventKind(row["kind"]),
        row["agent_id"],
        row["version_id"],
        row["previous_id"],
    )


def _queue_event(row: dict[str, Any]) -> QueueEvent:
    return QueueEvent(row["seq"], moment(row["at_ms"]), QueueChange(row["change"]), row["review_id"])
