"""Deployments: their rows and pages. What changes a row is in `deployment_changes`.

A review and an approval are over at their deadlines, by the clock of the database: what is read says so from that
moment on, also before a worker has come by and made it so.
"""

from collections.abc import Iterable
from typing import Any

from windtunnel.domain.deployments import Deployment, DeploymentFilter, DeploymentStatus
from windtunnel.domain.pages import Keyset, Page, PageRequest
from windtunnel.storage.package_checks import checks_from_json
from windtunnel.storage.paging import Conditions, read_page, read_pages
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import milliseconds, moment, optional_moment

EVERYTHING = DeploymentFilter()

_STATUS = (
    "CASE WHEN status = 'IN_REVIEW' AND review_deadline_ms <= {now} THEN 'EXPIRED'"
    " WHEN status IN ('APPROVED', 'HELD', 'DEPLOY_FAILED') AND execute_by_ms <= {now} THEN 'LAPSED' ELSE status END"
)
_COLUMNS = f"*, {_STATUS} AS status_now"
_ENDS = {DeploymentStatus.EXPIRED: "review_deadline_ms", DeploymentStatus.LAPSED: "execute_by_ms"}


async def get(store: Store, tenant_id: str, id: str) -> Deployment | None:
    """The tenant's deployment, or None."""
    return (await get_many(store, tenant_id, [id])).get(id)


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Deployment]:
    """Those of the tenant's deployments that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM deployments WHERE tenant_id = $1 AND id = ANY($2)",  # noqa: S608
        tenant_id,
        known,
    )
    return {row["id"]: deployment_of(row) for row in rows}


async def page(
    store: Store, tenant_id: str, request: PageRequest, filter: DeploymentFilter = EVERYTHING
) -> Page[Deployment]:
    """The tenant's deployments that pass the filter, newest first."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    if filter.agent_id is not None:
        where.add("agent_id = ANY(?)", known_ids([filter.agent_id]))
    if filter.statuses is not None:
        where.add(f"{_STATUS} = ANY(?)", sorted(status.value for status in filter.statuses))
    if filter.submitted_by is not None:
        where.add("submitted_by = ?", filter.submitted_by)
    if filter.submitted_after is not None:
        where.add("created_ms > ?", milliseconds(filter.submitted_after))
    if filter.submitted_before is not None:
        where.add("created_ms < ?", milliseconds(filter.submitted_before))
    return await read_page(
        store.of(tenant_id), "deployments", _COLUMNS, where=where, request=request, decode=deployment_of
    )


async def pages_of(
    store: Store, tenant_id: str, group: str, ids: Iterable[str], *, limit: int, after: Keyset | None = None
) -> dict[str, Page[Deployment]]:
    """For each `agent_id` or `version_id` (the `group`) the first `limit` deployments after `after`, newest first."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    return await read_pages(
        store.of(tenant_id),
        "deployments",
        _COLUMNS,
        group=group,
        ids=known_ids(ids),
        where=where,
        limit=limit,
        after=after,
        decode=deployment_of,
    )


def deployment_of(row: dict[str, Any]) -> Deployment:
    """A row of the table as the domain's value; as it is `status_now`, where that was read."""
    status = DeploymentStatus(row.get("status_now", row["status"]))
    finished_ms = row["finished_ms"]
    if finished_ms is None and status in _ENDS:
        finished_ms = row[_ENDS[status]]
    return Deployment(
        id=row["id"],
        tenant_id=row["tenant_id"],
        agent_id=row["agent_id"],
        version_id=row["version_id"],
        package_digest=row["package_digest"],
        manifest_digest=row["manifest_digest"],
        status=status,
        submitted_by=row["submitted_by"],
        submitted_at=moment(row["created_ms"]),
        token_id=row["token_id"],
        request_id=row["request_id"],
        changelog=row["changelog"],
        due_at=moment(row["due_ms"]),
        checks=checks_from_json(row["checks"]) if row["checks"] else (),
        quorum=row["quorum"],
        review_deadline=optional_moment(row["review_deadline_ms"]),
        approved_at=optional_moment(row["approved_ms"]),
        execute_by=optional_moment(row["execute_by_ms"]),
        approval=row["approval"],
        attempts=row["attempts"],
        deployed_at=optional_moment(row["deployed_ms"]),
        finished_at=optional_moment(finished_ms),
        failure=row["failure"],
        revision=row["revision"],
        last_seq=row["last_seq"],
        fence=row["fence"],
        lease_owner=row["lease_owner"],
    )
