"""Who conducts what: simulations are claimed for a time, under a fence that rises with every claim."""

from collections.abc import Mapping

from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.simulations import Simulation
from windtunnel.storage.simulation_statements import (
    ANY_CLAIMABLE_SIMULATION,
    CLAIM_SIMULATIONS,
    RELEASE_SIMULATION,
    RENEW_SIMULATIONS,
)
from windtunnel.storage.simulations import simulation_of
from windtunnel.storage.store import Store

_CLAIMS_LOCK = 0x636C6169
"""The advisory lock under which claims queue up, so that the counts they decide by are exact."""


async def any_claimable(store: Store) -> bool:
    """Whether there is a simulation that nobody conducts."""
    return bool(await store.privileged(ANY_CLAIMABLE_SIMULATION))


async def claim(store: Store, owner: str, limit: int, running_per_tenant: int) -> list[Simulation]:
    """Take at most `limit` simulations that nobody conducts, for LEASE_MS, under a new fence.

    These are the queued ones (they start to run) and those whose conductor has let its lease expire (they stay as
    they are). Of a tenant at most `running_per_tenant` run at a time. The tenant with the fewest running comes first,
    so that a long queue of one does not keep the others waiting; within a tenant the oldest comes first.
    """
    if limit <= 0 or not await any_claimable(store):
        return []  # the usual case costs no transaction
    async with store.transaction():
        if store.dialect == "postgres":
            await store.fetch(f"SELECT pg_advisory_xact_lock({_CLAIMS_LOCK}, hashtext(current_schema()))")
        rows = await store.privileged(CLAIM_SIMULATIONS, owner, LEASE_MS, running_per_tenant, limit)
    return sorted((simulation_of(row) for row in rows), key=lambda simulation: (simulation.created_at, simulation.id))


async def renew(store: Store, owner: str, held: Mapping[str, int]) -> set[str]:
    """Prolong leases by LEASE_MS from now; `held` maps ids to fences. Returns the ids that are still held."""
    if not held:
        return set()
    rows = await store.privileged(RENEW_SIMULATIONS, list(held), owner, LEASE_MS)
    return {row["id"] for row in rows if held[row["id"]] == row["fence"]}


async def release(store: Store, owner: str, held: Mapping[str, int]) -> None:
    """Give leases up, so that somebody else can claim at once; `held` maps ids to fences."""
    async with store.transaction():
        for simulation_id, fence in sorted(held.items()):
            await store.privileged(RELEASE_SIMULATION, simulation_id, owner, fence)
