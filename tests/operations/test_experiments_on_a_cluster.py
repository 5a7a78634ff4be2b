"""Experiments of a server on a real Dask cluster: the same findings, also when the cluster is lost on the way."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from tests.children import free_port
from tests.dask_servers import dask_cluster, patient
from tests.operations.experiment_world import asked, conduct_all, now_stored, planned
from tests.operations.world import CREW, demo, process
from windtunnel.domain.experiments import ExperimentStatus, findings_to_json
from windtunnel.experiments.cluster_crew import ClusterCrew
from windtunnel.experiments.crew import Crew
from windtunnel.operations.services import Services

T = TypeVar("T")


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    patient(monkeypatch)


class Beside(ClusterCrew):
    """Has at hand for its own work what all tests have, notes how much of that there was, and may lose its cluster."""

    def __init__(self, address: str, lose: Callable[[], None] | None = None) -> None:
        super().__init__(address, 1)
        self.here = 0
        self.there = 0
        self._lose = lose

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        self.here += 1
        return await CREW.run(function, *arguments)

    async def anywhere(self, function: Callable[..., T], *arguments: object) -> T:
        self.there += 1
        if self._lose is not None and self.there == 4:
            self._lose()
        return await super().anywhere(function, *arguments)


async def found(services: Services, crew: Crew) -> str:
    """The findings of an experiment that this crew does."""
    viewer = await demo(services)
    experiment = await asked(services, viewer, await planned(services, viewer))
    await conduct_all(replace(services, crew=crew))
    ended = await now_stored(services, experiment)
    assert ended.status is ExperimentStatus.SUCCEEDED
    assert ended.findings is not None
    return findings_to_json(ended.findings)


async def test_a_cluster_finds_the_same_and_may_be_lost(database_url: str) -> None:
    async with process(database_url) as services:
        expected = await found(services, CREW)
        with dask_cluster() as (scheduler, _):
            crew = Beside(scheduler.address)
            try:
                assert await found(services, crew) == expected
                assert crew.there > 4
                assert crew.here == 2  # laying out, and putting together
                assert crew.width == 4
            finally:
                crew.close()
            losing = Beside(scheduler.address, scheduler.kill)
            try:
                assert await found(services, losing) == expected
                assert losing.here > 2
                assert losing.width == 1
            finally:
                losing.close()


async def test_without_its_cluster_a_crew_works_and_tries_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windtunnel.experiments.cluster.CONNECT_S", 0.3)
    async with process(sqlite_url) as services:
        crew = Beside(f"tcp://127.0.0.1:{free_port()}")
        assert await found(services, crew) == await found(services, CREW)
        assert crew.here == crew.there + 2
        monkeypatch.setattr("windtunnel.experiments.cluster_crew.AGAIN_AFTER_S", 0.0)
        crew._again_at = 0.0
        with dask_cluster(1) as (scheduler, _):
            crew._address = scheduler.address
            monkeypatch.setattr("windtunnel.experiments.cluster.CONNECT_S", 60.0)
            assert await crew.anywhere(int, "7") == 7
            assert crew.here == crew.there + 1
            crew.close()
