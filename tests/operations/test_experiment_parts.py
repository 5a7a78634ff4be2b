"""The parts of an experiment: stored soon, told seldom, and what becomes of one that cannot be done."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.experiment_world import asked, claimed, now_stored
from tests.operations.world import CREW, demo, process
from windtunnel.domain.experiments import ExperimentStatus
from windtunnel.experiments.crew import Crew
from windtunnel.operations import experiment_parts
from windtunnel.operations.cancel_experiment import cancel_experiment
from windtunnel.operations.conduct_experiment import EXHAUSTED, conduct_experiment
from windtunnel.storage import experiment_changes, experiments
from windtunnel.storage.errors import LeaseLostError


async def test_few_events_tell_how_far_it_has_come_and_everything_is_stored(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        asked_for = await asked(services, viewer)
        (taken,) = await claimed(services)
        async with services.store.transaction(viewer.tenant_id):
            assert await experiment_changes.begun(services.store, taken)
        begun = await now_stored(services, asked_for)
        notes = experiment_parts._Notes(services, begun, 1_000, 0)
        for number in range(25):
            notes.keep(number, b"x")
            await notes.store()
        assert await experiment_changes.parts_done(services.store, begun) == set(range(25))
        found = await now_stored(services, asked_for)
        assert (found.progress, found.last_seq) == (0.025, begun.last_seq + 2)
        events = await experiments.read_events(services.store, viewer.tenant_id, begun.id, begun.last_seq, 100)
        assert [event.progress for event in events] == [0.01, 0.02]
        notes.keep(25, b"x")
        await cancel_experiment(services, viewer, begun.id)
        with pytest.raises(LeaseLostError):
            await notes.store()
        assert await experiment_changes.parts_done(services.store, begun) == set()


def hungry() -> None:
    raise MemoryError


class Failing(Crew):
    """Has another function done than it is asked for."""

    def __init__(self, function: Callable[[], None]) -> None:
        super().__init__(1)
        self._function = function

    async def run(self, function: Callable[..., Any], *arguments: object) -> Any:
        return await CREW.run(self._function)


async def test_too_little_memory_is_no_defect(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        experiment = await asked(services, viewer)
        (taken,) = await claimed(services)
        await conduct_experiment(replace(services, crew=Failing(hungry)), taken)
        ended = await now_stored(services, experiment)
    assert ended.status is ExperimentStatus.FAILED
    assert ended.failure == EXHAUSTED
    assert "fewer tasks" in EXHAUSTED
