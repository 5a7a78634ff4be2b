"""API tokens and the roles of people: reading, issuing, revoking, setting."""

from collections.abc import Collection

from resolvers.context import Context
from windtunnel.domain.permissions import ALLOWED, Action
from windtunnel.domain.tokens import ApiToken
from windtunnel.domain.viewers import Role, User
from windtunnel.operations.issue_api_token import TokenRequest, issue_api_token
from windtunnel.operations.minting import Issued
from windtunnel.operations.read_api_tokens import read_api_tokens
from windtunnel.operations.revoke_api_token import revoke_api_token
from windtunnel.operations.set_member_roles import set_member_roles


async def token(context: Context, id: str) -> ApiToken | None:
    """The token of the viewer's tenant, None when there is none that they may see: only some roles see any."""
    if not context.signed_in().roles & ALLOWED[Action.READ_API_TOKENS]:
        return None
    return await context.loaders.tokens.load(id)


async def valid(context: Context) -> list[ApiToken]:
    """The tenant's tokens that can be used now, newest first."""
    return await read_api_tokens(context.services, context.signed_in())


async def issue(context: Context, request: TokenRequest, idempotency_key: str | None) -> Issued:
    """A new token with its secret."""
    return await issue_api_token(context.services, context.signed_in(), request, idempotency_key)


async def revoke(context: Context, id: str) -> str:
    """The id of the token that signs nobody in any longer."""
    return await revoke_api_token(context.services, context.signed_in(), id)


async def set_roles(context: Context, email: str, roles: Collection[Role], idempotency_key: str | None) -> User:
    """The person, who has exactly these roles now."""
    return await set_member_roles(context.services, context.signed_in(), email, roles, idempotency_key)
