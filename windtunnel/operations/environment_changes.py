"""What people do to environments, the parts that all of it has in common: look, refuse, tell."""

from collections.abc import Collection
from datetime import timedelta

from windtunnel.domain.environment_rules import check_extension, demand, not_found
from windtunnel.domain.environments import Environment, EnvironmentEvent, EnvironmentEventDraft, EnvironmentStatus
from windtunnel.domain.errors import ConflictError
from windtunnel.operations.announce import announce_environment
from windtunnel.operations.services import Services
from windtunnel.storage import environment_life, environments

Changed = tuple[Environment, EnvironmentEvent | None]
"""The environment as it is then, and what those who follow it are told; None when there is nothing to tell."""

MADE = 1.0
"""The progress of an environment that is there, whatever happens to it then."""


async def locked(services: Services, tenant_id: str, environment_id: str) -> Environment:
    """Inside a transaction: the environment, which nobody else changes until the end. Raises NotFoundError."""
    found = await environment_life.locked(services.home.store, tenant_id, environment_id)
    if found is None:
        raise not_found(environment_id)
    return found


async def current(services: Services, tenant_id: str, environment_id: str) -> Environment:
    """The environment as it is now. Raises NotFoundError."""
    found = await environments.get(services.home.store, tenant_id, environment_id)
    if found is None:
        raise not_found(environment_id)
    return found


def happened(environment: Environment, step: str, message: str) -> EnvironmentEventDraft:
    """What is told of a change that leaves the status as it is."""
    return EnvironmentEventDraft(environment.status, step, message, MADE)


async def refusal(
    services: Services,
    before: Environment,
    statuses: Collection[EnvironmentStatus],
    lifetime: timedelta | None = None,
) -> ConflictError:
    """Raises why a change of `before`, which is locked, missed; the last resort is the answer.

    Time only goes on: what the statement refused a moment ago is refused now.
    """
    now = await services.home.store.now()
    demand(before, now, statuses)
    if lifetime is not None:
        check_extension(before, lifetime, now)
    return ConflictError(
        "The environment was changed meanwhile. Look at what it is now and ask again.", current=before.status.value
    )


async def tell(services: Services, changed: Changed) -> Environment:
    """After the commit: announce what happened; the environment."""
    environment, event = changed
    if event is not None:
        await announce_environment(services.home.bus, environment.id, [event])
    return environment
