"""Webhooks: the tenant's receivers. Their secrets are kept sealed and leave with `secret_of` alone."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.webhooks import Webhook
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids, to_json
from windtunnel.storage.times import milliseconds, moment, optional_moment

_COLUMNS = "id, tenant_id, url, kinds, created_ms, created_by, last_delivery_ms, last_status"


async def insert(store: Store, webhook: Webhook, sealed_secret: str) -> None:
    """Store a new webhook. Raises ConstraintError when its id is taken or its author unknown."""
    await store.of(webhook.tenant_id).fetch(
        "INSERT INTO webhooks (id, tenant_id, url, kinds, sealed_secret, created_ms, created_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        webhook.id,
        webhook.tenant_id,
        webhook.url,
        to_json([kind.value for kind in webhook.kinds]),
        sealed_secret,
        milliseconds(webhook.created_at),
        webhook.created_by,
    )


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Webhook]:
    """Those of the tenant's webhooks that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM webhooks WHERE tenant_id = $1 AND id = ANY($2)",  # noqa: S608
        tenant_id,
        known,
    )
    return {row["id"]: _webhook(row) for row in rows}


async def list(store: Store, tenant_id: str) -> Sequence[Webhook]:  # noqa: A001 - reads `webhooks.list`
    """All of the tenant's webhooks, newest first: they are few."""
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM webhooks WHERE tenant_id = $1 ORDER BY created_ms DESC, id DESC",  # noqa: S608
        tenant_id,
    )
    return [_webhook(row) for row in rows]


async def count(store: Store, tenant_id: str) -> int:
    """How many webhooks the tenant has."""
    rows = await store.of(tenant_id).fetch("SELECT COUNT(*) AS number FROM webhooks WHERE tenant_id = $1", tenant_id)
    return int(rows[0]["number"])


async def secret_of(store: Store, tenant_id: str, id: str) -> str | None:
    """The sealed secret of a webhook, None when there is no such webhook."""
    rows = await store.of(tenant_id).fetch(
        "SELECT sealed_secret FROM webhooks WHERE tenant_id = $1 AND id = $2", tenant_id, id
    )
    return str(rows[0]["sealed_secret"]) if rows else None


async def delete(store: Store, tenant_id: str, id: str) -> Webhook | None:
    """Delete a webhook with its deliveries, the pending ones too; what it was, None when there was none."""
    if not known_ids([id]):
        return None
    rows = await store.of(tenant_id).fetch(
        f"DELETE FROM webhooks WHERE tenant_id = $1 AND id = $2 RETURNING {_COLUMNS}",  # noqa: S608
        tenant_id,
        id,
    )
    return _webhook(rows[0]) if rows else None


def _webhook(row: dict[str, Any]) -> Webhook:
    return Webhook(
        id=row["id"],
        tenant_id=row["tenant_id"],
        url=row["url"],
        kinds=tuple(NotificationKind(kind) for kind in orjson.loads(row["kinds"])),
        created_at=moment(row["created_ms"]),
        created_by=row["created_by"],
        last_delivery_at=optional_moment(row["last_delivery_ms"]),
        last_status=row["last_status"],
    )
