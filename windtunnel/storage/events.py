"""The events of simulations: appended in batches under a fence, read in order."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson

from windtunnel.domain.events import EventDraft, EventKind, SimulationEvent
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, known_ids, to_json
from windtunnel.storage.times import moment

_INSERT = (
    "INSERT INTO simulation_events"
    " (simulation_id, seq, tenant_id, kind, at_ms, elapsed_ms, agent_key, message, body)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_COLUMNS = "simulation_id, seq, kind, at_ms, elapsed_ms, agent_key, message, body"
_LARGEST_SEQ = 2**62


async def append(  # noqa: PLR0917 - read in this order everywhere
    store: Store, tenant_id: str, simulation_id: str, fence: int, after_seq: int, drafts: Sequence[EventDraft]
) -> list[SimulationEvent]:
    """Number the drafts from `after_seq` + 1 and store them, all or none.

    Raises LeaseLostError when the simulation is over or gone, `fence` is not its newest, or `after_seq` not its last.
    """
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            "UPDATE simulations SET last_seq = last_seq + $4 WHERE id = $1 AND fence = $2 AND last_seq = $3"
            " AND tenant_id = $5 AND status IN ('QUEUED', 'PLANNING', 'RUNNING') RETURNING tenant_id, {now} AS at_ms",
            simulation_id,
            fence,
            after_seq,
            len(drafts),
            tenant_id,
        )
        if not rows:
            raise LeaseLostError(simulation_id)
        return await insert_after(store, rows[0], simulation_id, after_seq, drafts)


async def insert_after(
    store: Store, simulation: dict[str, Any], simulation_id: str, after_seq: int, drafts: Sequence[EventDraft]
) -> list[SimulationEvent]:
    """Store drafts in the transaction that has just moved `last_seq`; `simulation` has `tenant_id` and `at_ms`."""
    at_ms: int = simulation["at_ms"]
    rows = [
        (
            simulation_id,
            seq,
            simulation["tenant_id"],
            draft.kind.value,
            at_ms,
            float(draft.elapsed_ms),
            draft.agent_key,
            cleaned(draft.message),
            to_json(draft.body),
        )
        for seq, draft in enumerate(drafts, after_seq + 1)
    ]
    if rows:
        await store.of(simulation["tenant_id"]).execute_many(_INSERT, rows)
    at = moment(at_ms)
    # The body is decoded again: what is announced must be what everybody will read.
    return [
        SimulationEvent(simulation_id, row[1], draft.kind, at, row[5], row[6], row[7], orjson.loads(row[8]))
        for row, draft in zip(rows, drafts, strict=True)
    ]


async def read(
    store: Store,
    tenant_id: str,
    simulation_id: str,
    after: int = 0,
    limit: int = 500,
    *,
    kinds: Collection[EventKind] | None = None,
) -> list[SimulationEvent]:
    """At most `limit` of the tenant's events with a seq above `after`, in order; only those of `kinds` when given."""
    if not known_ids([simulation_id]):
        return []
    first = max(0, min(after, _LARGEST_SEQ))
    arguments: list[Any] = [simulation_id, tenant_id, first]
    if kinds is None:
        # There are no gaps, so the last one is known: without it PostgreSQL may sort all that follows for each page.
        arguments.append(first + limit)
        only = " AND seq <= $4"
    else:
        arguments.append(sorted(kind.value for kind in kinds))
        only = " AND kind = ANY($4)"
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM simulation_events"  # noqa: S608
        f" WHERE simulation_id = $1 AND tenant_id = $2 AND seq > $3{only} ORDER BY seq LIMIT {limit:d}",
        *arguments,
    )
    return [_event(row) for row in rows]


async def read_many(
    store: Store,
    tenant_id: str,
    simulation_ids: Iterable[str],
    after: int = 0,
    limit: int | None = None,
    *,
    kinds: Collection[EventKind] | None = None,
) -> dict[str, list[SimulationEvent]]:
    """As `read` for each of several simulations, in one statement; without `limit` all there are."""
    found: dict[str, list[SimulationEvent]] = {key: [] for key in simulation_ids}
    if not (ids := known_ids(found)):
        return found
    after = max(0, min(after, _LARGEST_SEQ))
    arguments: list[Any] = [ids, tenant_id, after]
    condition = "simulation_id = ANY($1) AND tenant_id = $2 AND seq > $3"
    source = "simulation_events"
    if kinds is not None:
        arguments.append(sorted(kind.value for kind in kinds))
        condition += " AND kind = ANY($4)"
    if limit is not None and kinds is None:
        condition += f" AND seq <= {after + limit:d}"  # there are no gaps
    elif limit is not None:
        place = "ROW_NUMBER() OVER (PARTITION BY simulation_id ORDER BY seq) AS place"
        source = f"(SELECT {_COLUMNS}, {place} FROM simulation_events WHERE {condition}) AS placed"  # noqa: S608
        condition = f"place <= {limit:d}"
    rows = await store.of(tenant_id).fetch(
        f"SELECT {_COLUMNS} FROM {source} WHERE {condition} ORDER BY simulation_id, seq",  # noqa: S608
        *arguments,
    )
    for row in rows:
        found[row["simulation_id"]].append(_event(row))
    return found


def _event(row: dict[str, Any]) -> SimulationEvent:
    return SimulationEvent(
        simulation_id=row["simulation_id"],
        seq=row["seq"],
        kind=EventKind(row["kind"]),
        at=moment(row["at_ms"]),
        elapsed_ms=row["elapsed_ms"],
        agent_key=row["agent_key"],
        message=row["message"],
        body=orjson.loads(row["body"]),
    )
