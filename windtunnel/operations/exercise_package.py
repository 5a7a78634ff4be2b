"""Exercising a package: before a simulation of it in an environment, its own code is run in the sandbox there.

Where that may not be, at home or below the isolation that the tenant wants, the simulation says so and goes on.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from windtunnel.domain.environments import Environment
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.exercises import Call, Exercise
from windtunnel.domain.production import Snapshot
from windtunnel.domain.simulations import Simulation
from windtunnel.operations.environment_packages import EnvironmentEndingError, put_package
from windtunnel.operations.package_calls import Trial, try_all, wall_of
from windtunnel.operations.read_package import manifest_of
from windtunnel.operations.sandboxes import MIB, isolation_of, sandbox_of
from windtunnel.operations.services import Services
from windtunnel.packages.manifest import Manifest
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.errors import SandboxError
from windtunnel.storage import environment_usage, scenarios, tenants
from windtunnel.streams.listener import Listener

AT_HOME = "No code of the package is run outside of an environment."
LOOK_EVERY_S = 1.0
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


async def exercise_package(
    services: Services, simulation: Simulation, bell: Listener[Any], is_ours: Callable[[], Awaitable[bool]]
) -> Exercise | None:
    """What came of the package's own code; None when the simulation is ours no more: what ran is ended then.

    `bell` rings when something was done to the simulation. Raises StorageFullError, UnavailableError: it can be tried
    again later.
    """
    environment = services.environment
    if environment is None:
        return Exercise(reason=AT_HOME)
    if reason := await _why_not(services, environment):
        return Exercise(reason=reason)
    calls: list[Call] = []
    trying = asyncio.create_task(_try(services, environment, simulation, calls), name=f"exercise {simulation.id}")
    try:
        while not await _ended(trying, bell):
            if not await is_ours():
                return None
        return await trying
    except EnvironmentEndingError:
        return None
    finally:
        if not trying.done():
            trying.cancel()
            await asyncio.gather(trying, return_exceptions=True)
            await _count(services, environment, calls)


async def _ended(trying: "asyncio.Task[Exercise]", bell: Listener[Any]) -> bool:
    """Wait for its end, a ring, or a moment; whether it was the end. Raises UnavailableError at shutdown."""
    ring = asyncio.create_task(bell.wait())
    try:
        await asyncio.wait([trying, ring], timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ring.cancel()
        await asyncio.wait([ring])
    if not ring.cancelled():
        ring.result()
    return trying.done()


async def _why_not(services: Services, environment: Environment) -> str | None:
    """Why no code may run there, if it may not."""
    minimum = await tenants.minimum_isolation(services.home.store, environment.tenant_id)
    level = (await isolation_of(services)).level
    if level.suffices(minimum):
        return None
    return f"No code of the package is run here: isolation is {level}, and your tenant wants {minimum} for that."


async def _try(services: Services, environment: Environment, simulation: Simulation, calls: list[Call]) -> Exercise:
    digest = simulation.package_digest or ""
    manifest = await manifest_of(services, digest)
    directory = await put_package(services, environment, digest)
    sandbox = await sandbox_of(services, environment, directory, wall_s=wall_of(manifest))
    trial = Trial(
        sandbox=_narrowed(sandbox, manifest),
        directory=directory,
        manifest=manifest,
        words=await _words(services, simulation),
        seed=simulation.seed,
        variables=_variables(environment.snapshot),
    )
    turn = partial(services.code_host.turn, environment.tenant_id)
    try:
        await try_all(trial, turn, calls)
    except SandboxError as error:
        if error.step == "isolation":
            return Exercise(reason=f"No code of the package is run here: {error.reason}.")
        raise UnavailableError("The sandbox of the environment cannot be used right now.") from error
    return Exercise(tuple(calls))


async def _words(services: Services, simulation: Simulation) -> str:
    wanted = simulation.scenario_id or ""
    found = (await scenarios.get_many(services.store, simulation.tenant_id, [wanted])).get(wanted)
    return found.text if found else ""


def _narrowed(sandbox: Sandbox, manifest: Manifest) -> Sandbox:
    """With the limits of the package, where they are narrower than the environment's."""
    if manifest.limits is None:
        return sandbox
    memory, cpu = manifest.limits.memory_mib, manifest.limits.cpu_seconds
    limits = sandbox.limits
    return replace(
        sandbox,
        limits=replace(
            limits,
            memory_bytes=min(limits.memory_bytes, memory * MIB if memory else limits.memory_bytes),
            cpu_s=min(limits.cpu_s, cpu or limits.cpu_s),
        ),
    )


def _variables(snapshot: Snapshot) -> Mapping[str, str]:
    """The configuration, as far as it is in clear and can be a variable. Secrets are not there."""
    return {
        entry.key: entry.value
        for entry in snapshot.entries
        if entry.value is not None and _VARIABLE.fullmatch(entry.key) and "\0" not in entry.value
    }


async def _count(services: Services, environment: Environment, calls: list[Call]) -> None:
    """What was used is used, although nothing came of it."""
    with suppress(UnavailableError):
        await environment_usage.add(
            services.home.store, environment.tenant_id, environment.id, cpu_ms=Exercise(tuple(calls)).cpu_ms
        )
