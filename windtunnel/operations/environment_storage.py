"""How much an environment keeps: in its database and in its directory."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from windtunnel.operations.services import Services
from windtunnel.storage.environment_files import NAME
from windtunnel.storage.sizes import bytes_of

MEBIBYTE = 1024 * 1024


class StorageFullError(Exception):
    """The environment keeps as much as it may, or more; the message says how much that is."""

    def __init__(self, used: int, limit_mb: int) -> None:
        super().__init__(f"The environment keeps {used / MEBIBYTE:,.1f} MiB; its storageMb allows {limit_mb:,}.")
        self.used_mb = used // MEBIBYTE
        self.limit_mb = limit_mb


async def check_storage(place: Services) -> None:
    """Raise StorageFullError when nothing more may be kept; at home there is no limit. Raises UnavailableError."""
    if place.environment is None:
        return
    used, limit_mb = await bytes_in(place), place.environment.limits.storage_mb
    if used >= limit_mb * MEBIBYTE:
        raise StorageFullError(used, limit_mb)


async def bytes_in(place: Services) -> int:
    """What the environment of `place` keeps now, in bytes. Raises UnavailableError."""
    if place.environment is None:
        raise ValueError("nobody counts what is kept at home")
    directory = place.environments_dir / place.environment.namespace
    return await bytes_of(place.store) + await asyncio.to_thread(_bytes_of_files, directory)


def _bytes_of_files(directory: Path) -> int:
    """The files of a directory without those of a database, which says itself how large it is."""
    total = 0
    for folder, _, files in os.walk(directory):
        for name in files:
            if Path(folder) != directory or not name.startswith(NAME):
                with suppress(FileNotFoundError):  # what runs there goes on
                    total += (Path(folder) / name).lstat().st_size
    return total
