"""What is in production: the pointer of an agent, and the states of its versions that follow from it.

    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)
        pointer = await switch(store, tenant_id, agent_id, fence=fence, ...)
        if pointer is None: ...  # somebody else has set out to change it since
        await put_aside(store, tenant_id, before.id, VersionState.STANDBY)
        await bring_live(store, tenant_id, version_id, deployment_id, pointer.release_seq)
        await deployment_changes.change(...)
        await prune(store, tenant_id, agent_id)

All of it happens in a transaction of the caller, under the tenant's lock.
"""

from windtunnel.domain.agents import RETAINED_STATES, AgentVersion, Pointer, VersionState
from windtunnel.domain.policy import ROLLBACK_WINDOW_MS
from windtunnel.domain.retention import to_prune
from windtunnel.storage import package_care
from windtunnel.storage.agent_versions import version_of
from windtunnel.storage.agents import pointer_of
from windtunnel.storage.store import Store
from windtunnel.storage.texts import cleaned, known_ids

_NOT_RESTORING = (
    "NOT EXISTS (SELECT 1 FROM rollbacks AS b WHERE b.tenant_id = pointers.tenant_id"
    " AND b.agent_id = pointers.agent_id AND b.status = 'RUNNING')"
)


async def raise_fence(store: Store, tenant_id: str, agent_id: str) -> Pointer | None:
    """Set out to deploy: whoever did so before cannot switch any more. None while a rollback of the agent runs."""
    return await _raise_fence(store, tenant_id, agent_id, _NOT_RESTORING)


async def begin_restoring(store: Store, tenant_id: str, agent_id: str, version_id: str) -> Pointer | None:
    """Set out to take this version, which is in production, back; nobody who deploys can switch any more.

    None when something else is in production by now, when it has been there for 30 days, or while a rollback runs.
    """
    return await _raise_fence(
        store,
        tenant_id,
        agent_id,
        f"version_id = $3 AND live_since_ms + {ROLLBACK_WINDOW_MS} > {{now}} AND {_NOT_RESTORING}",
        version_id,
    )


async def switch(
    store: Store,
    tenant_id: str,
    agent_id: str,
    *,
    fence: int,
    version_id: str,
    deployment_id: str,
    package_digest: str,
) -> Pointer | None:
    """A new release, of this version; None when somebody has raised the fence since."""
    rows = await store.of(tenant_id).fetch(
        "UPDATE pointers SET release_seq = release_seq + 1, version_id = $4, deployment_id = $5, package_digest = $6,"
        " live_since_ms = {now} WHERE tenant_id = $1 AND agent_id = $2 AND fence = $3 RETURNING *",
        tenant_id,
        agent_id,
        fence,
        version_id,
        deployment_id,
        package_digest,
    )
    return pointer_of(rows[0]) if rows else None


async def put_aside(
    store: Store, tenant_id: str, version_id: str, state: VersionState, reason: str | None = None
) -> AgentVersion | None:
    """LIVE -> STANDBY, or QUARANTINED for a `reason`; None when it is not live."""
    rows = await store.of(tenant_id).fetch(
        "UPDATE agent_versions SET state = $3, quarantine_reason = $4, last_live_ms = {now}"
        " WHERE tenant_id = $1 AND id = $2 AND state = 'LIVE' RETURNING *",
        tenant_id,
        version_id,
        state.value,
        None if reason is None else cleaned(reason),
    )
    return version_of(rows[0]) if rows else None


