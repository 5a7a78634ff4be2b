"""Every change of an experiment: one compare-and-swap with its event, in the transaction of the caller."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from windtunnel.domain.experiments import OPEN_STATUSES, Experiment, ExperimentEvent, ExperimentStatus
from windtunnel.storage.experiments import event_of, experiment_of
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, known_ids, to_json

Changed = tuple[Experiment, ExperimentEvent]

_FREE = "lease_owner = NULL, lease_until_ms = NULL, finished_ms = {now}"


async def insert(store: Store, experiment: Experiment) -> Changed:
    """Store a new experiment, QUEUED, with its first event. Raises ConstraintError for an unknown environment."""
    load = experiment.load
    rows = await store.of(experiment.tenant_id).fetch(
        "INSERT INTO experiments (id, tenant_id, architecture_id, environment_id, package_digest, status, seed,"
        " replications, tasks, arrival_rate, overrides, variant, progress, last_seq, created_by, request_id,"
        " created_ms, fence) VALUES ($1, $2, $3, $4, $5, 'QUEUED', $6, $7, $8, $9, $10, $11, 0, 1, $12, $13, {now}, 0)"
        " RETURNING *, {now} AS at_ms",
        experiment.id,
        experiment.tenant_id,
        experiment.architecture_id,
        experiment.environment_id,
        experiment.package_digest,
        load.seed,
        load.replications,
        load.tasks,
        load.arrival_rate,
        None if experiment.overrides is None else to_json(experiment.overrides),
        None if experiment.variant is None else to_json(experiment.variant),
        experiment.created_by,
        experiment.request_id,
    )
    return await _told(store, rows[0])


async def begun(store: Store, experiment: Experiment) -> Changed | None:
    """QUEUED -> RUNNING by who has claimed it; None when it is somebody else's by now, or over."""
    return await _change(store, experiment, {ExperimentStatus.QUEUED}, ExperimentStatus.RUNNING, {})


async def advanced(store: Store, experiment: Experiment, progress: float, parts: Mapping[int, bytes]) -> Changed | None:
    """Further `parts` of it are done, by their numbers; None when it is somebody else's by now, or over."""
    running = ExperimentStatus.RUNNING
    changed = await _change(store, experiment, {running}, running, {"progress": progress})
    if changed is not None:
        await _keep(store, experiment, parts)
    return changed


async def kept(store: Store, experiment: Experiment, progress: float, parts: Mapping[int, bytes]) -> bool:
    """As `advanced`, without an event: there are to be few of them. False when it is no longer theirs."""
    rows = await store.of(experiment.tenant_id).fetch(
        "UPDATE experiments SET progress = $4 WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'RUNNING'"
        " RETURNING id",
        experiment.tenant_id,
        experiment.id,
        experiment.fence,
        progress,
    )
    if rows:
        await _keep(store, experiment, parts)
    return bool(rows)


async def succeeded(store: Store, experiment: Experiment, findings: str) -> Changed | None:
    """RUNNING -> SUCCEEDED with what it found (as JSON); None when it is somebody else's by now, or over."""
    values = {"progress": 1.0, "findings": findings}
    return await _ended(
        store, experiment, await _change(store, experiment, {ExperimentStatus.RUNNING}, _SUCCEEDED, values, _FREE)
    )


async def failed(store: Store, experiment: Experiment, failure: str) -> Changed | None:
    """QUEUED or RUNNING -> FAILED; None when it is somebody else's by now, or over."""
    values = {"failure": cleaned(failure)}
    return await _ended(
        store, experiment, await _change(store, experiment, OPEN_STATUSES, ExperimentStatus.FAILED, values, _FREE)
    )


async def cancelled(store: Store, tenant_id: str, id: str) -> Changed | None:
    """QUEUED or RUNNING -> CANCELLED, whoever conducts it; None when there is none, or it is over."""
    if not known_ids([id]):
        return None
    rows = await store.of(tenant_id).fetch(
        "UPDATE experiments SET status = 'CANCELLED', last_seq = last_seq + 1, fence = fence + 1,"  # noqa: S608
        f" {_FREE} WHERE tenant_id = $1 AND id = $2 AND status IN ('QUEUED', 'RUNNING')"
        " RETURNING *, {now} AS at_ms",
        tenant_id,
        id,
    )
    if not rows:
        return None
    changed = await _told(store, rows[0])
    return await _ended(store, changed[0], changed)


