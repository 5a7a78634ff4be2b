"""Who works with an agent right now, at home and in the tenant's environments: whom a rollback has to tell."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import structlog

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import Environment, EnvironmentFilter, EnvironmentStatus
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.policy import ENVIRONMENTS_PER_TENANT
from windtunnel.operations.places import in_environment
from windtunnel.operations.services import Services
from windtunnel.storage import environments, workflows
from windtunnel.storage.workflows import RunningSimulation

LOOK_WITHIN_S = 1.0
"""A rollback does not wait for an environment that does not answer."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Workflows:
    """Global ids of simulations that run with the agent's packages and of people who follow production.

    `people` are those, and whoever began one of the simulations, by their stored ids.
    """

    ids: tuple[str, ...]
    people: frozenset[str]


async def active_workflows(services: Services, tenant_id: str, agent_id: str) -> Workflows:
    """Whom to tell of a rollback of the agent. What cannot be looked into in a moment is left out."""
    store = services.home.store
    digests = await workflows.digests_of(store, tenant_id, agent_id)
    if not digests:
        return Workflows((), frozenset())
    simulations = [
        *await workflows.running_simulations(store, tenant_id, digests),
        *await _in_environments(services, tenant_id, digests),
    ]
    followers = await workflows.followers(store, tenant_id, agent_id)
    return Workflows(
        (
            *_global(Kind.SIMULATION, (simulation.id for simulation in simulations)),
            *_global(Kind.USER, followers),
        ),
        frozenset(followers) | {simulation.created_by for simulation in simulations},
    )


async def _in_environments(services: Services, tenant_id: str, digests: Collection[str]) -> list[RunningSimulation]:
    page = await environments.page(
        services.home.store,
        tenant_id,
        PageRequest(limit=ENVIRONMENTS_PER_TENANT, counted=False),
        EnvironmentFilter(statuses=frozenset({EnvironmentStatus.READY})),
    )
    found = await asyncio.gather(*(_in_one(services, environment, digests) for environment in page.items))
    return [simulation for each in found for simulation in each]


async def _in_one(services: Services, environment: Environment, digests: Collection[str]) -> list[RunningSimulation]:
    try:
        async with asyncio.timeout(LOOK_WITHIN_S), in_environment(services, environment) as place:
            return await workflows.running_simulations(place.store, environment.tenant_id, digests)
    except (UnavailableError, TimeoutError) as error:
        log.warning("an environment was not asked what runs in it", environment_id=environment.id, reason=str(error))
        return []


def _global(kind: Kind, ids: Iterable[str]) -> list[str]:
    return [Subject(kind, each).global_id for each in ids]
