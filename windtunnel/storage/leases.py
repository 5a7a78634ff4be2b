"""Who conducts what: simulations are claimed for a time, under a fence that rises with every claim."""

from collections.abc import Mapping

from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.simulations import Simulation
from windtunnel.storage.simulations import simulation_of
from windtunnel.storage.store import Store

_CLAIMS_LOCK = 0x636C6169
"""The advisory lock under which claims queue up, so that the counts they decide by are exact."""

_CLAIMABLE = (
    "(status = 'QUEUED' OR (status IN ('PLANNING', 'RUNNING') AND (lease_until_ms IS NULL OR lease_until_ms <= {now})))"
)


async def claim(store: Store, owner: str, limit: int, running_per_tenant: int) -> list[Simulation]:
    """Take at most `limit` simulations that nobody conducts, for LEASE_MS, under a new fence.

    These are the queued ones (they start to run) and those whose conductor has let its lease expire (they stay as
    they are). Of a tenant at most `running_per_tenant` run at a time. The tenant with the fewest running comes first,
    so that a long queue of one does not keep the others waiting; within a tenant the oldest comes first.
    """
    if limit <= 0 or not await store.fetch(f"SELECT 1 AS one FROM simulations WHERE {_CLAIMABLE} LIMIT 1"):  # noqa: S608
        return []  # the usual case costs no transaction
    async with store.transaction():
        if store.dialect == "postgres":
            await store.fetch(f"SELECT pg_advisory_xact_lock({_CLAIMS_LOCK})")
        rows = await store.fetch(
            "WITH tenant_load AS ("  # noqa: S608
            " SELECT tenant_id, COUNT(*) AS running FROM simulations WHERE status = 'RUNNING' GROUP BY tenant_id"
            "), candidates AS ("
            " SELECT s.id, s.created_ms, s.status, COALESCE(tenant_load.running, 0)"
            " + ROW_NUMBER() OVER (PARTITION BY s.tenant_id, s.status ORDER BY s.created_ms, s.id) AS place"
            f" FROM simulations AS s LEFT JOIN tenant_load ON tenant_load.tenant_id = s.tenant_id WHERE {_CLAIMABLE}"
            "), chosen AS ("
            " SELECT id FROM candidates WHERE status <> 'QUEUED' OR place <= $3"
            f" ORDER BY CASE WHEN status = 'QUEUED' THEN place ELSE 0 END, created_ms, id LIMIT {limit:d}"
            ") UPDATE simulations SET fence = fence + 1, lease_owner = $1, lease_until_ms = {now} + $2,"
            " started_ms = CASE WHEN status = 'QUEUED' THEN {now} ELSE started_ms END,"
            " status = CASE WHEN status = 'QUEUED' THEN 'RUNNING' ELSE status END"
            f" WHERE id IN (SELECT id FROM simulations WHERE id IN (SELECT id FROM chosen) AND {_CLAIMABLE}"
            " {skip_locked}) RETURNING *",
            owner,
            LEASE_MS,
            running_per_tenant,
        )
    return sorted((simulation_of(row) for row in rows), key=lambda simulation: (simulation.created_at, simulation.id))


async def renew(store: Store, owner: str, held: Mapping[str, int]) -> set[str]:
    """Prolong leases by LEASE_MS from now; `held` maps ids to fences. Returns the ids that are still held."""
    if not held:
        return set()
    rows = await store.fetch(
        "UPDATE simulations SET lease_until_ms = {now} + $3 WHERE id = ANY($1) AND lease_owner = $2"
        " AND status IN ('PLANNING', 'RUNNING') RETURNING id, fence",
        list(held),
        owner,
        LEASE_MS,
    )
    return {row["id"] for row in rows if held[row["id"]] == row["fence"]}


async def release(store: Store, owner: str, held: Mapping[str, int]) -> None:
    """Give leases up, so that somebody else can claim at once; `held` maps ids to fences."""
    async with store.transaction():
        for simulation_id, fence in sorted(held.items()):
            await store.fetch(
                "UPDATE simulations SET lease_owner = NULL, lease_until_ms = NULL"
                " WHERE id = $1 AND lease_owner = $2 AND fence = $3",
                simulation_id,
                owner,
                fence,
            )
