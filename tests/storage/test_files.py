"""The SQLite file: for its owner alone, and for one server at a time."""

import os
from pathlib import Path

import pytest

from tests.databases import migrate_url
from windtunnel.storage.sole import ServedElsewhereError, served_alone
from windtunnel.storage.store import open_store
from windtunnel.storage.unreachable import UnreachableError


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_a_new_file_is_its_owners_alone_with_all_that_lies_beside_it(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        directory = tmp_path / "data"
        store = await open_store(f"sqlite:///{directory / 'new.db'}")
        try:
            await store.fetch("CREATE TABLE things (id INTEGER)")
            assert {path.name: rights(path) for path in directory.iterdir()} == {
                "new.db": 0o600,
                "new.db-wal": 0o600,
                "new.db-shm": 0o600,
            }
        finally:
            await store.close()
        assert rights(directory) == 0o700
    finally:
        os.umask(before)


def test_what_was_there_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "windtunnel.db"
    path.touch()
    path.chmod(0o640)
    tmp_path.chmod(0o750)
    migrate_url(f"sqlite:///{path}")
    assert (rights(path), rights(tmp_path)) == (0o640, 0o750)


def test_a_file_is_served_by_one_whatever_it_is_called(tmp_path: Path) -> None:
    path, other_name = tmp_path / "data" / "windtunnel.db", tmp_path / "link.db"
    other_name.symlink_to(path)
    with served_alone(path):
        assert rights(path.parent) == 0o700
        for name in (path, other_name):
            with pytest.raises(ServedElsewhereError) as refused, served_alone(name):
                pass
            assert refused.value.process == os.getpid()
        with served_alone(tmp_path / "another.db"):
            pass
    with served_alone(other_name):
        pass


def test_no_lock_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "windtunnel.db.lock").mkdir()
    with pytest.raises(UnreachableError, match="Is a directory"), served_alone(tmp_path / "windtunnel.db"):
        pass
