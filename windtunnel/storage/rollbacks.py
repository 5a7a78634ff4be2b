"""Rollbacks: their rows. What changes them is in `rollback_changes`."""

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


async def running(store: Store, tenant_id: str, agent_id: str) -> Rollback | None:
    """The rollback of the agent that runs now, or None."""
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM rollbacks WHERE tenant_id = $1 AND agent_id = $2 AND status = 'RUNNING'", tenant_id, agent_id
    )
    return rollback_of(rows[0]) if rows else None


async def of_deployments(store: Store, tenant_id: str, deployment_ids: Iterable[str]) -> dict[str, list[Rollback]]:
    """The rollbacks that took these deployments away, or tried to; the first one first."""
    found: dict[str, list[Rollback]] = {key: [] for key in deployment_ids}
    if known := known_ids(found):
        for row in await store.of(tenant_id).fetch(
            "SELECT * FROM rollbacks WHERE tenant_id = $1 AND deployment_id = ANY($2) ORDER BY started_ms, id",
            tenant_id,
            known,
        ):
            found[row["deployment_id"]].append(rollback_of(row))
    return found


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
        told=tuple(orjson.loads(row["told"])),
        finished_at=optional_moment(row["finished_ms"]),
        duration_ms=row["duration_ms"],
        failure=row["failure"],
        fence=row["fence"],
        lease_owner=row["lease_owner"],
    )
