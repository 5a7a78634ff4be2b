"""Simulations: their rows, pages and counts. What changes a row is in `leases`, `events` and `transitions`."""

from collections.abc import Iterable
from typing import Any

import orjson

from windtunnel.domain.errors import ErrorCode, NotFoundError
from windtunnel.domain.interpretations import interpretation_from_json, interpretation_to_json
from windtunnel.domain.pages import Keyset, Page, PageRequest
from windtunnel.domain.planning import PlannerMode
from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.simulations import (
    Counts,
    FailureInjection,
    Simulation,
    SimulationFailure,
    SimulationFilter,
    SimulationStatus,
)
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.exercises import exercise_from_json
from windtunnel.storage.paging import Conditions, read_page, read_pages
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, known_ids, to_json
from windtunnel.storage.times import milliseconds, moment, optional_milliseconds, optional_moment

EVERYTHING = SimulationFilter()


async def insert(store: Store, simulation: Simulation) -> None:
    """Store a new simulation; with a `lease_owner` it is under that one's lease from now on.

    Raises NotFoundError when its scenario or architecture does not exist (any more).
    """
    values = _values(simulation)
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    lease = f"{{now}} + {LEASE_MS}" if simulation.lease_owner else "NULL"
    try:
        await store.of(simulation.tenant_id).fetch(
            f"INSERT INTO simulations ({names}, lease_until_ms) VALUES ({places}, {lease})",  # noqa: S608
            *values.values(),
        )
    except ConstraintError as error:
        if "foreign key" in str(error).lower():
            raise NotFoundError("The scenario or architecture to simulate does not exist.") from error
        raise


async def get(store: Store, tenant_id: str, id: str) -> Simulation | None:
    """The tenant's simulation, or None."""
    return (await get_many(store, tenant_id, [id])).get(id)


async def exists(store: Store, tenant_id: str, id: str) -> bool:
    """True when the tenant has this simulation."""
    if not known_ids([id]):
        return False
    return bool(
        await store.of(tenant_id).fetch(
            "SELECT 1 AS one FROM simulations WHERE tenant_id = $1 AND id = $2", tenant_id, id
        )
    )


async def ran(store: Store, tenant_id: str, architecture_id: str, package_digest: str) -> bool:
    """Whether there is a simulation of the architecture for which it was planned as what the package declares."""
    if not known_ids([architecture_id, package_digest]):
        return False
    return bool(
        await store.of(tenant_id).fetch(
            "SELECT 1 AS one FROM simulations WHERE tenant_id = $1 AND package_digest = $2 AND architecture_id = $3"
            " LIMIT 1",
            tenant_id,
            package_digest,
            architecture_id,
        )
    )


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, Simulation]:
    """Those of the tenant's simulations that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM simulations WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, known
    )
    return {row["id"]: simulation_of(row) for row in rows}


async def page(
    store: Store, tenant_id: str, request: PageRequest, filter: SimulationFilter = EVERYTHING
) -> Page[Simulation]:
    """The tenant's simulations that pass the filter, newest first."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    for column, wanted in (("scenario_id", filter.scenario_id), ("environment_id", filter.environment_id)):
        if wanted is not None:
            where.add(f"{column} = ANY(?)", known_ids([wanted]))
    if filter.package_digest is not None:
        where.add("package_digest = ?", filter.package_digest)
    if filter.statuses is not None:
        where.add("status = ANY(?)", sorted(status.value for status in filter.statuses))
    if filter.created_after is not None:
        where.add("created_ms > ?", milliseconds(filter.created_after))
    if filter.created_before is not None:
        where.add("created_ms < ?", milliseconds(filter.created_before))
    return await read_page(store.of(tenant_id), "simulations", "*", where=where, request=request, decode=simulation_of)