async def bring_live(
    store: Store, tenant_id: str, version_id: str, deployment_id: str, release_seq: int
) -> AgentVersion | None:
    """The version LIVE since this release, by the approval of this deployment; None when it is QUARANTINED or PRUNED.

    One that is LIVE stays so, by another deployment then. When it is live for the first time, it gets its number.
    """
    rows = await store.of(tenant_id).fetch(
        "UPDATE agent_versions SET state = 'LIVE', last_live_ms = {now}, last_release = $4,"
        " first_live_ms = COALESCE(first_live_ms, {now}), approved_deployment_id = $3,"
        " version_seq = COALESCE(version_seq, (SELECT a.last_version_seq + 1 FROM agents AS a"
        " WHERE a.tenant_id = agent_versions.tenant_id AND a.id = agent_versions.agent_id))"
        " WHERE tenant_id = $1 AND id = $2 AND state IN ('CANDIDATE', 'STANDBY', 'LIVE') RETURNING *",
        tenant_id,
        version_id,
        deployment_id,
        release_seq,
    )
    if not rows:
        return None
    version = version_of(rows[0])
    await store.of(tenant_id).fetch(
        "UPDATE agents SET last_version_seq = $3 WHERE tenant_id = $1 AND id = $2 AND last_version_seq < $3",
        tenant_id,
        version.agent_id,
        version.version_seq,
    )
    return version


async def released(store: Store, tenant_id: str, version_id: str) -> AgentVersion | None:
    """QUARANTINED -> STANDBY; None when it is not quarantined."""
    if not known_ids([version_id]):
        return None
    rows = await store.of(tenant_id).fetch(
        "UPDATE agent_versions SET state = 'STANDBY', quarantine_reason = NULL"
        " WHERE tenant_id = $1 AND id = $2 AND state = 'QUARANTINED' RETURNING *",
        tenant_id,
        version_id,
    )
    return version_of(rows[0]) if rows else None


async def prune(store: Store, tenant_id: str, agent_id: str) -> list[AgentVersion]:
    """Retain no more versions of the agent than are to be; those that are no longer retained.

    Their bytes go, too, unless the tenant needs them for something else.
    """
    scope = store.of(tenant_id)
    pinned = await scope.fetch(
        "SELECT to_version_id AS id FROM rollbacks WHERE tenant_id = $1 AND agent_id = $2 AND status = 'RUNNING'",
        tenant_id,
        agent_id,
    )
    going = to_prune(await retained(store, tenant_id, agent_id), {row["id"] for row in pinned})
    if not going:
        return []
    rows = await scope.fetch(
        "UPDATE agent_versions SET state = 'PRUNED', pruned_ms = {now}, quarantine_reason = NULL"
        " WHERE tenant_id = $1 AND id = ANY($2) AND state IN ('STANDBY', 'QUARANTINED') RETURNING *",
        tenant_id,
        [version.id for version in going],
    )
    pruned = sorted((version_of(row) for row in rows), key=lambda version: version.last_release or 0)
    await package_care.discard(store, tenant_id, [version.package_digest for version in pruned])
    return pruned


async def retained(store: Store, tenant_id: str, agent_id: str) -> list[AgentVersion]:
    """The agent's versions that are retained, what was live last first."""
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2 AND state = ANY($3)"
        " ORDER BY last_release DESC",
        tenant_id,
        agent_id,
        sorted(state.value for state in RETAINED_STATES),
    )
    return [version_of(row) for row in rows]


async def live(store: Store, tenant_id: str) -> list[AgentVersion]:
    """The versions that the tenant has in production, one of each agent, by their agents' slugs."""
    rows = await store.of(tenant_id).fetch(
        "SELECT v.* FROM agent_versions AS v JOIN agents AS a ON a.tenant_id = v.tenant_id AND a.id = v.agent_id"
        " WHERE v.tenant_id = $1 AND v.state = 'LIVE' ORDER BY a.slug",
        tenant_id,
    )
    return [version_of(row) for row in rows]


async def _raise_fence(store: Store, tenant_id: str, agent_id: str, where: str, *arguments: str) -> Pointer | None:
    rows = await store.of(tenant_id).fetch(
        f"UPDATE pointers SET fence = fence + 1 WHERE tenant_id = $1 AND agent_id = $2 AND {where}"  # noqa: S608
        " RETURNING *",
        tenant_id,
        agent_id,
        *arguments,
    )
    return pointer_of(rows[0]) if rows else None
