"""Every change of an environment that is told of: one compare-and-swap and its event, in one transaction."""

from collections.abc import Callable
from typing import Any

from windtunnel.domain.environments import Environment, EnvironmentEvent, EnvironmentEventDraft
from windtunnel.storage import environment_events
from windtunnel.storage.environments import environment_of
from windtunnel.storage.store import Store

Changed = tuple[Environment, EnvironmentEvent]
"""The environment as it is then, and its event."""

Draft = EnvironmentEventDraft | Callable[[Environment], EnvironmentEventDraft]
"""What is told of a change, or how to tell it of the environment as it is then."""


async def change(  # noqa: PLR0917 - one statement, in its order
    store: Store, tenant_id: str, id: str, assignments: str, guard: str, draft: Draft, *arguments: Any
) -> Changed | None:
    """Set the row as `assignments` say, where `guard` holds; None where it does not. `arguments` are from $3 on."""
    async with store.transaction(tenant_id):
        rows = await store.of(tenant_id).fetch(
            f"UPDATE environments SET {assignments}, last_seq = last_seq + 1"  # noqa: S608 - from the callers here
            f" WHERE tenant_id = $1 AND id = $2 AND {guard} RETURNING *, {{now}} AS at_ms",
            tenant_id,
            id,
            *arguments,
        )
        if not rows:
            return None
        told = draft if isinstance(draft, EnvironmentEventDraft) else draft(environment_of(rows[0]))
        return await with_event(store, tenant_id, rows[0], told)


async def with_event(store: Store, tenant_id: str, row: dict[str, Any], draft: EnvironmentEventDraft) -> Changed:
    """The row that was just changed, and its event, stored in the same transaction."""
    event = await environment_events.insert(store, tenant_id, row["id"], row["last_seq"], row["at_ms"], draft)
    return environment_of(row), event
