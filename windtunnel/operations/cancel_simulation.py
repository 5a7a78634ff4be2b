"""Cancelling: the simulation ends now, whoever conducts it."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.permissions import Action
from windtunnel.domain.simulations import Simulation, SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_events, announce_work, wake_conductor
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_runs import count_in
from windtunnel.operations.event_log import not_found
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.places import place_of
from windtunnel.operations.services import Services
from windtunnel.storage import simulations, transitions


async def cancel_simulation(services: Services, viewer: Viewer, simulation_id: str) -> Simulation:
    """The simulation, CANCELLED, also when it was before.

    Raises ForbiddenError, NotFoundError, ConflictError when it came to its own end already.
    """
    subject = Subject(Kind.SIMULATION, simulation_id)
    await permit(services, viewer, Action.CANCEL_SIMULATION, subject)
    async with place_of(services, viewer.tenant_id, simulation_id) as place:
        if place is None:
            raise not_found(simulation_id)
        return await _cancel(place, viewer, subject)


async def _cancel(place: Services, viewer: Viewer, subject: Subject) -> Simulation:
    tenant_id = viewer.tenant_id
    try:
        async with permitted_transaction(place, viewer, Action.CANCEL_SIMULATION, subject):
            events = await transitions.cancelled(place.store, tenant_id, subject.id, "The simulation was cancelled.")
            await count_in(place, tenant_id, subject.id)
            await record(place, viewer, tenant_id, AuditAction.SIMULATION_CANCELLED, subject)
    except ConflictError as conflict:
        if conflict.current != SimulationStatus.CANCELLED:
            raise
        events = []
    await announce_events(place.bus, subject.id, events)
    await wake_conductor(place.bus, subject.id)
    await announce_work(place.home.bus)  # the tenant may run one more
    simulation = await simulations.get(place.store, tenant_id, subject.id)
    if simulation is None:
        raise not_found(subject.id)
    return simulation
