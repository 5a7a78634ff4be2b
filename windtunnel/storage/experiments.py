"""Experiments: their rows, pages and events. What changes a row is in `experiment_changes`."""

from collections.abc import Iterable
from typing import Any

import orjson

from windtunnel.domain.experiments import (
    Experiment,
    ExperimentEvent,
    ExperimentFilter,
    ExperimentStatus,
    Load,
    findings_from_json,
)
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.storage.paging import Conditions, read_page
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment

EVERYTHING = ExperimentFilter()
_LARGEST_SEQ = 2**62


async def get(store: Store, tenant_id: str, id: str) -> Experiment | None:
    """The tenant's experiment, or None."""
    return (await get_many(store, tenant_id, [id])).get(id)


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Experiment]:
    """Those of the tenant's experiments that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM experiments WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, known
    )
    return {row["id"]: experiment_of(row) for row in rows}


async def page(
    store: Store, tenant_id: str, request: PageRequest, filter: ExperimentFilter = EVERYTHING
) -> Page[Experiment]:
    """The tenant's experiments that pass the filter, newest first."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    if filter.architecture_id is not None:
        where.add("architecture_id = ANY(?)", known_ids([filter.architecture_id]))
    if filter.statuses is not None:
        where.add("status = ANY(?)", sorted(status.value for status in filter.statuses))
    return await read_page(store.of(tenant_id), "experiments", "*", where=where, request=request, decode=experiment_of)


async def open_of(store: Store, tenant_id: str) -> int:
    """How many of the tenant's experiments are not over."""
    rows = await store.of(tenant_id).fetch(
        "SELECT COUNT(*) AS number FROM experiments WHERE tenant_id = $1 AND status IN ('QUEUED', 'RUNNING')", tenant_id
    )
    return int(rows[0]["number"])


async def read_events(
    store: Store, tenant_id: str, experiment_id: str, after: int, limit: int
) -> list[ExperimentEvent]:
    """At most `limit` events numbered above `after`, in order."""
    if not known_ids([experiment_id]):
        return []
    first = max(0, min(after, _LARGEST_SEQ))
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM experiment_events WHERE tenant_id = $1 AND experiment_id = $2 AND seq > $3 AND seq <= $4"
        " ORDER BY seq",
        tenant_id,
        experiment_id,
        first,
        first + min(limit, _LARGEST_SEQ),
    )
    return [event_of(row) for row in rows]


def event_of(row: dict[str, Any]) -> ExperimentEvent:
    """A row of the log as the domain's value."""
    return ExperimentEvent(
        row["experiment_id"], row["seq"], moment(row["at_ms"]), ExperimentStatus(row["status"]), row["progress"]
    )


def experiment_of(row: dict[str, Any]) -> Experiment:
    """A row of the table as the domain's value."""
    return Experiment(
        id=row["id"],
        tenant_id=row["tenant_id"],
        architecture_id=row["architecture_id"],
        environment_id=row["environment_id"],
        package_digest=row["package_digest"],
        status=ExperimentStatus(row["status"]),
        load=Load(row["seed"], row["replications"], row["tasks"], row["arrival_rate"]),
        overrides=orjson.loads(row["overrides"]) if row["overrides"] else None,
        variant=orjson.loads(row["variant"]) if row["variant"] else None,
        progress=row["progress"],
        last_seq=row["last_seq"],
        findings=findings_from_json(row["findings"]) if row["findings"] else None,
        failure=row["failure"],
        created_by=row["created_by"],
        created_at=moment(row["created_ms"]),
        finished_at=optional_moment(row["finished_ms"]),
        request_id=row["request_id"],
        fence=row["fence"],
        lease_owner=row["lease_owner"],
    )
