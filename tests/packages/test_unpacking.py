"""Unpacking: all of a package that passed, nothing of one that did not, and never outside of the directory."""

import stat
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from tests.packages.archives import Part, archive
from tests.packages.corpus import EVIL
from tests.packages.world import FILES, package, parts
from windtunnel.packages.checking import check_package
from windtunnel.packages.contents import DamagedError
from windtunnel.packages.unpacking import PackageRefusedError, unpack_package


def files_in(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_every_file_is_there_and_none_can_be_changed(tmp_path: Path) -> None:
    manifest = unpack_package(BytesIO(package()), tmp_path)
    assert manifest.name == "acme/triage"
    found = files_in(tmp_path)
    assert found.pop("agent.json")
    assert found == FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()} == {0o444}


@pytest.mark.parametrize("name", EVIL)
def test_nothing_of_what_means_harm_is_unpacked(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(PackageRefusedError) as refused:
        unpack_package(BytesIO(EVIL[name][0]()), inside)
    assert any(check.blocks for check in refused.value.checks)
    assert list(tmp_path.rglob("*")) == [inside]


def test_nothing_is_overwritten_and_no_link_is_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside.py", tmp_path / "inside"
    inside.mkdir()
    (inside / "health.py").symlink_to(outside)
    with pytest.raises(FileExistsError):
        unpack_package(BytesIO(package()), inside)
    assert not outside.exists()


def test_bytes_that_change_meanwhile_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = package()
    file = BytesIO(whole)

    def check_then_change(given: BytesIO) -> object:
        found = check_package(given)
        first, second, third = parts()
        given.seek(0)
        given.write(
            archive([first, replace(second, content=b"print('evil')\n"), third, Part("x", bytes(9))])[: len(whole)]
        )
        return found

    monkeypatch.setattr("windtunnel.packages.unpacking.check_package", check_then_change)
    with pytest.raises(DamagedError):
        unpack_package(file, tmp_path)
