"""Environments: their rows, pages and counts. What changes a row is in `environment_life`."""

from collections.abc import Iterable
from typing import Any

import orjson

from windtunnel.domain.environments import (
    Ending,
    Environment,
    EnvironmentFilter,
    EnvironmentLimits,
    EnvironmentStatus,
    EnvironmentUsage,
)
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.policy import ENVIRONMENTS_PER_TENANT
from windtunnel.domain.production import Snapshot
from windtunnel.storage.isolation_reports import report_from_json
from windtunnel.storage.paging import Conditions, read_page
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment

EVERYTHING = EnvironmentFilter()


async def get(store: Store, tenant_id: str, id: str) -> Environment | None:
    """The tenant's environment, or None."""
    return (await get_many(store, tenant_id, [id])).get(id)


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Environment]:
    """Those of the tenant's environments that exist, by id; also those that are gone but for their rows."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM environments WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, known
    )
    return {row["id"]: environment_of(row) for row in rows}


async def of_namespaces(store: Store, tenant_id: str, namespaces: Iterable[str]) -> dict[str, Environment]:
    """Those of the tenant's environments that have these namespaces, by namespace."""
    if not (known := known_ids(namespaces)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM environments WHERE tenant_id = $1 AND namespace = ANY($2)", tenant_id, known
    )
    return {row["namespace"]: environment_of(row) for row in rows}


async def page(
    store: Store, tenant_id: str, request: PageRequest, filter: EnvironmentFilter = EVERYTHING
) -> Page[Environment]:
    """The tenant's environments that pass the filter, newest first."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    if filter.statuses is not None:
        where.add("status = ANY(?)", sorted(status.value for status in filter.statuses))
    if filter.created_by is not None:
        where.add("created_by = ?", filter.created_by)
    return await read_page(
        store.of(tenant_id), "environments", "*", where=where, request=request, decode=environment_of
    )


async def free_slot(store: Store, tenant_id: str) -> int | None:
    """The lowest slot that no environment of the tenant has, None when all are taken.

    Two who ask at once may get the same; only one of them can store a row with it.
    """
    rows = await store.of(tenant_id).fetch(
        "SELECT slot FROM environments WHERE tenant_id = $1 AND status <> 'DELETED'", tenant_id
    )
    taken = {row["slot"] for row in rows}
    return next((slot for slot in range(1, ENVIRONMENTS_PER_TENANT + 1) if slot not in taken), None)


async def count(store: Store, tenant_id: str) -> int:
    """How many of the tenant's slots are taken."""
    rows = await store.of(tenant_id).fetch(
        "SELECT COUNT(*) AS taken FROM environments WHERE tenant_id = $1 AND status <> 'DELETED'", tenant_id
    )
    return int(rows[0]["taken"])


def environment_of(row: dict[str, Any]) -> Environment:
    """A row of the table as the domain's value."""
    return Environment(
        id=row["id"],
        tenant_id=row["tenant_id"],
        slot=row["slot"],
        namespace=row["namespace"],
        name=row["name"],
        status=EnvironmentStatus(row["status"]),
        created_at=moment(row["created_ms"]),
        created_by=row["created_by"],
        request_id=row["request_id"],
        provision_by=moment(row["provision_by_ms"]),
        expires_at=moment(row["expires_ms"]),
        limits=EnvironmentLimits(float(row["cpu"]), row["memory_mb"], row["storage_mb"], row["max_simulations"]),
        snapshot=Snapshot.read(row["production_revision"], row["snapshot"]),
        snapshot_digest=row["snapshot_digest"],
        due_at=moment(row["due_ms"]),
        ready_at=optional_moment(row["ready_ms"]),
        isolation=report_from_json(row["isolation"]) if row["isolation"] else None,
        sealed_password=row["sealed_password"],
        failure=row["failure"],
        usage=EnvironmentUsage(row["simulations"], row["tokens"], row["cpu_ms"], row["storage_bytes"]),
        ended_by=Ending(row["ended_by"]) if row["ended_by"] else None,
        cleanup_started_at=optional_moment(row["cleanup_started_ms"]),
        remaining=tuple(orjson.loads(row["remaining"])) if row["remaining"] else (),
        deleted_at=optional_moment(row["deleted_ms"]),
        receipt=row["receipt"],
        receipt_digest=row["receipt_digest"],
        attempts=row["attempts"],
        work_seq=row["work_seq"],
        worked_seq=row["worked_seq"],
        last_seq=row["last_seq"],
        fence=row["fence"],
        lease_owner=row["lease_owner"],
    )
