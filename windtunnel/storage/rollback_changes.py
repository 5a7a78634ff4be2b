"""Every change of a rollback, in the transaction of the caller, under the tenant's lock; and the hold that comes of it.

While an agent is held, nothing of it is deployed that was submitted before the rollback.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from windtunnel.domain.agents import Agent
from windtunnel.domain.deployments import Deployment, DeploymentStatus
from windtunnel.domain.policy import ROLLBACK_WITHIN_MS
from windtunnel.domain.rollbacks import Rollback
from windtunnel.storage.agents import agent_of
from windtunnel.storage.deployments import deployment_of
from windtunnel.storage.rollbacks import rollback_of
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned
from windtunnel.storage.times import milliseconds

_OVER = (
    "finished_ms = {now}, duration_ms = CASE WHEN {now} > started_ms THEN {now} - started_ms ELSE 0 END,"
    " lease_owner = NULL, lease_until_ms = NULL"
)
_STOPPED = sorted(
    status.value for status in (DeploymentStatus.APPROVED, DeploymentStatus.DEPLOY_FAILED, DeploymentStatus.DEPLOYING)
)


@dataclass(frozen=True, slots=True)
class NewRollback:
    """A rollback that is being accepted; the fields are those of `Rollback`."""

    id: str
    tenant_id: str
    agent_id: str
    deployment_id: str
    from_version_id: str
    to_version_id: str
    reason: str
    requested_by: str
    request_id: str
    pointer_fence: int
    notified: Sequence[str]
    told: Sequence[str]


async def insert(store: Store, new: NewRollback) -> Rollback:
    """Store a rollback that runs from now on, for ROLLBACK_WITHIN_MS at most."""
    rows = await store.of(new.tenant_id).fetch(
        "INSERT INTO rollbacks (id, tenant_id, agent_id, deployment_id, from_version_id, to_version_id, status, step,"  # noqa: S608
        " reason, requested_by, request_id, started_ms, deadline_ms, notified, told, pointer_fence, fence)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'RUNNING', 'accepted', $7, $8, $9, {now},"
        f" {{now}} + {ROLLBACK_WITHIN_MS}, $10, $11, $12, 0) RETURNING *",
        new.id,
        new.tenant_id,
        new.agent_id,
        new.deployment_id,
        new.from_version_id,
        new.to_version_id,
        cleaned(new.reason),
        new.requested_by,
        new.request_id,
        orjson.dumps(list(new.notified)).decode(),
        orjson.dumps(list(new.told)).decode(),
        new.pointer_fence,
    )
    return rollback_of(rows[0])


async def stepped(store: Store, rollback: Rollback, step: str) -> Rollback | None:
    """Note how far it is; None when it is over, or claimed by somebody else."""
    rows = await store.of(rollback.tenant_id).fetch(
        "UPDATE rollbacks SET step = $4 WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'RUNNING'"
        " RETURNING *",
        rollback.tenant_id,
        rollback.id,
        rollback.fence,
        step,
    )
    return rollback_of(rows[0]) if rows else None


async def succeeded(store: Store, rollback: Rollback) -> Rollback | None:
    """RUNNING -> SUCCEEDED, in time; None when it is too late, or it was claimed by somebody else."""
    rows = await store.of(rollback.tenant_id).fetch(
        f"UPDATE rollbacks SET status = 'SUCCEEDED', step = 'completed', {_OVER}"  # noqa: S608 - from above
        " WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'RUNNING' AND deadline_ms > {now} RETURNING *",
        rollback.tenant_id,
        rollback.id,
        rollback.fence,
    )
    return rollback_of(rows[0]) if rows else None


async def failed(store: Store, rollback: Rollback, failure: str) -> Rollback | None:
    """RUNNING -> FAILED, by whoever has claimed it, or by anybody when its time is over; None when it is over."""
    rows = await store.of(rollback.tenant_id).fetch(
        f"UPDATE rollbacks SET status = 'FAILED', failure = $4, {_OVER}"  # noqa: S608 - from above
        " WHERE tenant_id = $1 AND id = $2 AND status = 'RUNNING' AND (fence = $3 OR deadline_ms <= {now})"
        " RETURNING *",
        rollback.tenant_id,
        rollback.id,
        rollback.fence,
        cleaned(failure),
    )
    return rollback_of(rows[0]) if rows else None


async def hold(store: Store, rollback: Rollback) -> Agent:
    """Hold the agent: what was submitted up to now waits until somebody lifts the hold."""
    rows = await store.of(rollback.tenant_id).fetch(
        "UPDATE agents SET held_by = $3, held_ms = $4, revision = revision + 1 WHERE tenant_id = $1 AND id = $2"
        " RETURNING *",
        rollback.tenant_id,
        rollback.agent_id,
        rollback.id,
        milliseconds(rollback.started_at),
    )
    return agent_of(rows[0])


async def lift(store: Store, tenant_id: str, agent_id: str) -> Agent | None:
    """End the hold; None when there is none, or while a rollback of the agent runs."""
    rows = await store.of(tenant_id).fetch(
        "UPDATE agents SET held_by = NULL, held_ms = NULL, revision = revision + 1"
        " WHERE tenant_id = $1 AND id = $2 AND held_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rollbacks AS b"
        " WHERE b.tenant_id = $1 AND b.agent_id = $2 AND b.status = 'RUNNING') RETURNING *",
        tenant_id,
        agent_id,
    )
    return agent_of(rows[0]) if rows else None


async def to_be_held(store: Store, tenant_id: str, agent_id: str) -> list[Deployment]:
    """Requests that the hold of the agent stops now: submitted before it, and waiting to be deployed, or being so."""
    rows = await store.of(tenant_id).fetch(
        "SELECT d.* FROM deployments AS d JOIN agents AS a ON a.tenant_id = d.tenant_id AND a.id = d.agent_id"
        " WHERE d.tenant_id = $1 AND d.agent_id = $2 AND d.status = ANY($3) AND d.created_ms <= a.held_ms"
        " ORDER BY d.created_ms, d.id",
        tenant_id,
        agent_id,
        _STOPPED,
    )
    return [deployment_of(row) for row in rows]


async def held(store: Store, tenant_id: str, agent_id: str) -> list[tuple[Deployment, DeploymentStatus]]:
    """The agent's requests that are HELD, each with what it becomes once the hold is lifted.

    One whose deploying had failed waits to be tried again by somebody; any other is deployed by itself.
    """
    rows = await store.of(tenant_id).fetch(
        "SELECT d.*, (SELECT e.status FROM deployment_events AS e WHERE e.tenant_id = d.tenant_id"
        " AND e.deployment_id = d.id AND e.status <> 'HELD' ORDER BY e.seq DESC LIMIT 1) AS status_before"
        " FROM deployments AS d WHERE d.tenant_id = $1 AND d.agent_id = $2 AND d.status = 'HELD'"
        " ORDER BY d.created_ms, d.id",
        tenant_id,
        agent_id,
    )
    failed_before = DeploymentStatus.DEPLOY_FAILED
    return [
        (
            deployment_of(row),
            failed_before if row["status_before"] == failed_before.value else DeploymentStatus.APPROVED,
        )
        for row in rows
    ]
