"""Who works with an agent right now: simulations of its packages that run, and people who follow production."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import orjson

from windtunnel.domain.policy import FOLLOWER_FORGOTTEN_MS
from windtunnel.storage.store import Store


@dataclass(frozen=True, slots=True)
class RunningSimulation:
    """A simulation that runs, and whose it is."""

    id: str
    created_by: str


async def running_simulations(store: Store, tenant_id: str, digests: Collection[str]) -> list[RunningSimulation]:
    """The tenant's simulations of one of these packages that run in this place, the first one first."""
    if not digests:
        return []
    rows = await store.of(tenant_id).fetch(
        "SELECT id, created_by FROM simulations WHERE tenant_id = $1 AND status = 'RUNNING'"
        " AND package_digest = ANY($2) ORDER BY created_ms, id",
        tenant_id,
        sorted(digests),
    )
    return [RunningSimulation(row["id"], row["created_by"]) for row in rows]


async def digests_of(store: Store, tenant_id: str, agent_id: str) -> frozenset[str]:
    """The packages of all versions of the agent, by digest."""
    rows = await store.of(tenant_id).fetch(
        "SELECT DISTINCT package_digest FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2",
        tenant_id,
        agent_id,
    )
    return frozenset(row["package_digest"] for row in rows)


async def follows(
    store: Store, tenant_id: str, id: str, user_id: str, agent_ids: Collection[str] | None = None
) -> None:
    """Note that somebody follows production (`id` is of this one stream), or still does; None: of every agent."""
    async with store.transaction(tenant_id):
        scope = store.of(tenant_id)
        await scope.fetch(
            "INSERT INTO production_followers (id, tenant_id, user_id, agent_ids, seen_ms)"
            " VALUES ($1, $2, $3, $4, {now}) ON CONFLICT (id) DO UPDATE SET seen_ms = excluded.seen_ms",
            id,
            tenant_id,
            user_id,
            None if agent_ids is None else orjson.dumps(sorted(agent_ids)).decode(),
        )
        await scope.fetch(
            "DELETE FROM production_followers WHERE tenant_id = $1 AND seen_ms <= {now} - $2",
            tenant_id,
            FOLLOWER_FORGOTTEN_MS,
        )


async def follows_no_more(store: Store, tenant_id: str, id: str) -> None:
    """Note that a stream has ended."""
    await store.of(tenant_id).fetch("DELETE FROM production_followers WHERE tenant_id = $1 AND id = $2", tenant_id, id)


async def followers(store: Store, tenant_id: str, agent_id: str) -> Sequence[str]:
    """The people who follow what happens to the agent in production now, each once."""
    rows = await store.of(tenant_id).fetch(
        "SELECT user_id, agent_ids FROM production_followers WHERE tenant_id = $1 AND seen_ms > {now} - $2"
        " ORDER BY user_id",
        tenant_id,
        FOLLOWER_FORGOTTEN_MS,
    )
    return list(
        dict.fromkeys(
            row["user_id"] for row in rows if row["agent_ids"] is None or agent_id in orjson.loads(row["agent_ids"])
        )
    )
