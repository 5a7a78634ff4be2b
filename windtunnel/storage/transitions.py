"""The changes of a simulation's status, each with its last events in the same transaction."""

from collections.abc import Sequence

from windtunnel.domain.errors import ConflictError, NotFoundError
from windtunnel.domain.events import EventDraft, EventKind, SimulationEvent
from windtunnel.domain.interpretations import Interpretation, interpretation_to_json
from windtunnel.domain.simulations import OPEN_STATUSES, SimulationFailure, SimulationStatus
from windtunnel.storage.errors import CommandsPendingError, LeaseLostError
from windtunnel.storage.events import insert_after
from windtunnel.storage.simulations import failure_values
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, known_ids


async def planned(
    store: Store,
    tenant_id: str,
    id: str,
    fence: int,
    after_seq: int,
    *,
    interpretation: Interpretation | None,
    architecture_id: str,
    drafts: Sequence[EventDraft],
) -> list[SimulationEvent]:
    """PLANNING -> QUEUED: the lease ends, and the story begins after these drafts. Raises LeaseLostError."""
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            "UPDATE simulations SET status = 'QUEUED', interpretation = $5, architecture_id = $6,"
            " last_seq = last_seq + $4, story_from_seq = last_seq + $4, lease_owner = NULL, lease_until_ms = NULL"
            " WHERE id = $1 AND fence = $2 AND last_seq = $3 AND status = 'PLANNING'"
            " AND tenant_id = $7 RETURNING tenant_id, {now} AS at_ms",
            id,
            fence,
            after_seq,
            len(drafts),
            interpretation and interpretation_to_json(interpretation),
            architecture_id,
            tenant_id,
        )
        if not rows:
            raise LeaseLostError(id)
        return await insert_after(store, rows[0], id, after_seq, drafts)


async def finished(
    store: Store,
    tenant_id: str,
    id: str,
    fence: int,
    after_seq: int,
    *,
    status: SimulationStatus,
    narrative: str | None,
    error: SimulationFailure | None,
    drafts: Sequence[EventDraft],
) -> list[SimulationEvent]:
    """PLANNING or RUNNING -> SUCCEEDED or FAILED. Raises LeaseLostError.

    Raises CommandsPendingError, and stores nothing, when it would succeed with a command that no step is fixed for:
    the user was told that it takes effect.
    """
    failure = failure_values(error)
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            "UPDATE simulations SET status = $5, narrative = $6, error_code = $7, error_message = $8,"
            " error_stage = $9, last_seq = last_seq + $4, finished_ms = {now}, lease_owner = NULL,"
            " lease_until_ms = NULL WHERE id = $1 AND fence = $2 AND last_seq = $3"
            " AND status IN ('PLANNING', 'RUNNING') AND tenant_id = $10 RETURNING tenant_id, {now} AS at_ms",
            id,
            fence,
            after_seq,
            len(drafts),
            status.value,
            narrative and cleaned(narrative),
            *failure.values(),
            tenant_id,
        )
        if not rows:
            raise LeaseLostError(id)
        if status is SimulationStatus.SUCCEEDED:
            # After the update: `commands.add` holds the row's lock, so none can slip in between.
            pending = (
                "SELECT 1 AS one FROM simulation_commands"
                " WHERE tenant_id = $1 AND simulation_id = $2 AND step IS NULL LIMIT 1"
            )
            if await store.of(tenant_id).fetch(pending, tenant_id, id):
                raise CommandsPendingError
        return await insert_after(store, rows[0], id, after_seq, drafts)


async def cancelled(store: Store, tenant_id: str, id: str, message: str) -> list[SimulationEvent]:
    """End an open simulation: its conductor's fence is outdated from now on, and SIMULATION_FINISHED is stored.

    Raises NotFoundError, or ConflictError when it is over.
    """
    if not known_ids([id]):
        raise _not_found(id)
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            "UPDATE simulations SET status = 'CANCELLED', fence = fence + 1, last_seq = last_seq + 1,"
            " finished_ms = {now}, lease_owner = NULL, lease_until_ms = NULL WHERE tenant_id = $1 AND id = $2"
            " AND status IN ('QUEUED', 'PLANNING', 'RUNNING') RETURNING tenant_id, last_seq, {now} AS at_ms",
            tenant_id,
            id,
        )
        if not rows:
            raise await _not_open(store, tenant_id, id)
        after_seq: int = rows[0]["last_seq"] - 1
        last = await store.of(tenant_id).fetch(
            "SELECT elapsed_ms FROM simulation_events WHERE tenant_id = $3 AND simulation_id = $1 AND seq = $2",
            id,
            after_seq,
            tenant_id,
        )
        draft = EventDraft(
            kind=EventKind.SIMULATION_FINISHED,
            message=message,
            body={"status": SimulationStatus.CANCELLED.value},
            elapsed_ms=last[0]["elapsed_ms"] if last else 0.0,
        )
        return await insert_after(store, rows[0], id, after_seq, [draft])


async def _not_open(store: Store, tenant_id: str, id: str) -> ConflictError | NotFoundError:
    rows = await store.of(tenant_id).fetch(
        "SELECT status FROM simulations WHERE tenant_id = $1 AND id = $2", tenant_id, id
    )
    return over(rows[0]["status"]) if rows else _not_found(id)


def over(status: str) -> ConflictError:
    """The simulation has ended with `status`: nothing can be changed any more."""
    return ConflictError(
        f"The simulation is already over ({status}).",
        current=status,
        allowed=[status.value for status in SimulationStatus if status in OPEN_STATUSES],
    )


def _not_found(id: str) -> NotFoundError:
    return NotFoundError("There is no such simulation.", resource_id=id)
