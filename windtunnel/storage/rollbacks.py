"""Rollbacks: their rows."""

from collections.abc import Iterable
from typing import Any

import orjson

from windtunnel.domain.rollbacks import Rollback, RollbackStatus
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment


async def get(store: Store, tenant_id: str, id: str) -> Rollback | None:
    """The tenant's rollback, or None."""
    return (await get_many(store, tenant_id, [id])).get(id)


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Rollback]:
    """Those of the tenant's rollbacks that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM rollbacks WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, known
    )
    return {row["id"]: rollback_of(row) for row in rows}


def rollback_of(row: dict[str, Any]) -> Rollback:
    """A row of the table as the domain's value."""
    return Rollback(
        id=row["id"],
        tenant_id=row["tenant_id"],
        agent_id=row["agent_id"],
        deployment_id=row["deployment_id"],
        from_version_id=row["from_version_id"],
        to_version_id=row["to_version_id"],
        status=RollbackStatus(row["status"]),
        step=row["step"],
        reason=row["reason"],
        requested_by=row["requested_by"],
        request_id=row["request_id"],
        started_at=moment(row["started_ms"]),
        deadline=moment(row["deadline_ms"]),
        pointer_fence=row["pointer_fence"],
        notified=tuple(orjson.loads(row["notified"])),
        finished_at=optional_moment(row["finished_ms"]),
        duration_ms=row["duration_ms"],
        failure=row["failure"],
        fence=row["fence"],
        lease_owner=row["lease_owner"],
    )
