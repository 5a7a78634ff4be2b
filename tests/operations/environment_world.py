"""Environments to simulate in: made as a caretaker makes them, by hand, and ready at once."""

import secrets
from typing import Any

from tests.operations.world import TEXT
from tests.storage import environment_worlds
from windtunnel.domain.environments import Environment, EnvironmentLimits
from windtunnel.domain.ids import new_id
from windtunnel.domain.simulations import Simulation, SimulationStage
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.claiming_runs import claim_runs
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.places import in_environment, key_of, place_of_password
from windtunnel.operations.requests import SimulateRequest
from windtunnel.operations.services import Services
from windtunnel.operations.simulate import simulate
from windtunnel.storage import simulations


async def opened_environment(
    services: Services, viewer: Viewer, *, limits: EnvironmentLimits | None = None, **given: Any
) -> Environment:
    """An environment of the viewer's that is READY, with its database and channels."""
    id = new_id()  # noqa: A001
    sealed = services.vault.seal(secrets.token_hex(32), place_of_password(viewer.tenant_id, id))
    environment = await environment_worlds.ready(
        services.store, viewer, id=id, sealed_password=sealed, limits=limits or EnvironmentLimits(), **given
    )
    key = key_of(services, environment)
    (services.environments_dir / environment.namespace).mkdir(parents=True, mode=0o700)
    await services.places.databases.create(key)
    await services.places.channels.create(key)
    return environment


async def begun_in(services: Services, viewer: Viewer, environment: Environment, **request: Any) -> Simulation:
    """A simulation that waits for a worker in the environment."""
    usual: dict[str, Any] = {"text": TEXT, "seed": 11, "wait_for": SimulationStage.PLANNED}
    if {"scenario_id", "architecture_id"} & request.keys():
        del usual["text"]
    return await simulate(services, viewer, SimulateRequest(**usual | {"environment_id": environment.id} | request))


async def conduct_in(services: Services, environment: Environment, owner: str = "conductor") -> int:
    """Do what a worker does there, until nothing can be claimed; how many simulations that were."""
    conducted = 0
    async with in_environment(services, await environment_worlds.stored(services.store, environment)) as place:
        while claimed := await claim_runs(place, owner, 100):
            for simulation in claimed:
                await conduct_simulation(place, simulation)
            conducted += len(claimed)
    return conducted


async def stored_in(services: Services, environment: Environment, simulation_id: str) -> Simulation | None:
    """The simulation as it lies in the environment, whoever asks."""
    async with in_environment(services, environment) as place:
        return await simulations.get(place.store, environment.tenant_id, simulation_id)
