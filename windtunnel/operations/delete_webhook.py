"""Deleting a webhook: nothing is sent to it any more, what waits included."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.register_webhook import on_record
from windtunnel.operations.services import Services
from windtunnel.storage import webhooks


async def delete_webhook(services: Services, viewer: Viewer, webhook_id: str) -> str:
    """The id of the webhook, which is gone with its deliveries. Raises ForbiddenError, NotFoundError."""
    subject = Subject(Kind.WEBHOOK, webhook_id)
    await permit(services, viewer, Action.DELETE_WEBHOOK, subject)
    async with permitted_transaction(services, viewer, Action.DELETE_WEBHOOK, subject):
        deleted = await webhooks.delete(services.store, viewer.tenant_id, webhook_id)
        if deleted is None:
            raise NotFoundError("There is no such webhook.", resource_id=webhook_id, path=("input", "webhook_id"))
        await record(
            services,
            viewer,
            viewer.tenant_id,
            AuditAction.WEBHOOK_DELETED,
            subject,
            details=on_record(deleted),
        )
    return webhook_id
