"""Who carries deployments out: claimed under a fence that rises with every claim; what is due at a certain time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.agents import Agent, Pointer
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.policy import LEASE_MS
from windtunnel.storage.agents import pointer_of
from windtunnel.storage.deployment_statements import (
    CLAIM_DEPLOYMENTS,
    DEPLOYMENTS_DUE,
    PRODUCTION_OF_ALL,
    RELEASE_DEPLOYMENT,
    RENEW_DEPLOYMENTS,
    SPENT_RELEASES,
)
from windtunnel.storage.deployments import deployment_of
from windtunnel.storage.store import Store

DUE_AT_ONCE = 200
HELD_PER_TENANT = 12
"""Of one tenant at a time: some that hang must not keep the others' waiting."""
FREE = {"lease_owner": "NULL", "lease_until_ms": "NULL"}
"""For `deployment_changes.change`: the change ends the claim."""


class DeploymentDue(StrEnum):
    """What a deployment is due for: a look at its review, its end because it was too late, or somebody's claim."""

    REVIEW = "REVIEW"
    LAPSED = "LAPSED"
    TO_DO = "TO_DO"


@dataclass(frozen=True, slots=True)
class DueDeployment:
    """A deployment for which something is due."""

    id: str
    tenant_id: str
    due: DeploymentDue


async def due(store: Store, limit: int = DUE_AT_ONCE) -> list[DueDeployment]:
    """Deployments of all tenants for which something is due; what is TO_DO comes last."""
    rows = await store.privileged(DEPLOYMENTS_DUE, limit)
    return [DueDeployment(row["id"], row["tenant_id"], DeploymentDue(row["due"])) for row in rows]


async def claim(store: Store, owner: str, limit: int) -> list[Deployment]:
    """Take at most `limit` deployments that are to be validated or deployed, for LEASE_MS, under a new fence.

    Of one tenant no more than HELD_PER_TENANT are claimed at a time.
    """
    if limit <= 0:
        return []
    rows = await store.privileged(CLAIM_DEPLOYMENTS, owner, LEASE_MS, HELD_PER_TENANT, limit)
    return sorted((deployment_of(row) for row in rows), key=lambda each: (each.due_at, each.id))


async def renew(store: Store, owner: str, held: Mapping[str, int]) -> set[str]:
    """Prolong leases by LEASE_MS from now; `held` maps ids to fences. Returns the ids that are still held."""
    if not held:
        return set()
    rows = await store.privileged(RENEW_DEPLOYMENTS, list(held), owner, LEASE_MS)
    return {row["id"] for row in rows if held[row["id"]] == row["fence"]}


async def release(store: Store, owner: str, held: Mapping[str, int]) -> None:
    """Give leases up, so that somebody else can claim at once; `held` maps ids to fences."""
    async with store.transaction():
        for deployment_id, fence in sorted(held.items()):
            await store.privileged(RELEASE_DEPLOYMENT, deployment_id, owner, fence)


async def under_fence(store: Store, deployment: Deployment) -> Deployment | None:
    """The deployment as it is now; None when somebody else has claimed it."""
    rows = await store.of(deployment.tenant_id).fetch(
        "SELECT * FROM deployments WHERE tenant_id = $1 AND id = $2 AND fence = $3",
        deployment.tenant_id,
        deployment.id,
        deployment.fence,
    )
    return deployment_of(rows[0]) if rows else None


async def in_production(store: Store) -> list[Pointer]:
    """The pointers of all agents of all tenants that have something in production."""
    return [pointer_of(row) for row in await store.privileged(PRODUCTION_OF_ALL)]


async def spent(store: Store, staged: Collection[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Of what is staged (ids of agents with digests) what nobody deploys or restores any more, each with its tenant."""
    if not staged:
        return []
    agents, digests = ({each[place] for each in staged} for place in (0, 1))
    rows = await store.privileged(SPENT_RELEASES, sorted(agents), sorted(digests))
    found = [(row["tenant_id"], row["agent_id"], row["digest"]) for row in rows]
    return [each for each in found if each[1:] in staged]


async def is_deploying(store: Store, agent: Agent) -> bool:
    """Whether a deployment of the agent is DEPLOYING."""
    rows = await store.of(agent.tenant_id).fetch(
        "SELECT 1 AS one FROM deployments WHERE tenant_id = $1 AND agent_id = $2 AND status = 'DEPLOYING' LIMIT 1",
        agent.tenant_id,
        agent.id,
    )
    return bool(rows)


async def postpone(store: Store, deployment: Deployment, pause_ms: int) -> None:
    """End the claim; the deployment is due again after a pause."""
    await store.of(deployment.tenant_id).fetch(
        "UPDATE deployments SET lease_owner = NULL, lease_until_ms = NULL, due_ms = {now} + $4"
        " WHERE tenant_id = $1 AND id = $2 AND fence = $3",
        deployment.tenant_id,
        deployment.id,
        deployment.fence,
        pause_ms,
    )
