"""Environments: reading them, what they are made of and what they have used."""

from collections.abc import Sequence
from datetime import datetime

from resolvers.context import Context
from windtunnel.domain.environments import Environment, EnvironmentFilter, Resource, TotalUsage
from windtunnel.domain.ids import namespace_of
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.policy import ENVIRONMENTS_PER_TENANT
from windtunnel.domain.production import Drift, drift
from windtunnel.domain.simulations import Simulation
from windtunnel.operations.environment_simulations import environment_simulations
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
