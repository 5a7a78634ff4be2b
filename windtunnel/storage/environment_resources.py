"""What environments are made of: noted before it is made, and until it is seen to be absent."""

from collections.abc import Iterable
from typing import Any

from windtunnel.domain.environments import Resource, ResourceKind, ResourceStatus
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment


async def of_environments(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, list[Resource]]:
    """Of each of these environments of the tenant what it is or was made of, in the order in which it was noted."""
    wanted = list(ids)
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM environment_resources WHERE tenant_id = $1 AND environment_id = ANY($2)"
        " ORDER BY created_ms, key",
        tenant_id,
        known_ids(wanted),
    )
    found: dict[str, list[Resource]] = {each: [] for each in wanted}
    for row in rows:
        found[row["environment_id"]].append(resource_of(row))
    return found


def resource_of(row: dict[str, Any]) -> Resource:
    """A row of the table as the domain's value."""
    return Resource(
        key=row["key"],
        kind=ResourceKind(row["kind"]),
        locator=row["locator"],
        status=ResourceStatus(row["status"]),
        created_at=moment(row["created_ms"]),
        removed_at=optional_moment(row["removed_ms"]),
    )


async def intend(
    store: Store, tenant_id: str, environment_id: str, *, key: str, kind: ResourceKind, locator: str
) -> Resource | None:
    """Note that something will be made of which the environment is made; before it is made.

    None when the environment is on its way out: nothing may be made any more. What was noted before stays as it is.
    """
    async with store.transaction(tenant_id):
        found = await store.of(tenant_id).fetch(
            "SELECT id FROM environments WHERE tenant_id = $1 AND id = $2"
            " AND status IN ('PROVISIONING', 'READY', 'PAUSED') {for_update}",
            tenant_id,
            environment_id,
        )
        if not found:
            return None
        rows = await store.of(tenant_id).fetch(
            "INSERT INTO environment_resources (environment_id, key, tenant_id, kind, locator, status, created_ms)"
            " VALUES ($1, $2, $3, $4, $5, 'INTENDED', {now})"
            " ON CONFLICT (environment_id, key) DO UPDATE SET locator = environment_resources.locator RETURNING *",
            environment_id,
            key,
            tenant_id,
            kind.value,
            locator,
        )
        return resource_of(rows[0])


async def created(store: Store, tenant_id: str, environment_id: str, key: str) -> None:
    """INTENDED -> CREATED: it is there."""
    await store.of(tenant_id).fetch(
        "UPDATE environment_resources SET status = 'CREATED'"
        " WHERE tenant_id = $1 AND environment_id = $2 AND key = $3 AND status = 'INTENDED'",
        tenant_id,
        environment_id,
        key,
    )


async def removed(store: Store, tenant_id: str, environment_id: str, key: str) -> None:
    """INTENDED or CREATED -> REMOVED: it was seen to be absent."""
    await store.of(tenant_id).fetch(
        "UPDATE environment_resources SET status = 'REMOVED', removed_ms = {now}"
        " WHERE tenant_id = $1 AND environment_id = $2 AND key = $3 AND status <> 'REMOVED'",
        tenant_id,
        environment_id,
        key,
    )
