"""Whoever is calling: their tenant, their roles, their quotas, and the tokens that they look after."""

from datetime import timedelta
from typing import Self

import strawberry

from resolvers import environments, notifications, tokens, viewers
from schema.fields import resolved, restricted
from schema.info import Info
from schema.tokens import ApiToken
from schema.viewers import Tenant, User
from windtunnel.domain import viewers as domain
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import (
    ARCHITECTURE_MAX_AGENTS,
    ENVIRONMENT_MAX_LIFETIME_S,
    SCENARIO_MAX_CHARS,
    VERSIONS_PER_AGENT,
)
from windtunnel.domain.viewers import Role


@strawberry.type(description="How much of something there may be at once.")
class Quota:
    """A limit and what is left of it."""

    limit: int = strawberry.field(description="How many there may be.")
    used: int = strawberry.field(description="How many there are now.")
    remaining: int = strawberry.field(description="How many more there may be.")

    @classmethod
    def of(cls, limit: int, used: int) -> Self:
        """`used` of `limit` are taken."""
        return cls(limit=limit, used=used, remaining=max(0, limit - used))


@strawberry.type(description="What the viewer's tenant may use, and how much of it is in use.")
class Quotas:
    """The numbers of `policy.py`, with what is in use."""

    versions_per_agent: int = strawberry.field(description="Versions of one agent that are retained.")
    scenario_max_chars: int = strawberry.field(description="Longest scenario, in characters.")
    architecture_max_agents: int = strawberry.field(description="Most agents in one architecture.")
    environment_max_lifetime: timedelta = strawberry.field(description="Longest lifetime of an environment.")

    @resolved("Environments that are not deleted.")
    async def environments(self, info: Info) -> Quota:
        """Counted when asked for."""
        limit, used = await environments.quota(info.context)
        return Quota.of(limit, used)

    @resolved("Simulations running at once; more are queued, not lost.")
    async def simulations_running(self, info: Info) -> Quota:
        """Counted when asked for."""
        limit, used = await viewers.simulations_running(info.context)
        return Quota.of(limit, used)

    @classmethod
    def now(cls) -> Self:
        """The limits in force."""
        return cls(
            versions_per_agent=VERSIONS_PER_AGENT,
            scenario_max_chars=SCENARIO_MAX_CHARS,
            architecture_max_agents=ARCHITECTURE_MAX_AGENTS,
            environment_max_lifetime=timedelta(seconds=ENVIRONMENT_MAX_LIFETIME_S),
        )


@strawberry.type(description="Whoever is calling.")
class Viewer:
    """Shows `viewers.Viewer`."""

    user: User = strawberry.field(description="The person.")
    tenant: Tenant = strawberry.field(description="The one tenant that they see.")
    roles: list[Role] = strawberry.field(description="What they may do in it.")
    quotas: Quotas = strawberry.field(description="What the tenant may use.")

    @resolved("How many notifications the viewer has not marked as read.")
    async def unread_notifications(self, info: Info) -> int:
        """Counted when asked for."""
        return await notifications.unread(info.context)

    @restricted(Action.READ_API_TOKENS, "The tenant's tokens that can be used now, newest first.")
    async def api_tokens(self, info: Info) -> list[ApiToken] | None:
        """At most as many as a tenant may have."""
        return [ApiToken.of(token) for token in await tokens.valid(info.context)]

    @classmethod
    def of(cls, viewer: domain.Viewer) -> Self:
        """The viewer as data; roles in the order in which Role lists them."""
        return cls(
            user=User.of(viewer.user),
            tenant=Tenant.of(viewer.tenant),
            roles=[role for role in Role if role in viewer.roles],
            quotas=Quotas.now(),
        )
