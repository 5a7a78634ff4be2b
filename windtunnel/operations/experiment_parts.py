"""Doing the parts of an experiment: as many at a time as a crew has hands, each stored soon after it is done."""

import asyncio
import time
from collections.abc import Iterator

from windtunnel.domain.experiments import Experiment, ExperimentEvent
from windtunnel.domain.policy import EXPERIMENT_TOLD_EVERY_S, EXPERIMENT_TOLD_EVERY_SHARE
from windtunnel.experiments.recipes import Recipe, done
from windtunnel.operations.experiment_log import announce_experiment
from windtunnel.operations.services import Services
from windtunnel.storage import experiment_changes
from windtunnel.storage.errors import LeaseLostError

UNSTORED_MAX_BYTES = 8 * 1024 * 1024
"""Stored at once when it is more, so that little is lost and little is kept in memory."""


async def do_parts(services: Services, experiment: Experiment, recipe: Recipe, warmup: int, number: int) -> None:
    """Do those of so many parts that are not stored. Raises LeaseLostError, CrewError, UnavailableError."""
    stored = await experiment_changes.parts_done(services.store, experiment)
    left = iter([each for each in range(number) if each not in stored])
    notes = _Notes(services, experiment, number, len(stored))
    under_way: dict[asyncio.Task[bytes], int] = {}
    try:
        _begin(services, recipe, warmup, left, under_way)
        while under_way:
            ended, _ = await asyncio.wait(under_way, timeout=notes.due_in_s(), return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                notes.keep(under_way.pop(task), task.result())
            _begin(services, recipe, warmup, left, under_way)
            if notes.due_in_s() == 0:
                await notes.store()
        await notes.store()
    finally:
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)


def _begin(
    services: Services, recipe: Recipe, warmup: int, left: Iterator[int], under_way: dict[asyncio.Task[bytes], int]
) -> None:
    """Begin with as many as there are hands."""
    while len(under_way) < services.crew.width and (number := next(left, None)) is not None:
        under_way[asyncio.create_task(services.crew.anywhere(done, recipe, warmup, number))] = number


class _Notes:
    """What is done and not stored yet."""

    def __init__(self, services: Services, experiment: Experiment, number: int, stored: int) -> None:
        self._services = services
        self._experiment = experiment
        self._number = number
        self._stored = stored
        self._parts: dict[int, bytes] = {}
        self._bytes = 0
        self._stored_at = time.monotonic()
        self._told = stored / number

    def keep(self, number: int, data: bytes) -> None:
        """A part is done."""
        self._parts[number] = data
        self._bytes += len(data)

    def due_in_s(self) -> float | None:
        """When to store what there is; None when there is nothing."""
        if not self._parts:
            return None
        if self._bytes > UNSTORED_MAX_BYTES:
            return 0.0
        return max(0.0, self._stored_at + EXPERIMENT_TOLD_EVERY_S - time.monotonic())

    async def store(self) -> None:
        """Store it, and tell how far it has come, if that is far enough. Raises LeaseLostError, UnavailableError."""
        if not self._parts:
            return
        parts, self._parts, self._bytes = self._parts, {}, 0
        self._stored += len(parts)
        experiment, store = self._experiment, self._services.store
        progress = round(min(0.99, self._stored / self._number), 4)  # all of it once there is a result
        # Events are kept for ever: there are about a hundred of them, however long it takes.
        is_far = progress >= self._told + EXPERIMENT_TOLD_EVERY_SHARE
        event: ExperimentEvent | None = None
        async with store.transaction(experiment.tenant_id):
            if is_far and (changed := await experiment_changes.advanced(store, experiment, progress, parts)):
                event = changed[1]
            elif is_far or not await experiment_changes.kept(store, experiment, progress, parts):
                raise LeaseLostError(experiment.id)
        self._stored_at = time.monotonic()
        if event is not None:
            self._told = progress
            await announce_experiment(self._services.bus, event)
