"""Isolation as it is found on this host and on lesser ones; and the proof that tests leave nothing behind."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import psutil
import pytest
import uvloop

from tests.sandbox.house import HOSTS, open_files
from windtunnel.domain.isolation import Isolation, Mechanism
from windtunnel.sandbox import cgroups
from windtunnel.sandbox.detecting import detect

uvloop.new_event_loop().close()  # it keeps a pipe for signals in each process that has ever had one


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[[frozenset[Mechanism]], Isolation]:
    """What is found on this host without some mechanisms; looked for once each."""
    directory = tmp_path_factory.mktemp("detect")

    @cache
    def on_host(without: frozenset[Mechanism]) -> Isolation:
        return asyncio.run(detect(directory, without=without))

    return on_host


@pytest.fixture(params=list(HOSTS))
def isolation(request: pytest.FixtureRequest, found: Callable[[frozenset[Mechanism]], Isolation]) -> Isolation:
    """What is found: the test runs on this host and on lesser ones."""
    return found(HOSTS[request.param])


@pytest.fixture(params=[host for host in HOSTS if host not in {"without seccomp", "with landlock alone"}])
def watched(request: pytest.FixtureRequest, found: Callable[[frozenset[Mechanism]], Isolation]) -> Isolation:
    """The same, where only how a run is watched and bounded matters."""
    return found(HOSTS[request.param])


@pytest.fixture
def best(found: Callable[[frozenset[Mechanism]], Isolation]) -> Isolation:
    """What is found on this host as it is."""
    return found(frozenset())


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    before, descriptors, groups = _children(), len(open_files()), _groups()
    yield
    assert _settled(lambda: _children() <= before)  # a database server of this session has some, too, for a moment
    assert _settled(lambda: len(open_files()) <= descriptors), open_files()
    new = _groups() - groups
    assert _settled(lambda: not new & _groups()), "cgroups"  # other processes on this host have some, too, for a moment
    assert [*tmp_path.glob("*/work/*"), *tmp_path.glob("*/runs/*")] == []


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def _settled(true: Callable[[], bool]) -> bool:
    """Whether it is true within some time; what only awaits its collection has gone by then."""
    until, pause = time.monotonic() + 60, threading.Event()
    while not true() and time.monotonic() < until:
        gc.collect()
        pause.wait(0.05)
    return true()


def _groups() -> set[str]:
    place = cgroups.base()
    return {path.name for path in place.iterdir() if path.is_dir()} if place else set()
