"""Tiny worlds for stories of environments, which are looked at as rows: nothing is made, and nothing taken away."""

from datetime import timedelta
from typing import Any

from windtunnel.domain.environments import Environment, EnvironmentEventDraft, EnvironmentLimits, EnvironmentStatus
from windtunnel.domain.ids import new_id, new_namespace
from windtunnel.domain.production import Snapshot
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import environment_life, environments
from windtunnel.storage.environment_life import NewEnvironment
from windtunnel.storage.store import Store

REPORT = (
    '{"details":{},"level":"FULL","minimum":"FULL","not_enforced":[],"probes":[],'
    '"verified_at":"2026-11-01T12:00:00+00:00"}'
)
TOLD = EnvironmentEventDraft(EnvironmentStatus.PROVISIONING, "request", "Asked for.", 0.0)


def wanted(viewer: Viewer, **given: Any) -> NewEnvironment:
    usual: dict[str, Any] = {
        "id": new_id(),
        "tenant_id": viewer.tenant_id,
        "namespace": new_namespace(),
        "name": "try",
        "created_by": viewer.user.id,
        "request_id": "",
        "lifetime": timedelta(days=2),
        "limits": EnvironmentLimits(),
        "snapshot": Snapshot.of(0, ()),
        "sealed_password": "sealed",
    }
    return NewEnvironment(**(usual | given))


async def provisioning(store: Store, viewer: Viewer, **given: Any) -> Environment:
    """An environment that somebody has asked for."""
    made = await environment_life.insert(store, wanted(viewer, **given), TOLD)
    assert made is not None
    return made[0]


async def became(store: Store, environment: Environment, status: str, more: str = "") -> Environment:
    """The environment, as if a caretaker had brought it there, with `more` assignments."""
    usual = {
        "READY": "ready_ms = {now}, isolation = '" + REPORT + "'",
        "FAILED": "ended_by = 'FAILURE', failure = 'There is no room.'",
        "EXPIRING": "ended_by = 'EXPIRY'",
        "DELETING": "cleanup_started_ms = {now}",
        "DELETE_STUCK": "remaining = '[\"a database\"]'",
        "DELETED": "deleted_ms = {now}, receipt = '{}', receipt_digest = '" + "0" * 64 + "', sealed_password = NULL",
    }
    assignments = ", ".join(each for each in (f"status = '{status}'", usual.get(status, ""), more) if each)
    await store.of(environment.tenant_id).fetch(
        f"UPDATE environments SET {assignments} WHERE tenant_id = $1 AND id = $2",
        environment.tenant_id,
        environment.id,
    )
    return await stored(store, environment)


async def ready(store: Store, viewer: Viewer, **given: Any) -> Environment:
    return await became(store, await provisioning(store, viewer, **given), "READY")


async def gone(store: Store, environment: Environment) -> Environment:
    """The environment, which is on its way out, once it is DELETED."""
    for status in ("DELETING", "DELETED") if environment.status != "DELETING" else ("DELETED",):
        environment = await became(store, environment, status)
    return environment


async def stored(store: Store, environment: Environment) -> Environment:
    found = await environments.get(store, environment.tenant_id, environment.id)
    assert found is not None
    return found
