"""Who is told of a rollback, and of what becomes of it."""

from collections.abc import Iterable

from windtunnel.domain.agents import Agent
from windtunnel.domain.viewers import Role
from windtunnel.operations.services import Services
from windtunnel.storage import people


async def concerned(services: Services, agent: Agent, more: Iterable[str] = ()) -> set[str]:
    """The agent's owner, the tenant's operators, and `more`."""
    return {agent.owner_id, *more} | await people.with_role(services.home.store, agent.tenant_id, Role.OPERATOR)