async def pages_of_scenarios(
    store: Store, tenant_id: str, scenario_ids: Iterable[str], limit: int, after: Keyset | None = None
) -> dict[str, Page[Simulation]]:
    """For each scenario the first `limit` of its simulations after `after`, newest first, in one statement."""
    where = Conditions()
    where.add("tenant_id = ?", tenant_id)
    return await read_pages(
        store.of(tenant_id),
        "simulations",
        "*",
        group="scenario_id",
        ids=known_ids(scenario_ids),
        where=where,
        limit=limit,
        after=after,
        decode=simulation_of,
    )


async def counts(store: Store, tenant_id: str) -> Counts:
    """How many of the tenant's simulations wait and how many run."""
    rows = await store.of(tenant_id).fetch(
        "SELECT COALESCE(SUM(CASE WHEN status = 'RUNNING' THEN 1 ELSE 0 END), 0) AS running, COUNT(*) AS unfinished"
        " FROM simulations WHERE tenant_id = $1 AND status IN ('QUEUED', 'PLANNING', 'RUNNING')",
        tenant_id,
    )
    running = int(rows[0]["running"])
    return Counts(waiting=int(rows[0]["unfinished"]) - running, running=running)


def simulation_of(row: dict[str, Any]) -> Simulation:
    """A row of the table as the domain's value."""
    return Simulation(
        id=row["id"],
        tenant_id=row["tenant_id"],
        scenario_id=row["scenario_id"],
        architecture_id=row["architecture_id"],
        environment_id=row["environment_id"],
        package_digest=row["package_digest"],
        status=SimulationStatus(row["status"]),
        seed=row["seed"],
        pace=row["pace"],
        planner_mode=PlannerMode(row["planner_mode"]),
        failures=FailureInjection(row["failures"]),
        inject_failures=tuple(orjson.loads(row["inject_failures"])),
        created_at=moment(row["created_ms"]),
        created_by=row["created_by"],
        started_at=optional_moment(row["started_ms"]),
        finished_at=optional_moment(row["finished_ms"]),
        interpretation=interpretation_from_json(row["interpretation"]) if row["interpretation"] else None,
        narrative=row["narrative"],
        error=_failure(row),
        last_seq=row["last_seq"],
        story_from_seq=row["story_from_seq"],
        fence=row["fence"],
        lease_owner=row["lease_owner"],
        exercise=exercise_from_json(row["exercise"]) if row["exercise"] else None,
    )


def _values(simulation: Simulation) -> dict[str, Any]:
    return {
        "id": simulation.id,
        "tenant_id": simulation.tenant_id,
        "scenario_id": simulation.scenario_id,
        "architecture_id": simulation.architecture_id,
        "environment_id": simulation.environment_id,
        "package_digest": simulation.package_digest,
        "status": simulation.status.value,
        "seed": simulation.seed,
        "pace": float(simulation.pace),
        "planner_mode": simulation.planner_mode.value,
        "failures": simulation.failures.value,
        "inject_failures": to_json(simulation.inject_failures),
        "created_ms": milliseconds(simulation.created_at),
        "created_by": simulation.created_by,
        "started_ms": optional_milliseconds(simulation.started_at),
        "finished_ms": optional_milliseconds(simulation.finished_at),
        "interpretation": simulation.interpretation and interpretation_to_json(simulation.interpretation),
        "narrative": simulation.narrative and cleaned(simulation.narrative),
        **failure_values(simulation.error),
        "last_seq": simulation.last_seq,
        "story_from_seq": simulation.story_from_seq,
        "fence": simulation.fence,
        "lease_owner": simulation.lease_owner,
    }


def failure_values(error: SimulationFailure | None) -> dict[str, str | None]:
    """The columns of a failure."""
    if error is None:
        return {"error_code": None, "error_message": None, "error_stage": None}
    return {"error_code": error.code.value, "error_message": cleaned(error.message), "error_stage": error.stage}


def _failure(row: dict[str, Any]) -> SimulationFailure | None:
    if row["error_code"] is None:
        return None
    return SimulationFailure(ErrorCode(row["error_code"]), row["error_message"], row["error_stage"])
