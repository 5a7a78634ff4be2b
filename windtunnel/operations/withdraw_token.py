"""Taking a token back from the operator's side of the server, whichever tenant it belongs to."""

from dataclasses import dataclass

from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError, ValidationError
from windtunnel.domain.tokens import ApiToken, has_prefix, prefix_of
from windtunnel.operations.minting import on_record
from windtunnel.storage import audit, sign_in, tokens
from windtunnel.storage.store import Store


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A token that signs nobody in any longer; `before` when it had been revoked already."""

    token: ApiToken
    before: bool


async def withdraw_token(store: Store, token_id: str) -> Withdrawn:
    """Revoke it, unless it was revoked before. Servers notice within seconds. Raises NotFoundError."""
    tenant_id = await sign_in.tenant_of_token(store, token_id)
    if tenant_id is None:
        raise NotFoundError("There is no such token.", resource_id=token_id)
    async with store.transaction(tenant_id):
        await store.lock_tenant(tenant_id)  # what it has begun ends before, or is refused
        revoked = await tokens.revoke(store, tenant_id, token_id)
        token = (await tokens.get_many(store, tenant_id, [token_id]))[token_id]
        if revoked:
            subject = Subject(Kind.API_TOKEN, token_id)
            draft = AuditDraft(AuditAction.TOKEN_REVOKED, subject, details=on_record(token))
            await audit.append(store, tenant_id, draft)
    return Withdrawn(token, before=not revoked)


async def withdraw_token_by_prefix(store: Store, text: str) -> Withdrawn:
    """As `withdraw_token`, for the token whose secret begins with `text`, or is it: not repeated in any error.

    Raises NotFoundError, and ValidationError when it is too short or several tokens begin so.
    """
    if not has_prefix(text):
        raise ValidationError("A token's prefix is wt_ and 8 lower-case hex digits.", rule="token_prefix")
    found = await sign_in.tokens_with_prefix(store, prefix_of(text))
    if not found:
        raise NotFoundError("There is no token with this prefix.")
    if len(found) > 1:
        raise ValidationError("Several tokens have this prefix: give the id of one.", rule="token_prefix")
    return await withdraw_token(store, found[0])
