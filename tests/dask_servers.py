"""A Dask scheduler and its workers, as a test starts and kills them."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.children import Server

ROOT = Path(__file__).parents[1]


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give no cluster up because this machine is busy."""
    for name in ("CONNECT_S", "ANSWER_S", "NOBODY_S"):
        monkeypatch.setattr(f"windtunnel.experiments.cluster.{name}", 60.0)


class DaskProcess(Server):
    """A program of distributed, which finds Windtunnel at `root`."""

    program: str

    def __init__(self, root: Path = ROOT) -> None:
        super().__init__()
        self.root = root

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def options(self) -> Sequence[str]:
        """What it is told besides."""
        return ()

    def command(self) -> Sequence[str]:
        start = [sys.executable, "-m", f"distributed.cli.{self.program}"]
        return ["/usr/bin/env", f"PYTHONPATH={self.root}", *start, "--no-dashboard", *self.options()]


class Scheduler(DaskProcess):
    """A scheduler on a free port of 127.0.0.1."""

    program = "dask_scheduler"
    ready = "Scheduler at:"

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def options(self) -> Sequence[str]:
        return ["--host", "127.0.0.1", "--port", str(self.port)]


class DaskWorker(DaskProcess):
    """A worker with one thread and nobody who would start it again."""

    program = "dask_worker"
    ready = "Registered to:"

    def __init__(self, scheduler: Scheduler, root: Path = ROOT) -> None:
        super().__init__(root)
        self.scheduler = scheduler

    def options(self) -> Sequence[str]:
        place = ["--local-directory", str(self.directory), "--host", "127.0.0.1"]
        return [self.scheduler.address, "--nthreads", "1", "--no-nanny", "--memory-limit", "0", *place]


@contextmanager
def dask_cluster(workers: int = 2, root: Path = ROOT) -> Iterator[tuple[Scheduler, list[DaskWorker]]]:
    """A scheduler and so many workers, all of them ended with the block."""
    with ExitStack() as stack:
        scheduler = stack.enter_context(Scheduler(root))
        yield scheduler, [stack.enter_context(DaskWorker(scheduler, root)) for _ in range(workers)]
