"""Experiments of a small architecture, and doing what an experimenter does."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from tests.operations.world import queued
from windtunnel.domain.experiments import Experiment, ExperimentEvent
from windtunnel.domain.viewers import Viewer
from windtunnel.experiments import recipes
from windtunnel.experiments.crew import Crew
from windtunnel.operations.conduct_experiment import conduct_experiment
from windtunnel.operations.run_experiment import ExperimentRequest, run_experiment
from windtunnel.operations.services import Services
from windtunnel.operations.watch_experiment import watch_experiment
from windtunnel.storage import experiment_care, experiments

SMALL: dict[str, Any] = {"replications": 6, "tasks": 20, "arrival_rate": 0.01, "seed": 5}


async def planned(services: Services, viewer: Viewer, **request: Any) -> str:
    """The id of an architecture, and nothing has been simulated with it yet."""
    simulation = await queued(services, viewer, **request)
    assert simulation.architecture_id
    return simulation.architecture_id


async def asked(services: Services, viewer: Viewer, architecture_id: str | None = None, **more: Any) -> Experiment:
    """An experiment that waits."""
    architecture_id = architecture_id or await planned(services, viewer)
    return await run_experiment(services, viewer, ExperimentRequest(architecture_id, **(SMALL | more)))


async def claimed(services: Services, owner: str = "experimenter") -> list[Experiment]:
    return await experiment_care.claim(services.store, owner, 100)


async def conduct_all(services: Services) -> None:
    """Do what an experimenter does, until nothing is left to do."""
    while found := await claimed(services):
        for experiment in found:
            await conduct_experiment(services, experiment)


async def now_stored(services: Services, experiment: Experiment) -> Experiment:
    found = await experiments.get(services.store, experiment.tenant_id, experiment.id)
    assert found is not None
    return found


async def told(
    services: Services, viewer: Viewer, experiment: Experiment, after: int | None = 0
) -> list[ExperimentEvent]:
    async with aclosing(watch_experiment(services, viewer, experiment.id, after)) as stream:
        return [event async for event in stream]


class Noting(Crew):
    """A crew that notes which parts it is given, and never comes to an end with more than `most`."""

    def __init__(self, crew: Crew, most: int = 1_000) -> None:
        super().__init__(crew.width)
        self.parts: list[int] = []
        self._crew = crew
        self._most = most

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if function is recipes.done:
            if len(self.parts) == self._most:
                await asyncio.Event().wait()
            self.parts.append(arguments[2])
        return await self._crew.run(function, *arguments)


async def until(
    services: Services, viewer: Viewer, experiment: Experiment, condition: Callable[[ExperimentEvent], bool]
) -> None:
    """Follow it until something has happened."""
    async with aclosing(watch_experiment(services, viewer, experiment.id)) as events:
        async for event in events:
            if condition(event):
                return
    raise AssertionError("It is over, and this has not happened.")
