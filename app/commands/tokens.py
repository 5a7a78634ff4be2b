"""What `windtunnel token` does: apart from its options, so that other commands start without a database."""

from datetime import timedelta

from app.settings import Settings
from app.wiring.databases import ready_store
from schema.ids import Kind, is_id, raw_of
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.tokens import TOKEN_MARK
from windtunnel.domain.viewers import Role
from windtunnel.operations.minting import Issued
from windtunnel.operations.provide_token import provide_token
from windtunnel.operations.withdraw_token import Withdrawn, withdraw_token, withdraw_token_by_prefix
from windtunnel.storage.store import DatabaseRole


async def created(
    settings: Settings, tenant: str, user: str, roles: list[Role], *, lasts: timedelta | None, name: str
) -> Issued:
    """A new token. Raises ValidationError, QuotaError."""
    async with ready_store(settings, DatabaseRole.API) as store:
        return await provide_token(store, tenant, user, roles, name=name, expires_in=lasts)


async def revoked(settings: Settings, token: str) -> Withdrawn:
    """The token with this id or prefix, which is of no use any more. Raises NotFoundError."""
    token_id = raw_of(Kind.API_TOKEN, token) or (token if is_id(token) else None)
    _, mark, rest = token.partition(TOKEN_MARK)
    if token_id is None and not mark:
        raise NotFoundError(f"{token!r} is neither the id of a token nor its prefix.")
    async with ready_store(settings, DatabaseRole.API) as store:
        if token_id is not None:
            return await withdraw_token(store, token_id)
        return await withdraw_token_by_prefix(store, mark + rest)
