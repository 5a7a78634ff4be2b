"""Experiments on a real Dask cluster: the same bytes as anywhere, whatever becomes of it."""

import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from app.clustering import conducted
from tests.children import free_port
from tests.dask_servers import ROOT, DaskWorker, Scheduler, dask_cluster, patient
from tests.experiments.test_studies import LOAD, _model
from windtunnel.domain.experiments import findings_to_json
from windtunnel.experiments.cluster import Cluster, ClusterError, UnfitClusterError
from windtunnel.experiments.conduct import conduct
from windtunnel.experiments.crew import CrewError
from windtunnel.experiments.findings import findings_of
from windtunnel.experiments.measures import Measures
from windtunnel.experiments.study import Chunk, Study, study_of
from windtunnel.simulation import engine

Dask = tuple[Scheduler, list[DaskWorker]]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    patient(monkeypatch)


@pytest.fixture
def dask() -> Iterator[Dask]:
    with dask_cluster(1) as found:
        yield found


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    """Of some fifty chunks."""
    monkeypatch.setattr("windtunnel.experiments.study.CHUNK_TASKS", 2 * LOAD.tasks)
    resilient = _model(max_attempts=3, timeout_ms=300, backoff_ms=50, jitter=0.5, circuit_breaker=True)
    return study_of(_model(), resilient, LOAD)


def found(study: Study, measures: list[Measures]) -> str:
    return findings_to_json(findings_of(study, measures))


def plain(study: Study, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is found without the kernel, here."""
    with monkeypatch.context() as patched:
        patched.setattr(engine, "_kernel", [])
        return found(study, conduct(study))


def test_plain_kernel_pool_and_cluster_find_the_same_even_when_a_worker_dies(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = plain(study, monkeypatch)
    if preparing := engine.prepare_kernel():
        preparing.join()
    assert engine.kernel_ready()
    assert found(study, conduct(study)) == expected
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=engine.prepare_kernel) as pool:
        assert found(study, conduct(study, pool)) == expected
    with dask_cluster(2) as (scheduler, (first, second)), Cluster(scheduler.address) as cluster:
        assert found(study, conduct(study, cluster)) == expected
        assert {cluster.submit(os.getpid).result() for _ in range(8)} <= {first.pid, second.pid}

        told: list[float] = []

        def kill_one(share: float) -> None:
            if not told:
                os.kill(first.pid, signal.SIGKILL)
            told.append(share)

        assert found(study, conduct(study, cluster, kill_one)) == expected
        assert told[0] < 0.5
        assert told[-1] == 1.0
        assert not first.running
        assert cluster.submit(os.getpid).result() == second.pid


def test_a_lost_scheduler_costs_what_is_not_done(dask: Dask, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler, _ = dask
    done: dict[Chunk, Measures] = {}
    with Cluster(scheduler.address) as cluster:
        with pytest.raises(ClusterError, match="was lost") as lost:
            conduct(study, cluster, lambda share: scheduler.kill(), done=done)
        assert not isinstance(lost.value, UnfitClusterError)
        assert cluster.over
        with pytest.raises(ClusterError):
            cluster.submit(os.getpid).result()
    kept = dict(done)
    assert 0 < len(kept) <= len(study.chunks)
    rest = conduct(study, done=done)
    assert all(done[chunk] is measures for chunk, measures in kept.items())
    assert found(study, rest) == plain(study, monkeypatch)


def test_a_scheduler_that_hangs_is_given_up(dask: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler, _ = dask
    with Cluster(scheduler.address) as cluster:
        assert cluster.submit(os.getpid).result()
        monkeypatch.setattr("windtunnel.experiments.cluster.ANSWER_S", 0.5)
        os.kill(scheduler.pid, signal.SIGSTOP)
        try:
            with pytest.raises(ClusterError, match="does not answer"):
                cluster.submit(os.getpid).result()
        finally:
            os.kill(scheduler.pid, signal.SIGCONT)


def test_a_cluster_without_workers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.experiments.cluster.NOBODY_S", 0.5)
    with (
        Scheduler() as scheduler,
        Cluster(scheduler.address) as cluster,
        pytest.raises(ClusterError, match="no workers"),
    ):
        cluster.submit(os.getpid).result()


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "nobody"])
def test_where_no_scheduler_answers_it_is_done_here(
    study: Study, monkeypatch: pytest.MonkeyPatch, *, silent: bool
) -> None:
    monkeypatch.setattr("windtunnel.experiments.cluster.CONNECT_S", 0.5)
    warned: list[str] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1] if silent else free_port()
        measures = conducted(study, f"tcp://127.0.0.1:{port}", warned.append)
    assert found(study, measures) == plain(study, monkeypatch)
    (sentence,) = warned
    assert sentence.startswith(f"No Dask scheduler answers at tcp://127.0.0.1:{port}: ")


def test_what_a_function_raises_and_what_cannot_be_sent(dask: Dask) -> None:
    scheduler, _ = dask
    with Cluster(scheduler.address) as cluster:
        with pytest.raises(CrewError, match="ValueError: invalid literal"):
            cluster.submit(int, "x").result()
        with pytest.raises(UnfitClusterError, match="serialize"):
            cluster.submit(str, threading.Lock()).result()
        assert cluster.submit(int, "7").result() == 7


@pytest.mark.parametrize(("sources", "words"), [(True, "a worker has Windtunnel"), (False, "deserialization")])
def test_a_cluster_with_another_windtunnel_is_refused(
    study: Study, tmp_path: Path, words: str, *, sources: bool
) -> None:
    root = tmp_path / "other"
    if sources:
        shutil.copytree(ROOT / "windtunnel", root / "windtunnel", ignore=shutil.ignore_patterns("__pycache__"))
        with (root / "windtunnel" / "experiments" / "histogram.py").open("a") as opened:
            opened.write("# changed\n")
    else:
        (root / "windtunnel").mkdir(parents=True)
        (root / "windtunnel" / "__init__.py").touch()
    with dask_cluster(1, root) as (scheduler, _), pytest.raises(UnfitClusterError, match=words) as refused:
        conducted(study, scheduler.address, pytest.fail)
    assert "the same windtunnel" in str(refused.value)
