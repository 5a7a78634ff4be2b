"""What becomes of environments by itself: each change by compare and swap, with its event in the same transaction.

Who makes an environment or takes it away has claimed it, under a fence that rises with every claim: a change under an
older one raises LeaseLostError, and so does one of an environment that is in another state by now. What happens at a
certain time needs no claim: of all who come at once, one makes the change, and the others are told None.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import orjson

from windtunnel.domain.environments import (
    Environment,
    EnvironmentEventDraft,
    EnvironmentStatus,
    IsolationReport,
)
from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.receipts import Receipt
from windtunnel.storage.environment_changes import Changed, change
from windtunnel.storage.environment_statements import CLAIM_ENVIRONMENTS, RELEASE_ENVIRONMENT, RENEW_ENVIRONMENTS
from windtunnel.storage.environments import environment_of
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.isolation_reports import report_to_json
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned

_FREE = "lease_owner = NULL, lease_until_ms = NULL"
_MILLISECOND = timedelta(milliseconds=1)


async def claim(store: Store, owner: str, limit: int) -> list[Environment]:
    """Take at most `limit` environments with which something is to be done, for LEASE_MS, under a new fence."""
    if limit <= 0:
        return []
    rows = await store.privileged(CLAIM_ENVIRONMENTS, owner, LEASE_MS, limit)
    return sorted((environment_of(row) for row in rows), key=lambda each: (each.due_at, each.id))


async def renew(store: Store, owner: str, held: Mapping[str, int]) -> set[str]:
    """Prolong leases by LEASE_MS from now; `held` maps ids to fences. Returns the ids that are still held."""
    if not held:
        return set()
    rows = await store.privileged(RENEW_ENVIRONMENTS, list(held), owner, LEASE_MS)
    return {row["id"] for row in rows if held[row["id"]] == row["fence"]}


async def release(store: Store, owner: str, held: Mapping[str, int]) -> None:
    """Give leases up, so that somebody else can claim at once; `held` maps ids to fences."""
    async with store.transaction():
        for environment_id, fence in sorted(held.items()):
            await store.privileged(RELEASE_ENVIRONMENT, environment_id, owner, fence)


async def under_fence(store: Store, environment: Environment) -> Environment | None:
    """The environment as it is now; None when somebody else has claimed it."""
    rows = await store.of(environment.tenant_id).fetch(
        "SELECT * FROM environments WHERE tenant_id = $1 AND id = $2 AND fence = $3",
        environment.tenant_id,
        environment.id,
        environment.fence,
    )
    return environment_of(rows[0]) if rows else None


async def stepped(store: Store, environment: Environment, draft: EnvironmentEventDraft) -> Changed:
    """Tell of a step in whatever the status of `environment` is."""
    return await _claimed(store, environment, {environment.status}, "status = status", draft)


async def postponed(store: Store, environment: Environment, pause: timedelta, draft: EnvironmentEventDraft) -> Changed:
    """PROVISIONING: it is tried again after a pause, by whoever comes first then. The lease ends."""
    return await _claimed(
        store,
        environment,
        {EnvironmentStatus.PROVISIONING},
        f"attempts = attempts + 1, due_ms = {{now}} + $5, {_FREE}",
        draft,
        pause // _MILLISECOND,
    )


async def ready(
    store: Store, environment: Environment, report: IsolationReport, draft: EnvironmentEventDraft
) -> Changed:
    """PROVISIONING -> READY, in time, once everything that was to be made is there; the lease ends."""
    return await _claimed(
        store,
        environment,
        {EnvironmentStatus.PROVISIONING},
        f"status = 'READY', ready_ms = {{now}}, isolation = $5, attempts = 0, {_FREE}",
        draft,
        report_to_json(report),
        also=(
            "provision_by_ms > {now} AND NOT EXISTS (SELECT 1 FROM environment_resources AS r"
            " WHERE r.tenant_id = $1 AND r.environment_id = $2 AND r.status <> 'CREATED')"
        ),
    )


async def failed(
    store: Store,
    environment: Environment,
    failure: str,
    draft: EnvironmentEventDraft,
    report: IsolationReport | None = None,
) -> Changed:
    """PROVISIONING -> FAILED, still under the lease; `report` says what isolation was seen, if it came to that."""
    return await _claimed(
        store,
        environment,
        {EnvironmentStatus.PROVISIONING},
        "status = 'FAILED', ended_by = 'FAILURE', failure = $5, isolation = COALESCE($6, isolation),"
        " attempts = 0, due_ms = {now}",
        draft,
        cleaned(failure),
        report and report_to_json(report),
    )


async def deleting(store: Store, environment: Environment, draft: EnvironmentEventDraft) -> Changed:
    """FAILED, EXPIRING or DELETE_STUCK -> DELETING, under the lease."""
    return await _claimed(
        store,
        environment,
        {EnvironmentStatus.FAILED, EnvironmentStatus.EXPIRING, EnvironmentStatus.DELETE_STUCK},
        "status = 'DELETING', cleanup_started_ms = COALESCE(cleanup_started_ms, {now}), remaining = NULL",
        draft,
    )


async def stuck(
    store: Store, environment: Environment, remaining: Collection[str], pause: timedelta, draft: EnvironmentEventDraft
) -> Changed:
    """DELETING -> DELETE_STUCK: this is left, and is tried again after a pause. The lease ends."""
    return await _claimed(
        store,
        environment,
        {EnvironmentStatus.DELETING},
        f"status = 'DELETE_STUCK', remaining = $5, attempts = attempts + 1, due_ms = {{now}} + $6, {_FREE}",
        draft,
        orjson.dumps([cleaned(each) for each in remaining]).decode(),
        pause // _MILLISECOND,
    )


async def deleted(
    store: Store, environment: Environment, at_ms: int, receipt: Receipt, draft: EnvironmentEventDraft
) -> Changed:
    """DELETING -> DELETED at `at_ms`, when all that it was made of is REMOVED; its slot is free from now on."""
    return await _claimed(
        store,
        environment,
        {EnvironmentStatus.DELETING},
        "status = 'DELETED', deleted_ms = $5, receipt = $6, receipt_digest = $7, snapshot = '{}',"
        f" sealed_password = NULL, {_FREE}",
        draft,
        at_ms,
        receipt.text,
        receipt.digest,
        also=(
            "NOT EXISTS (SELECT 1 FROM environment_resources AS r"
            " WHERE r.tenant_id = $1 AND r.environment_id = $2 AND r.status <> 'REMOVED')"
        ),
    )


async def measured(store: Store, environment: Environment, storage_bytes: int) -> None:
    """Note how much the environment keeps."""
    await store.of(environment.tenant_id).fetch(
        "UPDATE environments SET storage_bytes = $3 WHERE tenant_id = $1 AND id = $2 AND status <> 'DELETED'",
        environment.tenant_id,
        environment.id,
        storage_bytes,
    )


async def _claimed(
    store: Store,
    environment: Environment,
    statuses: Collection[EnvironmentStatus],
    assignments: str,
    draft: EnvironmentEventDraft,
    *arguments: Any,
    also: str = "TRUE",
) -> Changed:
    """Make a change of whoever has claimed the environment. `arguments` are from $5 on. Raises LeaseLostError."""
    changed = await change(
        store,
        environment.tenant_id,
        environment.id,
        assignments,
        f"fence = $3 AND status = ANY($4) AND {also}",
        draft,
        environment.fence,
        sorted(status.value for status in statuses),
        *arguments,
    )
    if changed is None:
        raise LeaseLostError(environment.id)
    return changed