async def parts_done(store: Store, experiment: Experiment) -> set[int]:
    """The numbers of the parts that are done."""
    rows = await store.of(experiment.tenant_id).fetch(
        "SELECT number FROM experiment_chunks WHERE tenant_id = $1 AND experiment_id = $2",
        experiment.tenant_id,
        experiment.id,
    )
    return {row["number"] for row in rows}


async def parts(store: Store, experiment: Experiment) -> list[bytes]:
    """All parts that are done, in their order."""
    rows = await store.of(experiment.tenant_id).fetch(
        "SELECT data FROM experiment_chunks WHERE tenant_id = $1 AND experiment_id = $2 ORDER BY number",
        experiment.tenant_id,
        experiment.id,
    )
    return [bytes(row["data"]) for row in rows]


async def delete_of_environment(store: Store, tenant_id: str, environment_id: str) -> list[str]:
    """Delete every experiment in an environment without a trace; their ids."""
    rows = await store.of(tenant_id).fetch(
        "DELETE FROM experiments WHERE tenant_id = $1 AND environment_id = $2 RETURNING id", tenant_id, environment_id
    )
    return [row["id"] for row in rows]


async def delete_of_architectures(store: Store, tenant_id: str, architecture_ids: Iterable[str]) -> list[str]:
    """Delete every experiment with one of these architectures; their ids."""
    if not (known := known_ids(architecture_ids)):
        return []
    rows = await store.of(tenant_id).fetch(
        "DELETE FROM experiments WHERE tenant_id = $1 AND architecture_id = ANY($2) RETURNING id", tenant_id, known
    )
    return [row["id"] for row in rows]


_SUCCEEDED = ExperimentStatus.SUCCEEDED


async def _change(  # noqa: PLR0917
    store: Store,
    experiment: Experiment,
    expected: Collection[ExperimentStatus],
    status: ExperimentStatus,
    values: Mapping[str, Any],
    more: str = "",
) -> Changed | None:
    """A change by who has claimed it under its fence."""
    arguments: list[Any] = [
        experiment.tenant_id,
        experiment.id,
        experiment.fence,
        status.value,
        sorted(one.value for one in expected),
    ]
    sets = ["status = $4", "last_seq = last_seq + 1", *([more] if more else [])]
    for column, value in values.items():
        arguments.append(value)
        sets.append(f"{column} = ${len(arguments)}")
    rows = await store.of(experiment.tenant_id).fetch(
        f"UPDATE experiments SET {', '.join(sets)} WHERE tenant_id = $1 AND id = $2 AND fence = $3"  # noqa: S608
        " AND status = ANY($5) RETURNING *, {now} AS at_ms",
        *arguments,
    )
    return await _told(store, rows[0]) if rows else None


async def _keep(store: Store, experiment: Experiment, parts: Mapping[int, bytes]) -> None:
    if parts:
        await store.of(experiment.tenant_id).execute_many(
            "INSERT INTO experiment_chunks (experiment_id, number, tenant_id, data) VALUES ($1, $2, $3, $4)",
            [(experiment.id, number, experiment.tenant_id, data) for number, data in sorted(parts.items())],
        )


async def _told(store: Store, row: dict[str, Any]) -> Changed:
    """The event that belongs to a change which has just made `row` what it is."""
    told = {**row, "experiment_id": row["id"], "seq": row["last_seq"]}
    await store.of(row["tenant_id"]).fetch(
        "INSERT INTO experiment_events (experiment_id, seq, tenant_id, at_ms, status, progress)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        row["id"],
        row["last_seq"],
        row["tenant_id"],
        row["at_ms"],
        row["status"],
        row["progress"],
    )
    return experiment_of(row), event_of(told)


async def _ended(store: Store, experiment: Experiment, changed: Changed | None) -> Changed | None:
    """What was done of it is kept no longer."""
    if changed is not None:
        await store.of(experiment.tenant_id).fetch(
            "DELETE FROM experiment_chunks WHERE tenant_id = $1 AND experiment_id = $2",
            experiment.tenant_id,
            experiment.id,
        )
    return changed
