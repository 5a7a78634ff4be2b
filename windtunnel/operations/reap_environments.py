"""The reaper: things without an environment are removed, environments without their things have failed."""

import structlog

from windtunnel.domain.confinement import Limits
from windtunnel.domain.environments import Environment, Resource, ResourceKind, ResourceStatus
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.isolation import Isolation, IsolationLevel
from windtunnel.operations.clean_up import ORDER, WORDS
from windtunnel.operations.environment_parts import PARTS, Things, is_there, locator_of, make, remove, things
from windtunnel.operations.expiring import lose
from windtunnel.operations.places import key_of
from windtunnel.operations.services import Services
from windtunnel.sandbox.box import Sandbox
from windtunnel.storage import environment_times
from windtunnel.vault.sealing import UnsealError

NEEDED = (ResourceKind.DIRECTORY, ResourceKind.DATABASE)
"""What nobody can make anew when it is gone: things of people were in it."""

log = structlog.get_logger()


async def reap_environments(services: Services) -> int:
    """Look once in both directions; how many things and environments there was something to do about.

    Things whose environment is DELETED, or that never had one, are removed. An environment that stands, but not on its
    directory or its database any more, is FAILED; channels that a server has forgotten are made again.
    Raises UnavailableError, OSError.
    """
    found = await things(services)  # first: what is there now is on record before it is there
    return await _remove_orphans(services, found) + await _look_after_standing(services, found)


async def _remove_orphans(services: Services, found: Things) -> int:
    used = await environment_times.in_use(services.store, found.all)
    orphans = [namespace for namespace in found.all if namespace not in used]
    return sum([await _remove(services, namespace) for namespace in orphans])


async def _remove(services: Services, namespace: str) -> bool:
    log.warning("things without an environment are removed", namespace=namespace)
    await services.places.close(namespace)
    sandbox = Sandbox(
        services.environments_dir.absolute() / namespace / "sandbox", (), Limits(), Isolation(IsolationLevel.LOGICAL)
    )
    try:
        await sandbox.remove()
        for kind in ORDER:
            if kind in PARTS:
                await remove(services, namespace, _part(services, namespace, kind))
    except (UnavailableError, OSError, TimeoutError) as error:
        log.warning("things without an environment are left", namespace=namespace, reason=str(error))
        return False
    return True


async def _look_after_standing(services: Services, found: Things) -> int:
    done = 0
    for environment in await environment_times.standing(services.store):
        namespace = environment.namespace
        missing = [] if namespace in found.directories & found.databases else await _missing(services, environment)
        if missing:
            done += await lose(services, environment, " and ".join(f"its {WORDS[kind]}" for kind in missing))
        elif namespace not in found.channels:
            await _make_channels(services, environment)
    return done


async def _missing(services: Services, environment: Environment) -> list[ResourceKind]:
    """Looked for one by one: it may be younger than the list of all things."""
    parts = [_part(services, environment.namespace, kind) for kind in NEEDED]
    return [part.kind for part in parts if not await is_there(services, environment.namespace, part)]


async def _make_channels(services: Services, environment: Environment) -> None:
    try:
        await make(services, key_of(services, environment), ResourceKind.CHANNEL)
        if not await services.places.databases.exists(environment.namespace):  # it was taken away meanwhile
            await services.places.channels.remove(environment.namespace)
    except (UnavailableError, UnsealError) as error:
        log.warning("channels of environment not made again", environment_id=environment.id, reason=str(error))


def _part(services: Services, namespace: str, kind: ResourceKind) -> Resource:
    """A part as it would be on record."""
    locator = locator_of(services, namespace, kind)
    return Resource(PARTS[kind], kind, locator, ResourceStatus.CREATED, services.started_at)
