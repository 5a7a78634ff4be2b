"""Packages in environments: each is unpacked there when it is first needed, read-only, under its digest."""

import asyncio
from pathlib import Path

import structlog

from windtunnel.domain.environments import Environment, ResourceKind
from windtunnel.domain.errors import UnavailableError
from windtunnel.operations.environment_storage import MEBIBYTE, StorageFullError, bytes_in
from windtunnel.operations.read_package import manifest_of, opened
from windtunnel.operations.sandboxes import directory_of
from windtunnel.operations.services import Services
from windtunnel.packages.contents import DamagedError
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.shelf import Shelf
from windtunnel.packages.unpacking import PackageRefusedError
from windtunnel.storage import environment_resources

DIRECTORY = "packages"
_DIGITS_IN_KEY = 32

log = structlog.get_logger()


class EnvironmentEndingError(Exception):
    """The environment is on its way out: nothing is made there any more."""


async def demand_room(place: Services, digest: str, manifest: Manifest) -> None:
    """Raise StorageFullError when the package is not there yet and would be more than the environment may keep."""
    environment = place.environment
    if environment is None or shelf_of(place, environment).place(digest).is_dir():
        return
    needed = await bytes_in(place) + sum(file.size for file in manifest.files.values())
    if needed > environment.limits.storage_mb * MEBIBYTE:
        raise StorageFullError(needed, environment.limits.storage_mb)


async def put_package(place: Services, environment: Environment, digest: str) -> Path:
    """The package's directory in the environment, which is as the package says; made when missing.

    Raises EnvironmentEndingError, StorageFullError, UnavailableError.
    """
    manifest, shelf, home = await manifest_of(place, digest), shelf_of(place, environment), place.home.store
    await demand_room(place, digest, manifest)
    key = f"package-{digest[:_DIGITS_IN_KEY]}"
    locator = f"{environment.namespace}/{DIRECTORY}/{digest}"
    intended = await environment_resources.intend(
        home, environment.tenant_id, environment.id, key=key, kind=ResourceKind.PACKAGE, locator=locator
    )
    if intended is None:
        raise EnvironmentEndingError
    try:
        found = await _put(place, shelf, digest)
        if not await asyncio.to_thread(shelf.is_whole, digest, manifest):
            log.warning("package in environment was changed", environment_id=environment.id, digest=digest)
            await asyncio.to_thread(shelf.discard, digest)
            found = await _put(place, shelf, digest)
    except FileNotFoundError:
        raise EnvironmentEndingError from None
    except (OSError, DamagedError, PackageRefusedError) as error:
        log.warning("package not put into environment", environment_id=environment.id, digest=digest, reason=str(error))
        raise UnavailableError("The package cannot be put into the environment right now.") from error
    await environment_resources.created(home, environment.tenant_id, environment.id, key)
    return found


def shelf_of(services: Services, environment: Environment) -> Shelf:
    """Where the environment's packages are."""
    return Shelf(directory_of(services, environment) / DIRECTORY)


async def _put(place: Services, shelf: Shelf, digest: str) -> Path:
    file = await opened(place, digest)

    def put() -> Path:
        with file:
            return shelf.put(file, digest)

    return await asyncio.to_thread(put)
