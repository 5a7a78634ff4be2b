"""Packages in environments: uploaded, and simulated there as a worker does."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from tests.operations.care import now, tend_all
from tests.operations.environment_world import begun_in, conduct_in, stored_in
from tests.operations.world import demo
from tests.packages.world import FILES, package
from windtunnel.domain.environment_rules import LimitsRequest
from windtunnel.domain.environments import Environment
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.simulations import Simulation
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.places import in_environment
from windtunnel.operations.provision_environment import ProvisionRequest, provision_environment
from windtunnel.operations.services import Services
from windtunnel.operations.upload_package import upload_package
from windtunnel.storage import events

WELL = {"health.py": b"print('well')\n", "agent/__init__.py": b""}


async def uploaded(services: Services, viewer: Viewer, data: bytes) -> str:
    """The digest of a package that the viewer's tenant has now."""

    async def body() -> AsyncIterator[bytes]:
        yield data

    return (await upload_package(services, viewer, body())).digest


def mine(files: Mapping[str, bytes] = FILES, /, **changes: Any) -> bytes:
    """A package in the namespace of the demo's tenant."""
    return package(files, **({"name": "demo/triage"} | changes))


def agent(code: str, *tools: str, **changes: Any) -> bytes:
    """A package of one module, `agent.main`; its functions `tools` are declared as tools."""
    declared = [
        {"id": tool, "kind": "function", "ref": f"agent.main:{tool}", "sideEffects": "none", "scopes": []}
        for tool in tools
    ]
    files = WELL | {"agent/main.py": code.encode()}
    entry = {"kind": "python-module", "ref": "agent.main:run", "args": []}
    return mine(files, **({"entrypoint": entry, "tools": declared} | changes))


async def ready_for(services: Services, **limits: Any) -> Environment:
    """An environment of the demo's person that was made with these limits."""
    request = ProvisionRequest("try", None, LimitsRequest(**limits))
    asked = await provision_environment(services, await demo(services), request)
    await tend_all(services)
    return await now(services, asked)


async def simulated(services: Services, environment: Environment, data: bytes, **request: Any) -> Simulation:
    """A simulation of the package in the environment, at its end."""
    viewer = await demo(services)
    digest = await uploaded(services, viewer, data)
    simulation = await begun_in(services, viewer, environment, package_digest=digest, **request)
    await conduct_in(services, environment)
    ended = await stored_in(services, environment, simulation.id)
    assert ended
    return ended


async def told_in(services: Services, environment: Environment, simulation: Simulation) -> list[SimulationEvent]:
    """All that happened in it."""
    async with in_environment(services, environment) as place:
        return await events.read(place.store, simulation.tenant_id, simulation.id, 0, 100_000)


def tries(told: list[SimulationEvent]) -> list[tuple[str, str]]:
    """What of the package was tried, and what came of it."""
    return [
        (event.body["name"].removeprefix("package."), event.body["attributes"]["result"])
        for event in told
        if event.kind is EventKind.OBSERVABILITY and event.body["name"].startswith("package.")
    ]
