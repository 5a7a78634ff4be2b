"""A SQLite file that was removed stays removed, whoever still has it open."""

import asyncio
from pathlib import Path

import pytest

from windtunnel.domain.errors import UnavailableError
from windtunnel.storage.store import open_store
from windtunnel.storage.unreachable import UnreachableError


async def test_a_missing_file_is_not_made_by_whoever_wants_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "directory" / "windtunnel.db"
    with pytest.raises(UnreachableError):
        await open_store(f"sqlite:///{path}", create=False)
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_connections_that_come_later_do_not_make_it_again(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    store = await open_store(sqlite_url)
    for file in await asyncio.to_thread(lambda: list(path.parent.glob(f"{path.name}*"))):
        file.unlink()
    with pytest.raises(UnavailableError):
        await asyncio.gather(*(store.fetch("SELECT COUNT(*) AS number FROM tenants") for _ in range(5)))
    await store.close()
    assert await asyncio.to_thread(lambda: list(path.parent.iterdir())) == []
