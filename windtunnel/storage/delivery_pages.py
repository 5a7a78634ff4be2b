"""Deliveries of webhooks as people look at them: by id, page by page, and how many are dead."""

from collections.abc import Iterable
from typing import Any

from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.pages import Keyset, Page
from windtunnel.domain.webhooks import Delivery, DeliveryStatus
from windtunnel.storage.paging import Conditions, read_pages
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment

_COLUMNS = "id, webhook_id, kind, status, attempts, created_ms, due_ms, finished_ms, last_status, last_error"


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Delivery]:
    """Those of the tenant's deliveries that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM webhook_deliveries WHERE tenant_id = $1 AND id = ANY($2)",  # noqa: S608
        tenant_id,
        known,
    )
    return {row["id"]: _delivery(row) for row in rows}


async def pages_of_webhooks(
    store: Store,
    tenant_id: str,
    webhook_ids: Iterable[str],
    limit: int,
    after: Keyset | None = None,
    *,
    status: DeliveryStatus | None = None,
) -> dict[str, Page[Delivery]]:
    """For each webhook the first `limit` of its deliveries after `after`, newest first, in one statement."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    if status is not None:
        where.add("status = ?", status.value)
    return await read_pages(
        store.of(tenant_id),
        "webhook_deliveries",
        _COLUMNS,
        group="webhook_id",
        ids=known_ids(webhook_ids),
        where=where,
        limit=limit,
        after=after,
        decode=_delivery,
    )


async def dead_letters(store: Store, tenant_id: str, webhook_ids: Iterable[str]) -> dict[str, int]:
    """How many dead deliveries each of the webhooks has; those without any are missing."""
    rows = await store.of(tenant_id).fetch(
        "SELECT webhook_id, COUNT(*) AS number FROM webhook_deliveries"
        " WHERE tenant_id = $1 AND status = 'DEAD' AND webhook_id = ANY($2) GROUP BY webhook_id",
        tenant_id,
        known_ids(webhook_ids),
    )
    return {row["webhook_id"]: row["number"] for row in rows}


def _delivery(row: dict[str, Any]) -> Delivery:
    return Delivery(
        id=row["id"],
        webhook_id=row["webhook_id"],
        kind=NotificationKind(row["kind"]),
        status=DeliveryStatus(row["status"]),
        attempts=row["attempts"],
        created_at=moment(row["created_ms"]),
        due_at=moment(row["due_ms"]),
        finished_at=optional_moment(row["finished_ms"]),
        last_status=row["last_status"],
        last_error=row["last_error"],
    )
