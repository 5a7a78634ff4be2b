"""Taking a token back from the operator's side of the server, whichever tenant it belongs to."""

from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError
from windtunnel.operations.minting import on_record
from windtunnel.storage import audit, sign_in, tokens
from windtunnel.storage.store import Store


async def withdraw_token(store: Store, token_id: str) -> None:
    """Revoke it, unless it was revoked before. Servers notice within seconds. Raises NotFoundError."""
    tenant_id = await sign_in.tenant_of_token(store, token_id)
    if tenant_id is None:
        raise NotFoundError("There is no such token.", resource_id=token_id)
    async with store.transaction(tenant_id):
        if not await tokens.revoke(store, tenant_id, token_id):
            return
        token = (await tokens.get_many(store, tenant_id, [token_id]))[token_id]
        subject = Subject(Kind.API_TOKEN, token_id)
        await audit.append(store, tenant_id, AuditDraft(AuditAction.TOKEN_REVOKED, subject, details=on_record(token)))
