"""Waiting until a simulation is planned or over, by following its log: whichever process does the work."""

import asyncio
from contextlib import aclosing

from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.events import EventKind
from windtunnel.domain.policy import PLANNING_TIMEOUT_S
from windtunnel.domain.simulations import Simulation, SimulationStage, SimulationStatus
from windtunnel.operations.event_log import event_log
from windtunnel.operations.services import Services
from windtunnel.storage import simulations
from windtunnel.streams.follow import follow

PLANNED_TIMEOUT_S = 1.5 * PLANNING_TIMEOUT_S
FINISHED_TIMEOUT_S = 60.0

_REACHED = {
    SimulationStage.PLANNED: frozenset({EventKind.ARCHITECTURE_PLANNED, EventKind.SIMULATION_FINISHED}),
    SimulationStage.FINISHED: frozenset({EventKind.SIMULATION_FINISHED}),
}
_TIMEOUT_S = {
    SimulationStage.PLANNED: PLANNED_TIMEOUT_S,
    SimulationStage.FINISHED: PLANNED_TIMEOUT_S + FINISHED_TIMEOUT_S,
}


async def await_stage(services: Services, simulation: Simulation, stage: SimulationStage) -> Simulation:
    """The simulation as it is once it has reached `stage` or is over, or after a generous time in any case.

    Raises NotFoundError when it is deleted meanwhile.
    """
    if not _is_reached(simulation, stage):
        try:
            async with asyncio.timeout(_TIMEOUT_S[stage]):
                await _reached(services, simulation, _REACHED[stage])
        except TimeoutError:
            pass
    current = await simulations.get(services.store, simulation.tenant_id, simulation.id)
    if current is None:
        raise NotFoundError("The simulation was deleted.", resource_id=simulation.id)
    return current


def _is_reached(simulation: Simulation, stage: SimulationStage) -> bool:
    if stage is SimulationStage.ACCEPTED or simulation.is_over:
        return True
    return stage is SimulationStage.PLANNED and simulation.status is not SimulationStatus.PLANNING


async def _reached(services: Services, simulation: Simulation, kinds: frozenset[EventKind]) -> None:
    log = event_log(services.store, simulation.tenant_id, simulation.id)
    async with aclosing(follow(services.hub, log, 0, lambda event: event.kind in kinds)) as events:
        async for _ in events:
            continue
