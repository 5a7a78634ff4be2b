"""People and their tenants."""

from typing import Self

import strawberry

from resolvers import environments, viewers
from schema.environment_parts import EnvironmentUsage
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, optional
from schema.nodes import Node, finds
from windtunnel.domain import viewers as domain
from windtunnel.domain.isolation import IsolationLevel


@strawberry.type(description="A person of one tenant.")
class User(Node):
    """Shows `viewers.User`."""

    name: str = strawberry.field(description="How to call them.")
    email: str | None = strawberry.field(description="Their e-mail address, where known.")

    @classmethod
    def of(cls, user: domain.User) -> Self:
        """The person as data."""
        return cls(id=encode(Kind.USER, user.id), name=user.name, email=user.email)


@strawberry.type(description="The unit of isolation: everything belongs to one tenant and is seen by no other.")
class Tenant(Node):
    """Shows `viewers.Tenant`."""

    name: str = strawberry.field(description="How to call it.")
    slug: str = strawberry.field(description="Its short name in commands and claims.")

    @resolved("How well code of packages must be kept in for any to run in environments; see `setMinimumIsolation`.")
    async def minimum_isolation(self, info: Info) -> IsolationLevel:
        """Read when asked for."""
        return await environments.minimum_isolation(info.context)

    @resolved("What all environments that there ever were have used together.")
    async def environment_usage(self, info: Info) -> EnvironmentUsage:
        """Added up when asked for."""
        total = await environments.total_usage(info.context)
        return EnvironmentUsage.of(total.used, total.existed)

    @classmethod
    def of(cls, tenant: domain.Tenant) -> Self:
        """The tenant as data."""
        return cls(id=encode(Kind.TENANT, tenant.id), name=tenant.name, slug=tenant.slug)


@finds(Kind.USER)
async def user_of(info: Info, raw: str) -> User | None:
    """The person of the viewer's tenant with this stored id."""
    found = await viewers.person(info.context, raw)
    return optional(User.of, found)


@finds(Kind.TENANT)
async def tenant_of(info: Info, raw: str) -> Tenant | None:
    """The viewer's tenant, if this is its stored id."""
    tenant = viewers.viewer(info.context).tenant
    return Tenant.of(tenant) if raw == tenant.id else None
