"""Every change of a deployment: one compare-and-swap with its event, in the transaction of the caller.

    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        in_time = "review_deadline_ms > {now}"
        changed = await change(store, tenant_id, id, expected={S.IN_REVIEW}, draft=..., where=in_time)
        if changed is None: ...  # somebody else was first, or it is too late

Whoever changes a deployment holds the tenant's lock: decisions of one tenant's pipeline are made one after the other.
"""

from collections.abc import Collection, Mapping
from typing import Any

from windtunnel.domain.deployments import Deployment, DeploymentEvent, DeploymentEventDraft, DeploymentStatus
from windtunnel.storage.deployment_events import insert_event
from windtunnel.storage.deployments import deployment_of
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids

Changed = tuple[Deployment, DeploymentEvent]


async def insert(store: Store, deployment: Deployment, draft: DeploymentEventDraft) -> Changed:
    """Store a new deployment with its first event, due at once."""
    rows = await store.of(deployment.tenant_id).fetch(
        "INSERT INTO deployments (id, tenant_id, agent_id, package_digest, status, submitted_by, created_ms, token_id,"
        " request_id, changelog, attempts, revision, last_seq, due_ms, fence)"
        " VALUES ($1, $2, $3, $4, $5, $6, {now}, $7, $8, $9, 0, 1, 1, {now}, 0) RETURNING *, {now} AS at_ms",
        deployment.id,
        deployment.tenant_id,
        deployment.agent_id,
        deployment.package_digest,
        draft.status.value,
        deployment.submitted_by,
        deployment.token_id,
        deployment.request_id,
        deployment.changelog,
    )
    return deployment_of(rows[0]), await insert_event(store, rows[0], draft)


async def change(
    store: Store,
    tenant_id: str,
    id: str,
    *,
    expected: Collection[DeploymentStatus],
    draft: DeploymentEventDraft,
    values: Mapping[str, Any] | None = None,
    exprs: Mapping[str, str] | None = None,
    fence: int | None = None,
    where: str = "",
) -> Changed | None:
    """The deployment in the status of `draft`, with its event; None when it is not as `expected`.

    `values` are further columns, `exprs` columns set to SQL (`{now}` allowed), `where` a further condition in SQL.
    With a `fence`, only the worker that has claimed it last can change it.
    """
    if not known_ids([id]):
        return None
    arguments: list[Any] = [tenant_id, id, draft.status.value, sorted(status.value for status in expected)]
    sets = ["status = $3", "revision = revision + 1", "last_seq = last_seq + 1"]
    for column, value in (values or {}).items():
        arguments.append(value)
        sets.append(f"{column} = ${len(arguments)}")
    sets += [f"{column} = {expression}" for column, expression in (exprs or {}).items()]
    conditions = "tenant_id = $1 AND id = $2 AND status = ANY($4)"
    if fence is not None:
        arguments.append(fence)
        conditions += f" AND fence = ${len(arguments)}"
    if where:
        conditions += f" AND {where}"
    rows = await store.of(tenant_id).fetch(
        f"UPDATE deployments SET {', '.join(sets)} WHERE {conditions} RETURNING *, {{now}} AS at_ms",  # noqa: S608
        *arguments,
    )
    if not rows:
        return None
    return deployment_of(rows[0]), await insert_event(store, rows[0], draft)
