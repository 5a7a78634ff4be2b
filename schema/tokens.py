"""API tokens, and the roles of people."""

from datetime import datetime
from typing import Self

import strawberry

from resolvers import tokens, viewers
from schema.fields import resolved
from schema.ids import Kind, demand, encode
from schema.info import Info, given, optional
from schema.nodes import Node, finds
from schema.payloads import Payload
from schema.viewers import User
from windtunnel.domain import tokens as domain
from windtunnel.domain.viewers import Role
from windtunnel.operations.issue_api_token import TokenRequest
from windtunnel.operations.minting import Issued


@strawberry.type(description="What a person gives a program, so that it may act for them. Its secret is kept nowhere.")
class ApiToken(Node):
    """Shows `tokens.ApiToken`."""

    name: str = strawberry.field(description="What it is for.")
    prefix: str = strawberry.field(description="How its secret begins.")
    roles: list[Role] = strawberry.field(description="What it may do at most; never more than its person.")
    created_at: datetime = strawberry.field(description="When it was issued.")
    last_used_at: datetime | None = strawberry.field(description="When it was used last, to the minute.")
    expires_at: datetime | None = strawberry.field(description="When it ends by itself; null: never.")
    token: strawberry.Private[domain.ApiToken]

    @resolved("Whom it signs in.")
    async def user(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.token.user_id))

    @resolved("Who issued it; for the rules they count as that person, too.")
    async def issued_by(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.token.issued_by))

    @classmethod
    def of(cls, token: domain.ApiToken) -> Self:
        """The token as data; roles in the order in which Role lists them."""
        return cls(
            id=encode(Kind.API_TOKEN, token.id),
            name=token.name,
            prefix=token.prefix,
            roles=[role for role in Role if role in token.roles],
            created_at=token.created_at,
            last_used_at=token.last_used_at,
            expires_at=token.expires_at,
            token=token,
        )


@finds(Kind.API_TOKEN)
async def token_of(info: Info, raw: str) -> ApiToken | None:
    """The token of the viewer's tenant with this stored id."""
    found = await tokens.token(info.context, raw)
    return optional(ApiToken.of, found)


@strawberry.input(description="Which token to issue, and for whom.")
class IssueApiTokenInput:
    """The input of `issueApiToken`."""

    name: str = strawberry.field(description="What it is for, in 1 to 100 characters.")
    roles: list[Role] = strawberry.field(description="What it may do; at most what its person may.")
    expires_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it is to end by itself; never when absent."
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Whom it is to sign in; you when absent."
    )
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same key and input give the first token again, for 24 hours, but not its secret.",
    )

    def request(self) -> TokenRequest:
        """The input as plain values; NotFoundError for an id that cannot name a person."""
        user_id = given(self.user_id)
        return TokenRequest(
            name=self.name,
            roles=self.roles,
            expires_at=given(self.expires_at),
            user_id=None if user_id is None else demand(Kind.USER, user_id, ("input", "user_id")),
        )


@strawberry.type(description="Outcome of `issueApiToken`.")
class IssueApiTokenPayload(Payload):
    """The token and its secret, or why there is none."""

    token: ApiToken | None = strawberry.field(default=None, description="The token.")
    secret: str | None = strawberry.field(
        default=None, description="What to send as `Authorization: Bearer TOKEN`. Shown once: keep it now."
    )

    @classmethod
    def of(cls, issued: Issued) -> Self:
        """The token as data, with its secret the first time."""
        return cls(token=ApiToken.of(issued.token), secret=issued.secret)


@strawberry.input(description="Which token to take back.")
class RevokeApiTokenInput:
    """The input of `revokeApiToken`."""

    token_id: strawberry.ID = strawberry.field(description="A token of the tenant.")


@strawberry.type(description="Outcome of `revokeApiToken`.")
class RevokeApiTokenPayload(Payload):
    """The id, or why nothing was revoked."""

    revoked_id: strawberry.ID | None = strawberry.field(
        default=None, description="Id of the token, which signs nobody in any longer."
    )


@strawberry.input(description="Whose roles to set.")
class SetMemberRolesInput:
    """The input of `setMemberRoles`."""

    email: str = strawberry.field(description="The person's e-mail address; they are added when unknown.")
    roles: list[Role] = strawberry.field(description="All that they may do from now on; none takes everything away.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="The same key and input give the first result again, for 24 hours."
    )


@strawberry.type(description="Outcome of `setMemberRoles`.")
class SetMemberRolesPayload(Payload):
    """The person, or why their roles are as before."""

    user: User | None = strawberry.field(default=None, description="The person.")
