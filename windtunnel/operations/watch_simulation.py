"""Watching a simulation: its events without gap or repeat, stored ones first, up to the last."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.event_log import event_log, not_found
from windtunnel.operations.permit import permit
from windtunnel.operations.places import place_of
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
    async with place_of(services, viewer.tenant_id, simulation_id) as place:
        if place is None:
            raise not_found(simulation_id)
        async with aclosing(_watch(place, viewer.tenant_id, simulation_id, after)) as events:
            async for event in events:
                if kinds is None or event.kind in kinds:
                    yield event


async def _watch(
    place: Services, tenant_id: str, simulation_id: str, after: int | None
) -> AsyncGenerator[SimulationEvent]:
    simulation = await simulations.get(place.store, tenant_id, simulation_id)
    if simulation is None:
        raise not_found(simulation_id)
    if after is None:
        after = simulation.last_seq
    if simulation.is_over and after >= simulation.last_seq:
        return
    log = event_log(place.store, tenant_id, simulation_id)
    # From a number that is not reached yet, the end would not be seen.
    begin = min(after, simulation.last_seq)
    async with aclosing(follow(place.hub, log, begin, _is_last)) as events:
        async for event in events:
            if event.seq > after:
                yield event


def _is_last(event: SimulationEvent) -> bool:
    return event.kind is EventKind.SIMULATION_FINISHED
