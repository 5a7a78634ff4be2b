"""Who carries rollbacks out: claimed under a fence that rises with every claim, until their time is over."""

from collections.abc import Mapping

from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.rollbacks import Rollback
from windtunnel.storage.deployment_statements import (
    CLAIM_ROLLBACKS,
    RELEASE_ROLLBACK,
    RENEW_ROLLBACKS,
    ROLLBACKS_DUE,
    ROLLBACKS_OVERDUE,
)
from windtunnel.storage.rollbacks import rollback_of
from windtunnel.storage.store import Store


async def due(store: Store) -> tuple[bool, bool]:
    """Whether there is a rollback to be claimed, and whether there is one whose time is over, of whatever tenant."""
    found = {row["due"] for row in await store.privileged(ROLLBACKS_DUE)}
    return "TO_DO" in found, "OVERDUE" in found


async def overdue(store: Store) -> list[Rollback]:
    """Rollbacks of all tenants that run and whose time is over."""
    return [rollback_of(row) for row in await store.privileged(ROLLBACKS_OVERDUE)]


async def claim(store: Store, owner: str, limit: int) -> list[Rollback]:
    """Take at most `limit` rollbacks that run, for LEASE_MS, under a new fence."""
    if limit <= 0:
        return []
    rows = await store.privileged(CLAIM_ROLLBACKS, owner, LEASE_MS, limit)
    return sorted((rollback_of(row) for row in rows), key=lambda each: (each.started_at, each.id))


async def renew(store: Store, owner: str, held: Mapping[str, int]) -> set[str]:
    """Prolong leases by LEASE_MS from now; `held` maps ids to fences. Returns the ids that are still held."""
    if not held:
        return set()
    rows = await store.privileged(RENEW_ROLLBACKS, list(held), owner, LEASE_MS)
    return {row["id"] for row in rows if held[row["id"]] == row["fence"]}


async def release(store: Store, owner: str, held: Mapping[str, int]) -> None:
    """Give leases up, so that somebody else can claim at once; `held` maps ids to fences."""
    async with store.transaction():
        for rollback_id, fence in sorted(held.items()):
            await store.privileged(RELEASE_ROLLBACK, rollback_id, owner, fence)
