"""Pausing an environment: what runs there is ended, what waits goes on waiting. Its time goes on."""

from contextlib import suppress

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environment_rules import demand
from windtunnel.domain.environments import USABLE_STATUSES, Environment, EnvironmentEventDraft, EnvironmentStatus
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_changes import MADE, Changed, locked, refusal, tell
from windtunnel.operations.environment_runs import PAUSED, halt_runs
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import environment_life


async def pause_environment(services: Services, viewer: Viewer, environment_id: str) -> Environment:
    """The environment, PAUSED, also when it was before.

    Raises ForbiddenError, NotFoundError and ConflictError (ENVIRONMENT_EXPIRED, or not READY).
    """
    subject = Subject(Kind.ENVIRONMENT, environment_id)
    await permit(services, viewer, Action.PAUSE_ENVIRONMENT, subject)
    async with permitted_transaction(services, viewer, Action.PAUSE_ENVIRONMENT, subject):
        made = await _pause(services, viewer.tenant_id, environment_id)
        if made[1] is not None:
            await record(services, viewer, viewer.tenant_id, AuditAction.ENVIRONMENT_PAUSED, subject)
    environment = await tell(services, made)
    with suppress(UnavailableError):  # a worker does it as soon as it can be done
        await halt_runs(services, environment, PAUSED, waiting=False)
    return environment


async def _pause(services: Services, tenant_id: str, environment_id: str) -> Changed:
    before = await locked(services, tenant_id, environment_id)
    if before.status is EnvironmentStatus.PAUSED:
        demand(before, await services.store.now(), USABLE_STATUSES)
        return before, None
    message = "The environment was paused: what runs in it is ended, what waits goes on waiting."
    draft = EnvironmentEventDraft(EnvironmentStatus.PAUSED, "pause", message, MADE)
    changed = await environment_life.paused(services.store, tenant_id, environment_id, draft)
    if changed is None:
        raise await refusal(services, before, {EnvironmentStatus.READY})
    return changed
