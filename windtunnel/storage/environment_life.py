"""What people do to environments: each change by compare and swap, with its event in the same transaction."""

from dataclasses import dataclass
from datetime import timedelta

from windtunnel.domain.environments import (
    Environment,
    EnvironmentEventDraft,
    EnvironmentLimits,
)
from windtunnel.domain.policy import ENVIRONMENT_MAX_LIFETIME_S, ENVIRONMENT_PROVISION_WITHIN_MS
from windtunnel.domain.production import Snapshot
from windtunnel.storage.environment_changes import Changed, Draft, change, with_event
from windtunnel.storage.environments import environment_of, free_slot
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids

_MILLISECOND = timedelta(milliseconds=1)
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_USABLE = "status IN ('READY', 'PAUSED') AND expires_ms > {now}"


def _no_warning(argument: int, before_ms: int) -> str:
    """What is noted of a warning that comes so long before the end: given already, for one who asks for no more time.

    `$argument` is the lifetime.
    """
    return f"CASE WHEN ${argument} <= {before_ms} THEN {{now}} + ${argument} END"


_INSERT = (
    "INSERT INTO environments (id, tenant_id, slot, namespace, name, status, created_ms, created_by,"  # noqa: S608
    " request_id, provision_by_ms, expires_ms, cpu, memory_mb, storage_mb, max_simulations,"
    " production_revision, snapshot, snapshot_digest, sealed_password, warned_day_ms, warned_hour_ms,"
    " work_seq, worked_seq, simulations, tokens, cpu_ms, storage_bytes, attempts, due_ms, last_seq, fence)"
    " VALUES ($1, $2, $3, $4, $5, 'PROVISIONING', {now}, $6, $7, {now} + $8, {now} + $9,"
    f" $10, $11, $12, $13, $14, $15, $16, $17, {_no_warning(9, _DAY_MS)}, {_no_warning(9, _HOUR_MS)},"
    " 0, 0, 0, 0, 0, 0, 0, {now}, 1, 0)"
    " ON CONFLICT (tenant_id, slot) WHERE status <> 'DELETED' DO NOTHING RETURNING *, {now} AS at_ms"
)


@dataclass(frozen=True, slots=True)
class NewEnvironment:
    """An environment that somebody asks for; `sealed_password` is that of its database and channels."""

    id: str
    tenant_id: str
    namespace: str
    name: str
    created_by: str
    request_id: str
    lifetime: timedelta
    limits: EnvironmentLimits
    snapshot: Snapshot
    sealed_password: str


async def insert(store: Store, new: NewEnvironment, draft: EnvironmentEventDraft) -> Changed | None:
    """Store the environment as PROVISIONING in the lowest free slot, with its first event; None when all are taken.

    It is due at once. Whoever takes the same slot at the same moment: one of the two goes on to the next.
    """
    async with store.transaction(new.tenant_id):
        while (slot := await free_slot(store, new.tenant_id)) is not None:
            rows = await store.of(new.tenant_id).fetch(
                _INSERT,
                new.id,
                new.tenant_id,
                slot,
                new.namespace,
                new.name,
                new.created_by,
                new.request_id,
                ENVIRONMENT_PROVISION_WITHIN_MS,
                new.lifetime // _MILLISECOND,
                new.limits.cpu,
                new.limits.memory_mb,
                new.limits.storage_mb,
                new.limits.max_simulations,
                new.snapshot.revision,
                new.snapshot.canonical,
                new.snapshot.digest,
                new.sealed_password,
            )
            if rows:
                return await with_event(store, new.tenant_id, rows[0], draft)
    return None


async def locked(store: Store, tenant_id: str, id: str) -> Environment | None:
    """Inside a transaction: the tenant's environment, which nobody else changes until the transaction ends."""
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM environments WHERE tenant_id = $1 AND id = ANY($2) {for_update}", tenant_id, known_ids([id])
    )
    return environment_of(rows[0]) if rows else None


async def extended(store: Store, tenant_id: str, id: str, lifetime: timedelta, draft: Draft) -> Changed | None:
    """It ends after `lifetime` from now; None unless it is READY or PAUSED, its time is not over, and may be so long.

    It is due at once, and warnings of the new end are given, as far as it is not near already.
    """
    return await change(
        store,
        tenant_id,
        id,
        "expires_ms = {now} + $3, due_ms = {now},"
        f" warned_day_ms = {_no_warning(3, _DAY_MS)}, warned_hour_ms = {_no_warning(3, _HOUR_MS)}",
        f"{_USABLE} AND {{now}} + $3 <= created_ms + $4",
        draft,
        lifetime // _MILLISECOND,
        ENVIRONMENT_MAX_LIFETIME_S * 1000,
    )


async def paused(store: Store, tenant_id: str, id: str, draft: EnvironmentEventDraft) -> Changed | None:
    """READY -> PAUSED; None unless it is READY and its time is not over."""
    return await change(
        store,
        tenant_id,
        id,
        "status = 'PAUSED'",
        "status = 'READY' AND expires_ms > {now}",
        draft,
    )


async def resumed(store: Store, tenant_id: str, id: str, draft: EnvironmentEventDraft) -> Changed | None:
    """PAUSED -> READY, and there may be something to do in it; None unless it is PAUSED and its time is not over."""
    return await change(
        store,
        tenant_id,
        id,
        "status = 'READY', work_seq = work_seq + 1",
        "status = 'PAUSED' AND expires_ms > {now}",
        draft,
    )


async def refreshed(
    store: Store, tenant_id: str, id: str, snapshot: Snapshot, draft: EnvironmentEventDraft
) -> Changed | None:
    """It has another copy of production's configuration; None unless READY or PAUSED and its time is not over."""
    return await change(
        store,
        tenant_id,
        id,
        "production_revision = $3, snapshot = $4, snapshot_digest = $5",
        _USABLE,
        draft,
        snapshot.revision,
        snapshot.canonical,
        snapshot.digest,
    )


async def deleted(store: Store, tenant_id: str, id: str, draft: EnvironmentEventDraft) -> Changed | None:
    """PROVISIONING, READY or PAUSED -> DELETING, by a person; None when it is on its way out already.

    It is due at once. Whoever is just making it keeps its lease, and goes on with taking it away.
    """
    return await change(
        store,
        tenant_id,
        id,
        "status = 'DELETING', ended_by = 'PERSON', cleanup_started_ms = {now}, due_ms = {now}, attempts = 0",
        "status IN ('PROVISIONING', 'READY', 'PAUSED')",
        draft,
    )


async def hurried(store: Store, tenant_id: str, id: str) -> Environment | None:
    """What could not be removed is tried again at once; None unless it is DELETE_STUCK."""
    rows = await store.of(tenant_id).fetch(
        "UPDATE environments SET due_ms = {now} WHERE tenant_id = $1 AND id = $2 AND status = 'DELETE_STUCK'"
        " RETURNING *",
        tenant_id,
        id,
    )
    return environment_of(rows[0]) if rows else None
