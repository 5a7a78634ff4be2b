"""Where somebody simulates: at home or in an environment, which must let them in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from windtunnel.domain.environment_rules import demand, not_found
from windtunnel.domain.environments import USABLE_STATUSES, Environment, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, NotFoundError, QuotaError, UnavailableError
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.environment_storage import StorageFullError, check_storage
from windtunnel.operations.places import in_environment
from windtunnel.operations.services import Services
from windtunnel.storage import environments
from windtunnel.storage.environment_life import locked
from windtunnel.storage.environment_turns import lock_work, raise_work
from windtunnel.storage.residents import ensure_resident

PATH = ("input", "environment_id")
_READY = frozenset({EnvironmentStatus.READY})


@asynccontextmanager
async def entered(services: Services, viewer: Viewer, environment_id: str | None) -> AsyncIterator[Services]:
    """The services at home, or of the environment with this id.

    Raises NotFoundError, ConflictError (ENVIRONMENT_EXPIRED) and UnavailableError; also when the environment ends while
    somebody is in it.
    """
    home = services.home
    if environment_id is None:
        yield home
        return
    found = await environments.get(home.store, viewer.tenant_id, environment_id)
    try:
        async with in_environment(
            home, _checked(found, environment_id, await home.store.now(), USABLE_STATUSES)
        ) as place:
            yield place
    except UnavailableError:
        current = await environments.get(home.store, viewer.tenant_id, environment_id)
        _checked(current, environment_id, await home.store.now(), USABLE_STATUSES)
        raise


async def let_in(place: Services, viewer: Viewer) -> None:
    """Inside the transactions in which something begins in the environment: it may, and workers will look for it.

    Until these end the environment stays as it is. Raises ConflictError (ENVIRONMENT_EXPIRED, ENVIRONMENT_PAUSED) and
    QuotaError for one that is full. At home nothing has to be asked.
    """
    if place.environment is None:
        return
    tenant_id, home = viewer.tenant_id, place.home.store
    await lock_work(place.store)
    found = await locked(home, tenant_id, place.environment.id)
    current = _checked(found, place.environment.id, await home.now(), _READY)
    try:
        await check_storage(place)
    except StorageFullError as full:
        more = f"{full} Provision one with more, or delete scenarios in this one."
        raise QuotaError(more, limit=full.limit_mb, used=full.used_mb, path=PATH) from None
    await raise_work(home, tenant_id, current.id)
    await ensure_resident(place.store, tenant_id, viewer.user.id)


async def in_use(home: Services, tenant_id: str, environment_id: str) -> Environment:
    """Inside a transaction at home: the environment, READY until it ends. Raises NotFoundError, ConflictError."""
    found = await locked(home.store, tenant_id, environment_id)
    return _checked(found, environment_id, await home.store.now(), _READY)


def _checked(
    found: Environment | None, environment_id: str, now: datetime, statuses: frozenset[EnvironmentStatus]
) -> Environment:
    """The environment, unless there is none, or it is in none of these states."""
    try:
        if found is None:
            raise not_found(environment_id)
        demand(found, now, statuses)
    except (ConflictError, NotFoundError) as refusal:
        refusal.path = PATH
        raise
    return found
