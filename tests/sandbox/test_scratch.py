"""Directories that somebody has made hard to remove."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from windtunnel.sandbox import scratch


def test_a_directory_deeper_than_any_path_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for number in range(400):
        os.mkdir("d" * 20, dir_fd=here)
        below = os.open("d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(os.open(str(number), os.O_CREAT, dir_fd=below))
        os.close(here)
        here = below
    os.close(here)
    scratch.remove(top)
    assert list(tmp_path.iterdir()) == []


def test_modes_are_no_obstacle_and_links_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("kept")
    top = tmp_path / "top"
    (top / "closed" / "inner").mkdir(parents=True)
    (top / "closed" / "inner" / "file").write_text("x")
    (top / "link").symlink_to(kept)
    (top / "dangling").symlink_to("nowhere")
    os.mkfifo(top / "pipe")
    (top / "closed" / "inner").chmod(0)
    (top / "closed").chmod(0o500)
    top.chmod(0)
    scratch.remove(top)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").read_text() == "kept"


def test_two_may_remove_the_same(tmp_path: Path) -> None:
    top = tmp_path / "top"
    for number in range(100):
        (top / str(number) / "inner").mkdir(parents=True)
        (top / str(number) / "inner" / "file").write_text("x")
    with ThreadPoolExecutor() as both:
        for done in [both.submit(scratch.remove, directory) for directory in (top, top / "7", top / "8")]:
            done.result()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_names_of_what_lies_there_are_no_obstacle(tmp_path: Path) -> None:
    long = "d" * 255
    for name in ("top", long):
        for inner in ("a", "b"):
            (tmp_path / name / inner).mkdir(parents=True)
            (tmp_path / name / inner / "file").write_text("x")
    for number in range(3):
        beside = tmp_path / f"top.{number}"
        beside.mkdir()
        (beside / "file").write_text("kept")
    scratch.remove(tmp_path / "top")
    scratch.remove(tmp_path / long)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["top.0", "top.1", "top.2"]
    assert [path.read_text() for path in tmp_path.rglob("file")] == ["kept"] * 3


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_not_there_is_fine(tmp_path: Path, times: int) -> None:
    for _ in range(times):
        scratch.remove(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []
