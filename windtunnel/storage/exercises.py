"""What came of running a package's own code, beside its simulation; and the event log that tells of it."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from windtunnel.domain.events import EventDraft, SimulationEvent
from windtunnel.domain.exercises import Exercise
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.events import insert_after
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned

_EXERCISE = TypeAdapter(Exercise)


async def exercised(
    store: Store,
    tenant_id: str,
    id: str,
    fence: int,
    after_seq: int,
    *,
    exercise: Exercise,
    drafts: Sequence[EventDraft],
) -> list[SimulationEvent]:
    """Note the exercise of a simulation that runs; the story begins after these drafts. Raises LeaseLostError."""
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            "UPDATE simulations SET exercise = $5, last_seq = last_seq + $4, story_from_seq = last_seq + $4"
            " WHERE id = $1 AND fence = $2 AND last_seq = $3 AND status = 'RUNNING' AND exercise IS NULL"
            " AND tenant_id = $6 RETURNING tenant_id, {now} AS at_ms",
            id,
            fence,
            after_seq,
            len(drafts),
            cleaned(_EXERCISE.dump_json(exercise).decode()),
            tenant_id,
        )
        if not rows:
            raise LeaseLostError(id)
        return await insert_after(store, rows[0], id, after_seq, drafts)


def exercise_from_json(text: str) -> Exercise:
    """The reverse of what is stored."""
    return _EXERCISE.validate_json(text)
