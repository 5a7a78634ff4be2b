"""Packages unpacked for use: as a whole or not at all, read-only, and never where nobody wants them any more."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from tests.packages.world import FILES, manifest, package
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.shelf import Shelf
from windtunnel.packages.unpacking import PackageRefusedError

DATA = package()
MANIFEST = Manifest.model_validate_json(json.dumps(manifest()))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "packages")


def test_a_package_is_there_as_a_whole_for_everybody_to_read(shelf: Shelf) -> None:
    before = os.umask(0o077)
    try:
        place = shelf.put(BytesIO(DATA), "digest")
    finally:
        os.umask(before)
    assert {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()} == {*FILES, "agent.json"}
    assert {path.stat().st_mode & 0o777 for path in place.rglob("*") if path.is_file()} == {0o444}
    assert {path.stat().st_mode & 0o777 for path in [place, place / "triage"]} == {0o555}
    assert shelf.put(BytesIO(b"never read"), "digest") == place
    assert shelf.is_whole("digest", MANIFEST)
    assert [path.name for path in place.parent.iterdir()] == ["digest"]


def test_what_was_changed_is_not_whole(shelf: Shelf) -> None:
    place = shelf.put(BytesIO(DATA), "digest")
    for path in (place, place / "triage", place / "triage/main.py"):
        path.chmod(0o755)
    (place / "triage/more.py").write_text("")
    assert not shelf.is_whole("digest", MANIFEST)
    (place / "triage/more.py").unlink()
    assert shelf.is_whole("digest", MANIFEST)
    (place / "triage/main.py").write_text("changed")
    assert not shelf.is_whole("digest", MANIFEST)
    (place / "triage/main.py").unlink()
    assert not shelf.is_whole("digest", MANIFEST)
    shelf.discard("digest")
    shelf.discard("digest")
    assert not place.exists()


def test_many_who_come_at_once_get_one(shelf: Shelf) -> None:
    with ThreadPoolExecutor(8) as threads:
        places = set(threads.map(lambda _: shelf.put(BytesIO(DATA), "digest"), range(24)))
    (place,) = places
    assert [path.name for path in place.parent.iterdir()] == ["digest"]
    assert shelf.is_whole("digest", MANIFEST)


def test_what_is_refused_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(PackageRefusedError):
        shelf.put(BytesIO(b"no archive"), "digest")
    assert list((tmp_path / "packages").iterdir()) == []


def test_nothing_is_put_where_the_parent_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Shelf(tmp_path / "gone" / "packages").put(BytesIO(DATA), "digest")
    assert list(tmp_path.iterdir()) == []
