"""Extending an environment: it ends later, or sooner, but never later than seven days after it was asked for."""

from datetime import timedelta

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environment_rules import check_lifetime
from windtunnel.domain.environments import USABLE_STATUSES, Environment, EnvironmentEventDraft
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_environments
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_changes import Changed, current, happened, locked, refusal, tell
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.provisioning import said
from windtunnel.operations.services import Services
from windtunnel.storage import environment_life


async def extend_environment(
    services: Services,
    viewer: Viewer,
    environment_id: str,
    lifetime: timedelta,
    idempotency_key: str | None = None,
) -> Environment:
    """The environment, which ends after `lifetime` from now; warnings of its end come again.

    Raises ForbiddenError, NotFoundError, ValidationError (too short, too long, or beyond seven days of age) and
    ConflictError (ENVIRONMENT_EXPIRED, IDEMPOTENCY_MISMATCH, or neither READY nor PAUSED).
    """
    subject = Subject(Kind.ENVIRONMENT, environment_id)
    await permit(services, viewer, Action.EXTEND_ENVIRONMENT, subject)
    wanted, tenant_id = check_lifetime(lifetime), viewer.tenant_id

    async def extend() -> Done[Changed]:
        before = await locked(services, tenant_id, environment_id)
        changed = await environment_life.extended(services.store, tenant_id, environment_id, wanted, _told)
        if changed is None:
            raise await refusal(services, before, USABLE_STATUSES, wanted)
        details = {"from": before.expires_at, "to": changed[0].expires_at}
        await record(services, viewer, tenant_id, AuditAction.ENVIRONMENT_EXTENDED, subject, details=details)
        return Done(environment_id, changed)

    what = {"environment_id": environment_id, "lifetime": wanted // timedelta(milliseconds=1)}
    outcome = await once(services, viewer, Asked(Action.EXTEND_ENVIRONMENT, idempotency_key, what, subject), extend)
    if outcome.made is None:
        return await current(services, tenant_id, environment_id)
    await announce_environments(services.bus)
    return await tell(services, outcome.made)


def _told(extended: Environment) -> EnvironmentEventDraft:
    return happened(extended, "extend", f"It ends at {said(extended.expires_at)} now.")
