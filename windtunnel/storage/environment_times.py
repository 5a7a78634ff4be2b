"""What becomes of environments when its time has come: whoever is first makes the change, the others are told None."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.environments import Environment, EnvironmentEventDraft
from windtunnel.storage.environment_changes import Changed, change
from windtunnel.storage.environment_statements import ENVIRONMENTS_DUE, ENVIRONMENTS_THAT_STAND, NAMESPACES_IN_USE
from windtunnel.storage.environments import environment_of
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned

DUE_AT_ONCE = 200
_WARNINGS = {
    24: ("warned_day_ms", "warned_day_ms = expires_ms", 24 * 3_600_000),
    1: ("warned_hour_ms", "warned_hour_ms = expires_ms, warned_day_ms = expires_ms", 3_600_000),
}
"""By hours: where it is noted, what is noted, and how long before."""


class Due(StrEnum):
    """What an environment is due for. TO_DO: somebody has to claim it."""

    OVERDUE = "OVERDUE"
    EXPIRED = "EXPIRED"
    LAST_HOUR = "LAST_HOUR"
    LAST_DAY = "LAST_DAY"
    TO_DO = "TO_DO"


@dataclass(frozen=True, slots=True)
class DueEnvironment:
    """An environment for which something is due."""

    id: str
    tenant_id: str
    due: Due


async def due(store: Store, limit: int = DUE_AT_ONCE) -> list[DueEnvironment]:
    """Environments of all tenants for which something is due; what is TO_DO comes last."""
    rows = await store.privileged(ENVIRONMENTS_DUE, limit)
    return [DueEnvironment(row["id"], row["tenant_id"], Due(row["due"])) for row in rows]


async def standing(store: Store) -> list[Environment]:
    """All environments of all tenants that are READY or PAUSED."""
    return [environment_of(row) for row in await store.privileged(ENVIRONMENTS_THAT_STAND)]


async def in_use(store: Store, namespaces: Sequence[str]) -> set[str]:
    """Those of these namespaces whose environments are not DELETED."""
    if not namespaces:
        return set()
    return {row["namespace"] for row in await store.privileged(NAMESPACES_IN_USE, list(namespaces))}


async def overdue(store: Store, tenant_id: str, id: str, failure: str, draft: EnvironmentEventDraft) -> Changed | None:
    """PROVISIONING -> FAILED when it takes too long; whoever is still at it has lost its lease."""
    return await change(
        store,
        tenant_id,
        id,
        "status = 'FAILED', ended_by = 'FAILURE', failure = $3, attempts = 0, due_ms = {now}, fence = fence + 1,"
        " lease_owner = NULL, lease_until_ms = NULL",
        "status = 'PROVISIONING' AND provision_by_ms <= {now}",
        draft,
        cleaned(failure),
    )


async def expired(store: Store, tenant_id: str, id: str, draft: EnvironmentEventDraft) -> Changed | None:
    """READY or PAUSED -> EXPIRING when its time is over."""
    return await change(
        store,
        tenant_id,
        id,
        "status = 'EXPIRING', ended_by = 'EXPIRY', due_ms = {now}, attempts = 0",
        "status IN ('READY', 'PAUSED') AND expires_ms <= {now}",
        draft,
    )


async def lost(store: Store, tenant_id: str, id: str, failure: str, draft: EnvironmentEventDraft) -> Changed | None:
    """READY or PAUSED -> FAILED, because what it is made of is not there any more."""
    return await change(
        store,
        tenant_id,
        id,
        "status = 'FAILED', ended_by = 'FAILURE', failure = $3, due_ms = {now}, attempts = 0",
        "status IN ('READY', 'PAUSED')",
        draft,
        cleaned(failure),
    )


async def warned(store: Store, tenant_id: str, id: str, hours: int) -> Environment | None:
    """Note that it was told that the environment's time is over in 24 hours, or in one; None when it was already.

    A day is of no interest any more in the last hour.
    """
    column, noted, within_ms = _WARNINGS[hours]
    rows = await store.of(tenant_id).fetch(
        f"UPDATE environments SET {noted} WHERE tenant_id = $1 AND id = $2"  # noqa: S608 - from above
        " AND status IN ('READY', 'PAUSED') AND expires_ms > {now}"
        f" AND expires_ms <= {{now}} + {within_ms} AND ({column} IS NULL OR {column} <> expires_ms) RETURNING *",
        tenant_id,
        id,
    )
    return environment_of(rows[0]) if rows else None
