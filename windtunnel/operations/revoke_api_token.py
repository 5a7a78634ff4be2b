"""Revoking an API token: from now on it signs nobody in, and what it follows ends."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_access
from windtunnel.operations.audit_trail import record
from windtunnel.operations.minting import on_record
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import tokens


async def revoke_api_token(services: Services, viewer: Viewer, token_id: str) -> str:
    """The id of the token, also when it was revoked before. Raises ForbiddenError, NotFoundError."""
    subject = Subject(Kind.API_TOKEN, token_id)
    await permit(services, viewer, Action.REVOKE_API_TOKEN, subject)
    async with permitted_transaction(services, viewer, Action.REVOKE_API_TOKEN, subject):
        token = (await tokens.get_many(services.store, viewer.tenant_id, [token_id])).get(token_id)
        if token is None:
            raise NotFoundError("There is no such token.", resource_id=token_id, path=("input", "token_id"))
        revoked = await tokens.revoke(services.store, viewer.tenant_id, token_id)
        if revoked:
            await record(
                services, viewer, viewer.tenant_id, AuditAction.TOKEN_REVOKED, subject, details=on_record(token)
            )
    if revoked:
        await announce_access(services.bus)
    return token_id
