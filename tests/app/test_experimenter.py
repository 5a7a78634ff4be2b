"""The experimenter: claims what waits, conducts it, and gives it up when it leaves."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.experimenter import Experimenter
from tests.operations.experiment_world import Noting, asked, now_stored, planned, told, until
from tests.operations.world import CREW, demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.experiments import ExperimentStatus
from windtunnel.domain.policy import EXPERIMENTS_RUNNING_PER_TENANT
from windtunnel.experiments.crew import Crew
from windtunnel.experiments.recipes import warm_up
from windtunnel.operations.cancel_experiment import cancel_experiment
from windtunnel.storage import experiment_care


async def test_it_conducts_what_waits_and_what_comes(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        architecture_id = await planned(services, viewer)
        first = await asked(services, viewer, architecture_id)
        async with Experimenter(services, "one", warm=False):
            await told(services, viewer, first)
            second = await asked(services, viewer, architecture_id)
            events = await told(services, viewer, second)
        assert events[-1].status is ExperimentStatus.SUCCEEDED
        assert (await now_stored(services, first)).findings == (await now_stored(services, second)).findings


async def test_leaving_gives_up_what_is_under_way_and_others_go_on(sqlite_url: str) -> None:
    async with process(sqlite_url, crew=Noting(CREW, most=2)) as services:
        viewer = await demo(services)
        experiment = await asked(services, viewer)
        async with Experimenter(services, "one", warm=False):
            await until(services, viewer, experiment, lambda event: event.progress > 0)
        assert (await now_stored(services, experiment)).lease_owner is None
        assert len(await experiment_care.claim(services.store, "two", 10)) == 1


async def test_the_kernel_is_compiled_before_anybody_needs_it(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.experimenter.WARM_UP_AFTER_S", 0.0)
    noting = Asked()
    async with process(sqlite_url, crew=noting) as services, Experimenter(services, "one"):
        await noting.asked.wait()
    assert noting.functions == [warm_up]


class Asked(Crew):
    """A crew that only notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked = asyncio.Event()
        self.functions: list[Callable[..., Any]] = []

    async def run(self, function: Callable[..., Any], *_: Any) -> Any:
        self.functions.append(function)
        self.asked.set()


async def test_what_is_cancelled_frees_its_hand_at_once(sqlite_url: str) -> None:
    async with process(sqlite_url, crew=Noting(CREW, most=0)) as services:
        viewer = await demo(services)
        architecture_id = await planned(services, viewer)
        made = [await asked(services, viewer, architecture_id) for _ in range(3)]
        async with Experimenter(services, "one", warm=False):
            for each in made:
                async with asyncio.timeout(20):
                    await until(services, viewer, each, lambda event: event.status is ExperimentStatus.RUNNING)
                await cancel_experiment(services, viewer, each.id)


async def test_one_tenant_cannot_make_another_wait_for_all_of_its_own(sqlite_url: str) -> None:
    async with process(sqlite_url, crew=Noting(CREW, most=0)) as services:
        viewer, other = await demo(services), await stranger(services.store)
        architecture_id = await planned(services, viewer)
        for _ in range(EXPERIMENTS_RUNNING_PER_TENANT + 1):
            await asked(services, viewer, architecture_id)
        async with Experimenter(services, "one"):
            theirs = await asked(services, other)
            async with asyncio.timeout(20):
                await until(services, other, theirs, lambda event: event.status is ExperimentStatus.RUNNING)
