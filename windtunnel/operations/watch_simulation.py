"""Watching a simulation: its events without gap or repeat, stored ones first, up to the last."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.event_log import event_log, not_found
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import simulations
from windtunnel.streams.follow import follow


async def watch_simulation(
    services: Services,
    viewer: Viewer,
    simulation_id: str,
    after: int | None = 0,
    kinds: frozenset[EventKind] | None = None,
) -> AsyncGenerator[SimulationEvent]:
    """Events numbered above `after` (None: only new ones), of `kinds` (None: all), ending with SIMULATION_FINISHED.

    Raises ForbiddenError, NotFoundError (also when the simulation is deleted meanwhile) and UnavailableError. Close
    it (`aclose`) to release everything.
    """
    await permit(services, viewer, Action.WATCH_SIMULATION, Subject(Kind.SIMULATION, simulation_id))
    simulation = await simulations.get(services.store, viewer.tenant_id, simulation_id)
    if simulation is None:
        raise not_found(simulation_id)
    if after is None:
        after = simulation.last_seq
    if simulation.is_over and after >= simulation.last_seq:
        return
    log = event_log(services.store, viewer.tenant_id, simulation_id)
    # From a number that is not reached yet, the end would not be seen.
    begin = min(after, simulation.last_seq)
    async with aclosing(follow(services.hub, log, begin, _is_last)) as events:
        async for event in events:
            if event.seq > after and (kinds is None or event.kind in kinds):
                yield event


def _is_last(event: SimulationEvent) -> bool:
    return event.kind is EventKind.SIMULATION_FINISHED
