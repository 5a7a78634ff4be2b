"""Who is told of a rollback, and of what it holds back."""

from collections.abc import Iterable

from windtunnel.domain.agents import Agent
from windtunnel.domain.viewers import Role
from windtunnel.operations.services import Services
from windtunnel.storage import people


async def concerned(services: Services, agent: Agent, more: Iterable[str] = (), *, page: bool = False) -> set[str]:
    """The agent's owner, the tenant's operators, and `more`; with `page` the administrators, too."""
    roles = (Role.OPERATOR, Role.ADMIN) if page else (Role.OPERATOR,)
    found = {agent.owner_id, *more}
    for role in roles:
        found |= await people.with_role(services.home.store, agent.tenant_id, role)
    return found
