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
