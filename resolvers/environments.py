"""Environments: reading them, what they are made of and what they have used; changing and following them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from resolvers.context import Context
from resolvers.simulations import check_after
from windtunnel.domain.environments import Environment, EnvironmentEvent, EnvironmentFilter, Resource, TotalUsage
from windtunnel.domain.ids import namespace_of
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.policy import ENVIRONMENTS_PER_TENANT
from windtunnel.domain.production import Drift, drift
from windtunnel.domain.simulations import Simulation
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.environment_simulations import environment_simulations
from windtunnel.operations.extend_environment import extend_environment
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.provision_environment import ProvisionRequest, provision_environment
from windtunnel.operations.refresh_environment import refresh_environment
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.operations.set_minimum_isolation import set_minimum_isolation
from windtunnel.operations.watch_environment import watch_environment
from windtunnel.storage import environment_totals
from windtunnel.storage import environments as stored


async def environment(context: Context, id: str | None) -> Environment | None:
    """The environment of the viewer's tenant, None when there is none."""
    loader = context.loaders.environments  # also without an id, only for the signed-in
    return None if id is None else await loader.load(id)


async def page(context: Context, request: PageRequest, wanted: EnvironmentFilter) -> Page[Environment]:
    """Environments, newest first, those that are gone included."""
    return await stored.page(context.services.store, context.tenant_id, request, wanted)


async def of_simulation(context: Context, id: str) -> Environment | None:
    """The environment in which the simulation lies, None when it lies in none."""
    namespace = namespace_of(id)
    return None if namespace is None else await context.loaders.environments_by_namespace.load(namespace)


async def simulations(context: Context, environment: Environment, request: PageRequest) -> Page[Simulation]:
    """Simulations in the environment, newest first."""
    return await environment_simulations(context.services, environment, request)


async def resources(context: Context, environment: Environment) -> Sequence[Resource]:
    """What the environment is or was made of."""
    return await context.loaders.environment_resources.load(environment.id) or ()


async def drifted(context: Context, environment: Environment) -> Sequence[Drift]:
    """Where the environment's copy of the configuration is not what production is now.

    Of one that is deleted nothing is left to be compared.
    """
    if environment.is_over or await matches(context, environment):
        return ()
    return drift(environment.snapshot, await context.loaders.production.load(context.tenant_id))


async def matches(context: Context, environment: Environment) -> bool:
    """Whether the environment's copy of the configuration is, or last was, what production is now."""
    production = await context.loaders.production.load(context.tenant_id)
    return environment.snapshot_digest == production.digest


async def now(context: Context) -> datetime:
    """The time by which environments live."""
    return await context.loaders.now.load(None)


async def total_usage(context: Context) -> TotalUsage:
    """What all environments of the viewer's tenant have used."""
    return await environment_totals.total_usage(context.services.store, context.tenant_id)


async def minimum_isolation(context: Context) -> IsolationLevel:
    """How well code must be kept in for any to run in environments of the viewer's tenant."""
    return await context.loaders.minimum_isolation.load(context.tenant_id)


async def allows_code(context: Context, environment: Environment) -> bool:
    """Whether code of packages may run in the environment, by what the tenant wants now."""
    report = environment.isolation
    return report is not None and report.level.suffices(await minimum_isolation(context))


async def quota(context: Context) -> tuple[int, int]:
    """How many environments the tenant may have at once, and how many it has."""
    return ENVIRONMENTS_PER_TENANT, await stored.count(context.services.store, context.tenant_id)


async def provision(context: Context, request: ProvisionRequest) -> Environment:
    """A new environment, which is being made."""
    return await provision_environment(context.services, context.signed_in(), request)


async def extend(context: Context, id: str, lifetime: timedelta, idempotency_key: str | None) -> Environment:
    """The environment with another end."""
    return await extend_environment(context.services, context.signed_in(), id, lifetime, idempotency_key)


async def pause(context: Context, id: str) -> Environment:
    """The environment, in which nothing runs."""
    return await pause_environment(context.services, context.signed_in(), id)


async def resume(context: Context, id: str) -> Environment:
    """The environment, in which things run again."""
    return await resume_environment(context.services, context.signed_in(), id)


async def refresh(context: Context, id: str, idempotency_key: str | None) -> Environment:
    """The environment with another copy of production's configuration."""
    return await refresh_environment(context.services, context.signed_in(), id, idempotency_key)


async def delete(context: Context, id: str) -> Environment:
    """The environment, which is being taken away."""
    return await delete_environment(context.services, context.signed_in(), id)


async def set_minimum(context: Context, minimum: IsolationLevel) -> None:
    """Say how well code must be kept in."""
    await set_minimum_isolation(context.services, context.signed_in(), minimum)


async def watch(context: Context, id: str, after: int | None) -> AsyncGenerator[EnvironmentEvent, None]:
    """Stored events after `after`, then live ones up to the last; None for `after`: live ones only."""
    check_after(after or 0)
    async with aclosing(watch_environment(context.services, context.signed_in(), id, after)) as events:
        async for event in events:
            yield event
