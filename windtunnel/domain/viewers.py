"""Who is asking: a person of one tenant, with roles."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do in a tenant."""

    DEVELOPER = "DEVELOPER"
    SECURITY_REVIEWER = "SECURITY_REVIEWER"
    OPERATOR = "OPERATOR"
    AUDITOR = "AUDITOR"
    ADMIN = "ADMIN"


NO_ROLE = "You have no role in this tenant, or your token has none. Ask an ADMIN of the tenant for one."
"""Why somebody who is known is not let in."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """The unit of isolation: every row belongs to one, every query names one."""

    id: str
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class User:
    """A person of one tenant."""

    id: str
    tenant_id: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever is asking in this request, by which token if by one of ours; logs and audit know it by `request_id`."""

    user: User
    tenant: Tenant
    roles: frozenset[Role]
    token_id: str | None = None
    request_id: str = ""

    @property
    def tenant_id(self) -> str:
        """The one tenant that this viewer can see."""
        return self.tenant.id
