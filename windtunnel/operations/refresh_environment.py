"""Refreshing an environment: it gets another copy of production's configuration, and has not drifted any more."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environment_rules import demand
from windtunnel.domain.environments import USABLE_STATUSES, Environment
from windtunnel.domain.permissions import Action
from windtunnel.domain.production import Snapshot
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_changes import Changed, current, happened, locked, refusal, tell
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import environment_life, production


async def refresh_environment(
    services: Services, viewer: Viewer, environment_id: str, idempotency_key: str | None = None
) -> Environment:
    """The environment, configured as production is now. When it was so already, nothing happens.

    Raises ForbiddenError, NotFoundError and ConflictError (ENVIRONMENT_EXPIRED, IDEMPOTENCY_MISMATCH, or neither READY
    nor PAUSED).
    """
    subject = Subject(Kind.ENVIRONMENT, environment_id)
    await permit(services, viewer, Action.REFRESH_ENVIRONMENT, subject)
    store, tenant_id = services.store, viewer.tenant_id

    async def refresh() -> Done[Changed]:
        before = await locked(services, tenant_id, environment_id)
        snapshot = await production.snapshot(store, tenant_id)
        if snapshot == before.snapshot:
            demand(before, await store.now(), USABLE_STATUSES)
            return Done(environment_id, (before, None))
        draft = happened(before, "refresh", f"Configured as production is at its revision {snapshot.revision}.")
        changed = await environment_life.refreshed(store, tenant_id, environment_id, snapshot, draft)
        if changed is None:
            raise await refusal(services, before, USABLE_STATUSES)
        details = {"from": _fact(before.snapshot), "to": _fact(snapshot)}
        await record(services, viewer, tenant_id, AuditAction.ENVIRONMENT_REFRESHED, subject, details=details)
        return Done(environment_id, changed)

    what = {"environment_id": environment_id}
    outcome = await once(services, viewer, Asked(Action.REFRESH_ENVIRONMENT, idempotency_key, what, subject), refresh)
    if outcome.made is None:
        return await current(services, tenant_id, environment_id)
    return await tell(services, outcome.made)


def _fact(snapshot: Snapshot) -> dict[str, object]:
    return {"productionRevision": snapshot.revision, "configurationDigest": snapshot.digest}
