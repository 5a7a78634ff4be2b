"""Databases of environments as SQLite files, each in the directory of its environment."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.ids import is_namespace
from windtunnel.storage.errors import down
from windtunnel.storage.files import make_directory
from windtunnel.storage.migrations import migrate_environment
from windtunnel.storage.store import Store, open_store

NAME = "environment.db"
_ENDINGS = ("", "-wal", "-shm", "-journal", "-new")

_made: list[bytes] = []
"""The empty database at the current schema, once it has been made: what every new one is a copy of."""


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
        if not path.exists():  # it is there as a whole, or not at all
            await asyncio.to_thread(_write, path, await _template())

    async def open(self, key: EnvironmentKey) -> Store:
        """As `EnvironmentDatabases.open`."""
        path = self._path(key.namespace)
        if not path.exists():
            raise down()
        store = await open_store(f"sqlite:///{path}", create=False)
        try:
            await migrate_environment(store)
        except BaseException:
            await store.close()
            raise
        return store

    async def remove(self, namespace: str) -> None:
        """As `EnvironmentDatabases.remove`. Raises OSError."""
        await asyncio.to_thread(self._remove, namespace)

    async def exists(self, namespace: str) -> bool:
        """As `EnvironmentDatabases.exists`."""
        return any(path.exists() for path in self._files(namespace))

    async def all(self) -> Sequence[str]:
        """As `EnvironmentDatabases.all`."""
        return await asyncio.to_thread(self._all)

    def _remove(self, namespace: str) -> None:
        for path in self._files(namespace):
            path.unlink(missing_ok=True)

    def _all(self) -> Sequence[str]:
        try:
            names = sorted(path.name for path in self._directory.iterdir())
        except FileNotFoundError:
            return ()
        return [name for name in names if is_namespace(name) and any(path.exists() for path in self._files(name))]

    def _files(self, namespace: str) -> Sequence[Path]:
        path = self._path(namespace)
        return [path.with_name(f"{NAME}{ending}") for ending in _ENDINGS]

    def _path(self, namespace: str) -> Path:
        return self._directory / namespace / NAME


async def _template() -> bytes:
    if not _made:
        with TemporaryDirectory(prefix="windtunnel-") as directory:
            path = Path(directory) / NAME
            store = await open_store(f"sqlite:///{path}")
            try:
                await migrate_environment(store)
            finally:
                await store.close()
            _made.append(path.read_bytes())
    return _made[0]


def _write(path: Path, content: bytes) -> None:
    """The whole file or none, also when the machine stops in between."""
    make_directory(path.parent)
    new = path.with_name(f"{NAME}-new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
