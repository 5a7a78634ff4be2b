"""In which environments there is something to do: a number rises with each task, another follows when all are done."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.storage import environments
from windtunnel.storage.privileged import ENVIRONMENTS_WITH_WORK
from windtunnel.storage.store import Store

NONE_SEEN: Mapping[str, Environment] = MappingProxyType({})
_WORK_LOCK = 0x776F726B
"""The advisory lock, in an environment's own database, under which work begins there and is looked for."""


async def lock_work(store: Store) -> None:
    """Inside a transaction in an environment: wait until nobody else holds this lock there, and hold it to the end.

    Whoever begins work holds it, and whoever looks whether there is any left: on record at home it is a moment earlier
    than it can be seen here.
    """
    if store.dialect == "postgres":
        await store.fetch(f"SELECT pg_advisory_xact_lock({_WORK_LOCK}, hashtext(current_schema()))")


async def raise_work(store: Store, tenant_id: str, environment_id: str) -> None:
    """Inside a transaction at home: there is something to do in the environment."""
    await store.of(tenant_id).fetch(
        "UPDATE environments SET work_seq = work_seq + 1 WHERE tenant_id = $1 AND id = $2", tenant_id, environment_id
    )


async def with_work(store: Store, seen: Mapping[str, Environment] = NONE_SEEN) -> Sequence[Environment]:
    """The environments of all tenants in which there may be something to do, or to be halted.

    Those `seen` before, by id, are not read again: of them only `status` and `work_seq` are as they are now.
    """
    rows = await store.privileged(ENVIRONMENTS_WITH_WORK)
    unseen: dict[str, list[str]] = {}
    for row in rows:
        if row["id"] not in seen:
            unseen.setdefault(row["tenant_id"], []).append(row["id"])
    known = dict(seen)
    for tenant_id, ids in unseen.items():
        known |= await environments.get_many(store, tenant_id, ids)
    return [
        replace(known[row["id"]], status=EnvironmentStatus(row["status"]), work_seq=row["work_seq"]) for row in rows
    ]


async def is_ready(store: Store, tenant_id: str, environment_id: str) -> bool:
    """Whether something may begin in the environment now."""
    rows = await store.of(tenant_id).fetch(
        "SELECT 1 AS one FROM environments"
        " WHERE tenant_id = $1 AND id = $2 AND status = 'READY' AND expires_ms > {now}",
        tenant_id,
        environment_id,
    )
    return bool(rows)


async def rest(store: Store, environment: Environment) -> None:
    """Nothing is left of what was to be done when `environment` was read; what came since then remains to be done."""
    await store.of(environment.tenant_id).fetch(
        "UPDATE environments SET worked_seq = $3 WHERE tenant_id = $1 AND id = $2 AND worked_seq < $3"
        " AND status <> 'DELETED'",
        environment.tenant_id,
        environment.id,
        environment.work_seq,
    )
