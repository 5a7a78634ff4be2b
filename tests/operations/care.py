"""Environments in tests: asked for, tended until nothing is due, and searched for when they are gone."""

import asyncio
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from tests.operations.world import demo
from windtunnel.domain.audit import AuditEntry
from windtunnel.domain.environments import Environment, EnvironmentEvent, EnvironmentStatus, Resource
from windtunnel.domain.policy import LEASE_MS
from windtunnel.operations.environment_parts import things
from windtunnel.operations.expiring import come_due
from windtunnel.operations.provision_environment import ProvisionRequest, provision_environment
from windtunnel.operations.services import Services
from windtunnel.operations.tend_environment import tend_environment
from windtunnel.storage import audit, environment_care, environment_events, environment_resources, environment_times
from windtunnel.storage import environments as stored_environments
from windtunnel.storage.environment_times import Due

LEASE_OVER = timedelta(milliseconds=LEASE_MS + 1)


async def asked(services: Services, name: str = "try", lifetime: timedelta | None = None) -> Environment:
    """An environment that the demo's person has just asked for."""
    return await provision_environment(services, await demo(services), ProvisionRequest(name, lifetime))


async def tend_all(services: Services, owner: str = "caretaker") -> None:
    """Do what a caretaker does, until nothing is due any more."""
    while due := await environment_times.due(services.store):
        for each in due:
            if each.due is not Due.TO_DO:
                await come_due(services, each)
        for environment in await environment_care.claim(services.store, owner, 100):
            await tend_environment(services, environment)


async def ready(services: Services, name: str = "try", lifetime: timedelta | None = None) -> Environment:
    """An environment that is there."""
    environment = await asked(services, name, lifetime)
    await tend_all(services)
    environment = await now(services, environment)
    assert environment.status is EnvironmentStatus.READY, environment.failure
    return environment


async def now(services: Services, environment: Environment) -> Environment:
    found = await stored_environments.get(services.store, environment.tenant_id, environment.id)
    assert found is not None
    return found


async def told(services: Services, environment: Environment) -> list[EnvironmentEvent]:
    return await environment_events.read(services.store, environment.tenant_id, environment.id)


async def resources(services: Services, environment: Environment) -> list[Resource]:
    found = await environment_resources.of_environments(services.store, environment.tenant_id, [environment.id])
    return found[environment.id]


async def entries(services: Services, environment: Environment) -> list[AuditEntry]:
    """What is on record of it."""
    every = await audit.read(services.store, environment.tenant_id, 0, 1_000)
    return [each for each in every if each.subject_id == environment.id]


async def left_of(services: Services, environment: Environment) -> list[str]:
    """Whatever names the environment: files, databases, channels, processes. Its rows at home do not count."""
    found = await things(services)
    namespace = environment.namespace
    left = [f"{what} {name}" for what in ("directories", "databases", "channels") for name in getattr(found, what)]
    # Unlike `rglob`, it goes on where another environment goes while it looks.
    folders = list(os.walk(services.environments_dir))
    files = [f"{folder}/{name}" for folder, inner, names in folders for name in inner + names]
    return [each for each in left + files if namespace in each] + await _processes_left(namespace)


async def _processes_left(word: str) -> list[str]:
    """A process of a database's server is there for a moment longer than its session."""
    for _ in range(100):
        if not processes_with(word):
            return []
        await asyncio.sleep(0)
    return processes_with(word)


def processes_with(word: str) -> list[str]:
    """The processes that say the word: in how they were called, in their variables, in where they are."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = [(process / name).read_bytes() for name in ("cmdline", "environ")]
            if word.encode() in b"".join(told) or word in str((process / "cwd").readlink()):
                found.append(str(process))
    return found
