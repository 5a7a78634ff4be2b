"""What an environment is made of, part by part: where it is, how it is made, removed, and looked for.

All of it can be repeated after a try that was interrupted, and all but making needs no more than a namespace.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from windtunnel.domain.environments import EnvironmentKey, Resource, ResourceKind
from windtunnel.domain.ids import is_namespace
from windtunnel.operations.services import Services
from windtunnel.sandbox import scratch

PARTS = {
    ResourceKind.DIRECTORY: "directory",
    ResourceKind.DATABASE: "database",
    ResourceKind.CHANNEL: "channels",
}
"""What every environment has, in the order in which it is made, by the keys of the resources."""


@dataclass(frozen=True, slots=True)
class Things:
    """The namespaces of all that is there, whether or not an environment is on record for it."""

    directories: frozenset[str]
    databases: frozenset[str]
    channels: frozenset[str]

    @property
    def all(self) -> list[str]:
        """Each namespace once."""
        return sorted(self.directories | self.databases | self.channels)


def locator_of(services: Services, namespace: str, kind: ResourceKind) -> str:
    """Where the part is, in words for people."""
    if kind is ResourceKind.DATABASE:
        return services.places.databases.locator(namespace)
    if kind is ResourceKind.CHANNEL:
        return services.places.channels.locator(namespace)
    return f"{namespace}/"


async def make(services: Services, key: EnvironmentKey, kind: ResourceKind) -> None:
    """Make the part, unless it is there. Raises UnavailableError, OSError."""
    if kind is ResourceKind.DATABASE:
        await services.places.databases.create(key)
    elif kind is ResourceKind.CHANNEL:
        await services.places.channels.create(key)
    else:
        await asyncio.to_thread(_make_directory, services.environments_dir / key.namespace)


async def remove(services: Services, namespace: str, resource: Resource) -> None:
    """Remove the part, if it is there; the directory with all that is in it. Raises UnavailableError, OSError."""
    if resource.kind is ResourceKind.DATABASE:
        await services.places.databases.remove(namespace)
    elif resource.kind is ResourceKind.CHANNEL:
        await services.places.channels.remove(namespace)
    else:
        await asyncio.to_thread(_remove_directory, _path(services, namespace, resource))


async def is_there(services: Services, namespace: str, resource: Resource) -> bool:
    """Whether anything of the part is there. Raises UnavailableError, OSError."""
    if resource.kind is ResourceKind.DATABASE:
        return await services.places.databases.exists(namespace)
    if resource.kind is ResourceKind.CHANNEL:
        return await services.places.channels.exists(namespace)
    return await asyncio.to_thread(os.path.lexists, _path(services, namespace, resource))


async def things(services: Services) -> Things:
    """All that is there of any environments. Raises UnavailableError, OSError."""
    return Things(
        frozenset(await asyncio.to_thread(_names, services.environments_dir)),
        frozenset(filter(is_namespace, await services.places.databases.all())),
        frozenset(filter(is_namespace, await services.places.channels.all())),
    )


def _path(services: Services, namespace: str, resource: Resource) -> Path:
    """Of a directory, or of what lies in it."""
    directory = services.environments_dir / namespace
    if resource.kind is ResourceKind.DIRECTORY:
        return directory
    return directory / resource.locator.removeprefix(f"{namespace}/")


def _make_directory(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)  # whatever the umask is, and whoever was here before


def _remove_directory(path: Path) -> None:
    """What is in it first, each by itself: what is interrupted leaves nothing beside the directory."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError):  # it is not there, or somebody else is removing it, too
        path.chmod(0o700)
        for entry in _entries(path):
            if entry.is_dir(follow_symlinks=False):
                scratch.remove(Path(entry.path))
            else:
                Path(entry.path).unlink(missing_ok=True)
        path.rmdir()


def _entries(path: Path) -> Sequence["os.DirEntry[str]"]:
    with os.scandir(path) as found:
        return list(found)


def _names(directory: Path) -> list[str]:
    try:
        return [entry.name for entry in _entries(directory) if is_namespace(entry.name)]
    except FileNotFoundError:
        return []
