"""In which environments there is something to do: a number rises with each task, another follows when all are done."""

from collections.abc import Sequence

from windtunnel.domain.environments import Environment
from windtunnel.storage.environments import environment_of
from windtunnel.storage.privileged import ENVIRONMENTS_WITH_WORK
from windtunnel.storage.store import Store

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


async def with_work(store: Store) -> Sequence[Environment]:
    """The environments of all tenants in which there may be something to do, or to be halted."""
    return [environment_of(row) for row in await store.privileged(ENVIRONMENTS_WITH_WORK)]


async def rest(store: Store, environment: Environment) -> None:
    """Nothing is left of what was to be done when `environment` was read; what came since then remains to be done."""
    await store.of(environment.tenant_id).fetch(
        "UPDATE environments SET worked_seq = $3 WHERE tenant_id = $1 AND id = $2 AND worked_seq < $3"
        " AND status <> 'DELETED'",
        environment.tenant_id,
        environment.id,
        environment.work_seq,
    )
