"""Who conducts experiments: claimed under a fence that rises with every claim."""

from collections.abc import Mapping

from windtunnel.domain.experiments import Experiment
from windtunnel.domain.policy import EXPERIMENTS_RUNNING_PER_TENANT, LEASE_MS
from windtunnel.storage.experiment_statements import (
    ANY_CLAIMABLE_EXPERIMENT,
    CLAIM_EXPERIMENTS,
    RELEASE_EXPERIMENT,
    RENEW_EXPERIMENTS,
)
from windtunnel.storage.experiments import experiment_of
from windtunnel.storage.store import Store


async def any_claimable(store: Store) -> bool:
    """Whether there is an experiment to be claimed, of whatever tenant."""
    return bool(await store.privileged(ANY_CLAIMABLE_EXPERIMENT))


async def claim(store: Store, owner: str, limit: int) -> list[Experiment]:
    """Take at most `limit` experiments that wait or were left, for LEASE_MS, under a new fence.

    Of one tenant no more than EXPERIMENTS_RUNNING_PER_TENANT are claimed at a time.
    """
    if limit <= 0:
        return []
    rows = await store.privileged(CLAIM_EXPERIMENTS, owner, LEASE_MS, EXPERIMENTS_RUNNING_PER_TENANT, limit)
    return sorted((experiment_of(row) for row in rows), key=lambda each: (each.created_at, each.id))


async def renew(store: Store, owner: str, held: Mapping[str, int]) -> set[str]:
    """Prolong leases by LEASE_MS from now; `held` maps ids to fences. Returns the ids that are still held."""
    if not held:
        return set()
    rows = await store.privileged(RENEW_EXPERIMENTS, list(held), owner, LEASE_MS)
    return {row["id"] for row in rows if held[row["id"]] == row["fence"]}


async def release(store: Store, owner: str, held: Mapping[str, int]) -> None:
    """Give leases up, so that somebody else can claim at once; `held` maps ids to fences."""
    async with store.transaction():
        for experiment_id, fence in sorted(held.items()):
            await store.privileged(RELEASE_EXPERIMENT, experiment_id, owner, fence)
