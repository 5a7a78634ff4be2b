"""Databases of environments as SQLite files, each in the directory of its environment."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from windtunnel.domain.environments import EnvironmentKey
from windtunnel.storage.errors import down
from windtunnel.storage.files import make_directory
from windtunnel.storage.migrations import migrate_environment
from windtunnel.storage.store import Store, open_store

NAME = "environment.db"
_BESIDE = ("", "-wal", "-shm", "-journal")


class EnvironmentFiles:
    """`directory` has one directory for each environment, named by its namespace."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def locator(self, namespace: str) -> str:
        """As `EnvironmentDatabases.locator`."""
        return f"{namespace}/{NAME}"

    async def create(self, key: EnvironmentKey) -> None:
        """As `EnvironmentDatabases.create`."""
        path = self._path(key.namespace)
        await asyncio.to_thread(make_directory, path.parent)
        store = await open_store(f"sqlite:///{path}")
        try:
            await migrate_environment(store)
        finally:
            await store.close()

    async def open(self, key: EnvironmentKey) -> Store:
        """As `EnvironmentDatabases.open`."""
        path = self._path(key.namespace)
        if not path.exists():  # opening would make it
            raise down()
        store = await open_store(f"sqlite:///{path}")
        await migrate_environment(store)
        return store

    async def remove(self, namespace: str) -> None:
        """As `EnvironmentDatabases.remove`."""
        path = self._path(namespace)
        for ending in _BESIDE:
            path.with_name(f"{NAME}{ending}").unlink(missing_ok=True)

    async def exists(self, namespace: str) -> bool:
        """As `EnvironmentDatabases.exists`."""
        path = self._path(namespace)
        return any(path.with_name(f"{NAME}{ending}").exists() for ending in _BESIDE)

    async def all(self) -> Sequence[str]:
        """As `EnvironmentDatabases.all`."""
        if not self._directory.exists():
            return []
        return [entry.name for entry in os.scandir(self._directory) if await self.exists(entry.name)]

    def _path(self, namespace: str) -> Path:
        return self._directory / namespace / NAME
