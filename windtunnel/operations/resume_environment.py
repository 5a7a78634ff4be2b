"""Resuming an environment: what waited in it goes on."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environment_rules import demand
from windtunnel.domain.environments import USABLE_STATUSES, Environment, EnvironmentEventDraft, EnvironmentStatus
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_work
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_changes import MADE, Changed, locked, refusal, tell
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import environment_life


async def resume_environment(services: Services, viewer: Viewer, environment_id: str) -> Environment:
    """The environment, READY, also when it was before.

    Raises ForbiddenError, NotFoundError and ConflictError (ENVIRONMENT_EXPIRED, or not PAUSED).
    """
    subject = Subject(Kind.ENVIRONMENT, environment_id)
    await permit(services, viewer, Action.RESUME_ENVIRONMENT, subject)
    async with permitted_transaction(services, viewer, Action.RESUME_ENVIRONMENT, subject):
        made = await _resume(services, viewer.tenant_id, environment_id)
        if made[1] is not None:
            await record(services, viewer, viewer.tenant_id, AuditAction.ENVIRONMENT_RESUMED, subject)
    await announce_work(services.bus)
    return await tell(services, made)


async def _resume(services: Services, tenant_id: str, environment_id: str) -> Changed:
    before = await locked(services, tenant_id, environment_id)
    if before.status is EnvironmentStatus.READY:
        demand(before, await services.store.now(), USABLE_STATUSES)
        return before, None
    draft = EnvironmentEventDraft(EnvironmentStatus.READY, "resume", "The environment goes on.", MADE)
    changed = await environment_life.resumed(services.store, tenant_id, environment_id, draft)
    if changed is None:
        raise await refusal(services, before, {EnvironmentStatus.PAUSED})
    return changed
