"""Where things lie: at home, or in an environment, with a database and a bus of its own.

    async with place_of(services, viewer.tenant_id, simulation_id) as place:
        if place is None:
            raise not_found(simulation_id)
        await simulations.get(place.store, viewer.tenant_id, simulation_id)

A change in an environment that is also put on record at home takes two transactions, `both`: what is on record is
committed first, so that nothing ever happens without being on record.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import structlog

from windtunnel.domain.environments import USABLE_STATUSES, Environment, EnvironmentKey
from windtunnel.domain.errors import NotFoundError, UnavailableError
from windtunnel.domain.ids import namespace_of
from windtunnel.operations.services import Services
from windtunnel.storage import environments
from windtunnel.storage.store import Store
from windtunnel.vault.sealing import UnsealError

T = TypeVar("T")

log = structlog.get_logger()


@asynccontextmanager
async def in_environment(services: Services, environment: Environment) -> AsyncIterator[Services]:
    """The services of an environment, whatever its status. Raises UnavailableError when they cannot be opened."""
    home = services.home
    try:
        key = key_of(home, environment)
    except UnsealError as error:
        log.warning("environment not opened", namespace=environment.namespace, reason=str(error))
        raise UnavailableError(
            "The environment cannot be opened: what opens it cannot be read any more. Delete it, and provision another."
        ) from error
    async with home.places.opened(key) as opened:
        yield replace(home, store=opened.store, hub=opened.hub, environment=environment, at_home=home)


def held(place: Services) -> Callable[[], None]:
    """Keep what `place` works with open for a job that goes on after whoever began it; call the returned at its end."""
    return place.places.hold(place.environment.namespace) if place.environment else _nothing


@asynccontextmanager
async def place_of(services: Services, tenant_id: str, id: str) -> AsyncIterator[Services | None]:
    """The services where the thing with this id lies, if there is one.

    None when it would be in an environment that is not the tenant's, or cannot be looked into (any more). Raises
    NotFoundError when the environment ends while somebody is in it, UnavailableError.
    """
    namespace = namespace_of(id)
    if namespace is None:
        yield services.home
        return
    found = (await _usable(services, tenant_id, [namespace])).get(namespace)
    if found is None:
        yield None
        return
    try:
        async with in_environment(services, found) as place:
            yield place
    except UnavailableError:
        if await _usable(services, tenant_id, [namespace]):
            raise
        raise NotFoundError("It was in an environment that has ended.", resource_id=id) from None


async def gathered(
    services: Services,
    tenant_id: str,
    ids: Iterable[str],
    load: Callable[[Store, list[str]], Awaitable[Mapping[str, T]]],
) -> dict[str, T]:
    """What `load` finds of the ids, each where it lies: one statement at home, and one for each environment."""
    groups: dict[str | None, list[str]] = {}
    for each in ids:
        groups.setdefault(namespace_of(each), []).append(each)
    found: dict[str, T] = {}
    if at_home := groups.pop(None, None):
        found.update(await load(services.home.store, at_home))
    namespaces = [namespace for namespace in groups if namespace]
    for namespace, environment in (await _usable(services, tenant_id, namespaces)).items():
        try:
            async with in_environment(services, environment) as place:
                found.update(await load(place.store, groups[namespace]))
        except UnavailableError:
            if await _usable(services, tenant_id, [namespace]):
                raise
    return found


@asynccontextmanager
async def both(services: Services, tenant_id: str) -> AsyncIterator[None]:
    """A transaction where the services are, and around it ends one at home: the latter is committed first."""
    async with services.store.transaction(tenant_id), services.home.store.transaction(tenant_id):
        yield


def key_of(services: Services, environment: Environment) -> EnvironmentKey:
    """What opens the environment's database and channels. Raises UnsealError."""
    sealed = environment.sealed_password
    password = services.vault.unseal(sealed, place_of_password(environment.tenant_id, environment.id)) if sealed else ""
    return EnvironmentKey(environment.namespace, password)


def place_of_password(tenant_id: str, environment_id: str) -> tuple[str, ...]:
    """Where the sealed password of an environment belongs: anywhere else it is worth nothing."""
    return ("environments", tenant_id, environment_id)


def _nothing() -> None:
    """At home everything stays open for as long as the process lives."""


async def _usable(services: Services, tenant_id: str, namespaces: Sequence[str]) -> dict[str, Environment]:
    """Those of the tenant's environments that can be looked into now, by namespace."""
    found = await environments.of_namespaces(services.home.store, tenant_id, namespaces)
    return {namespace: each for namespace, each in found.items() if each.status in USABLE_STATUSES}
