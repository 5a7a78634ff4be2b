"""Deleting an environment: from now on nobody can use it; a worker takes it away and proves that it is gone."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import LIVE_STATUSES, Environment, EnvironmentEventDraft, EnvironmentStatus
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_environments
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_changes import Changed, locked, refusal, tell
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import environment_life


async def delete_environment(services: Services, viewer: Viewer, environment_id: str) -> Environment:
    """The environment, on its way out: as it is by then, when it was before, and DELETED once nothing of it is left.

    When something could not be removed, it is tried again at once. Raises ForbiddenError and NotFoundError.
    """
    subject = Subject(Kind.ENVIRONMENT, environment_id)
    await permit(services, viewer, Action.DELETE_ENVIRONMENT, subject)
    async with permitted_transaction(services, viewer, Action.DELETE_ENVIRONMENT, subject):
        made = await _delete(services, viewer.tenant_id, environment_id)
        if made[1] is not None:
            details = {"name": made[0].name}
            await record(
                services,
                viewer,
                viewer.tenant_id,
                AuditAction.ENVIRONMENT_DELETE_REQUESTED,
                subject,
                details=details,
            )
    await announce_environments(services.bus)
    return await tell(services, made)


async def _delete(services: Services, tenant_id: str, environment_id: str) -> Changed:
    before = await locked(services, tenant_id, environment_id)
    if before.status not in LIVE_STATUSES:
        return await environment_life.hurried(services.store, tenant_id, environment_id) or before, None
    draft = EnvironmentEventDraft(EnvironmentStatus.DELETING, "delete", "The environment is being deleted.", 0.0)
    changed = await environment_life.deleted(services.store, tenant_id, environment_id, draft)
    if changed is None:
        raise await refusal(services, before, LIVE_STATUSES)
    return changed
