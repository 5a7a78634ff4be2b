"""Conducting a simulation: what happens is computed, stored and announced, at once or at the pace asked for."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.events import EventDraft
from windtunnel.domain.simulations import Simulation, SimulationFailure, SimulationStatus
from windtunnel.operations.announce import conductor_channel
from windtunnel.operations.environment_storage import StorageFullError, check_storage
from windtunnel.operations.exercise_package import exercise_package
from windtunnel.operations.performance import EngineError, Performance
from windtunnel.operations.plan_simulation import plan_simulation
from windtunnel.operations.scribe import Scribe
from windtunnel.operations.services import Services
from windtunnel.storage import architectures, commands, simulations
from windtunnel.storage.errors import CommandsPendingError, LeaseLostError
from windtunnel.streams.listener import Listener

STAGE = "simulating"
DEFECT = "The simulation failed because of a defect in this service. Simulate again, or tell its operator."
GIVEN_UP = "The simulation was given up: too many processes that conducted it came to an end."
BATCH = 100
BATCHES_UNCHECKED = 10
LOOK_EVERY_S = 1.0
CONDUCTORS_MAX = 50

log = structlog.get_logger()


async def conduct_simulation(services: Services, simulation: Simulation) -> None:
    """Bring a claimed simulation to its end; one that is still to be planned, to the queue.

    Whatever a former conductor stored is computed again and left out. Returns early once somebody else conducts it,
    or it is over or deleted. Raises UnavailableError: the simulation can be claimed again later.
    """
    try:
        if simulation.status is SimulationStatus.PLANNING:
            await plan_simulation(services, simulation)
        else:
            await _conduct(services, simulation)
    except LeaseLostError:
        log.debug("simulation conducted by someone else, or over", simulation_id=simulation.id)


async def _conduct(services: Services, simulation: Simulation) -> None:
    scribe = Scribe(services, simulation)
    if simulation.fence > CONDUCTORS_MAX:
        await scribe.failed(SimulationFailure(ErrorCode.INTERNAL, GIVEN_UP, STAGE))
        return
    wanted = simulation.architecture_id or ""
    stored = (await architectures.get_many(services.store, simulation.tenant_id, [wanted])).get(wanted)
    if stored is None:
        return  # deleted meanwhile
    try:
        async with services.hub.bell(conductor_channel(simulation.id)) as bell:
            ready = await _exercised(services, simulation, scribe, bell)
            if ready is not None:
                await _Conductor(services, ready, stored.architecture, scribe, bell).conduct()
    except StorageFullError as full:
        await scribe.failed(SimulationFailure(ErrorCode.LIMIT_EXCEEDED, str(full), STAGE))
    except EngineError:
        log.exception("engine failed", simulation_id=simulation.id)
        await scribe.failed(SimulationFailure(ErrorCode.INTERNAL, DEFECT, STAGE))


async def _exercised(
    services: Services, simulation: Simulation, scribe: Scribe, bell: Listener[Any]
) -> Simulation | None:
    """The simulation once its package's own code, if any, has had its turn; None when there is nothing left to do."""
    if simulation.package_digest is None:
        return simulation
    exercise = simulation.exercise
    if exercise is None:
        exercise = await exercise_package(services, simulation, bell, lambda: _is_current(services, simulation))
        if exercise is None:
            return None
        await scribe.exercised(exercise)
        simulation = replace(simulation, exercise=exercise, story_from_seq=scribe.last_seq)
    if breach := exercise.breach:
        message = f"The package broke its {breach.limit} limit in {breach.what}. {breach.message}".rstrip()
        await scribe.failed(SimulationFailure(ErrorCode.LIMIT_EXCEEDED, message, STAGE))
        return None
    return simulation


async def _is_current(services: Services, simulation: Simulation) -> bool:
    """Whether nobody else has it, and it is not over."""
    current = await simulations.get(services.store, simulation.tenant_id, simulation.id)
    return current is not None and current.fence == simulation.fence and not current.is_over


class _Conductor:
    """One simulation under one fence."""

    def __init__(
        self,
        services: Services,
        simulation: Simulation,
        architecture: Architecture,
        scribe: Scribe,
        bell: Listener[Any],
    ) -> None:
        self._services = services
        self._simulation = simulation
        self._architecture = architecture
        self._scribe = scribe
        self._bell = bell
        self._performance: Performance
        self._begun_at = 0.0
        self._batches = 0

    async def conduct(self) -> None:
        await self._begin()
        while True:
            await self._check_storage()
            drafts = self._performance.drafts_until(self._simulated_ms(), BATCH)
            if self._performance.over:
                if await self._finish(drafts):
                    return
                await self._begin()
                continue
            if drafts:
                await self._store(drafts)
            if not await self._wait():
                return

    async def _check_storage(self) -> None:
        """Before the first events and from time to time: is there room for more in the environment?"""
        if self._batches % BATCHES_UNCHECKED == 0:
            await check_storage(self._services)
        self._batches += 1

    async def _begin(self) -> None:
        """Go to where the stored events end, and carry out the commands that wait."""
        simulation, store = self._simulation, self._services.store
        self._performance = Performance(self._services.book, simulation, self._architecture)
        recorded = await commands.list(store, simulation.tenant_id, simulation.id)
        await self._performance.repeat(self._scribe.last_seq - simulation.story_from_seq, recorded)
        if simulation.pace and simulation.started_at:
            since = await store.now() - simulation.started_at
            self._begun_at = asyncio.get_running_loop().time() - since.total_seconds()
        await self._store(())

    def _simulated_ms(self) -> float | None:
        """How far the simulation should be by now; None: as far as it can get."""
        if not self._simulation.pace:
            return None
        return (asyncio.get_running_loop().time() - self._begun_at) * self._simulation.pace * 1000

    async def _store(self, drafts: Sequence[EventDraft]) -> None:
        """Store events, and carry out the commands that wait: they take effect after these events."""
        if not drafts:
            recorded = await commands.list(self._services.store, self._simulation.tenant_id, self._simulation.id)
            if all(each.step is not None for each in recorded):
                return
        for command in await self._scribe.append_fixing_commands(drafts, self._performance.step):
            self._performance.inject(command)

    async def _finish(self, drafts: Sequence[EventDraft]) -> bool:
        """End with these events; False when a command came in between, and the last events must be computed anew."""
        try:
            await self._scribe.succeeded(self._performance.narrative, drafts, self._performance.elapsed_ms)
        except CommandsPendingError:
            return False
        return True

    async def _wait(self) -> bool:
        """Wait until the next step is due, or something is done to the simulation; False when it is ours no more."""
        simulated_ms, next_at_ms = self._simulated_ms(), self._performance.next_at_ms
        if simulated_ms is None or next_at_ms is None or next_at_ms <= simulated_ms:
            await asyncio.sleep(0)
            return True
        pause = (next_at_ms - simulated_ms) / 1000 / self._simulation.pace
        try:
            async with asyncio.timeout(min(pause, LOOK_EVERY_S)):
                await self._bell.wait()
        except TimeoutError:
            if pause <= LOOK_EVERY_S:
                return True
        if not await _is_current(self._services, self._simulation):
            return False
        await self._store(())
        return True
