"""Cancelling: the simulation ends now, whoever conducts it."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.permissions import Action
from windtunnel.domain.simulations import Simulation, SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_events, announce_work, wake_conductor
from windtunnel.operations.audit_trail import record
from windtunnel.operations.event_log import not_found
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import simulations, transitions


async def cancel_simulation(services: Services, viewer: Viewer, simulation_id: str) -> Simulation:
    """The simulation, CANCELLED, also when it was before.

    Raises ForbiddenError, NotFoundError, ConflictError when it came to its own end already.
    """
    subject = Subject(Kind.SIMULATION, simulation_id)
    await permit(services, viewer, Action.CANCEL_SIMULATION, subject)
    try:
        async with permitted_transaction(services, viewer, Action.CANCEL_SIMULATION, subject):
            events = await transitions.cancelled(
                services.store, viewer.tenant_id, simulation_id, "The simulation was cancelled."
            )
            await record(services, viewer, viewer.tenant_id, AuditAction.SIMULATION_CANCELLED, subject)
    except ConflictError as conflict:
        if conflict.current != SimulationStatus.CANCELLED:
            raise
        events = []
    await announce_events(services.bus, simulation_id, events)
    await wake_conductor(services.bus, simulation_id)
    await announce_work(services.bus)  # the tenant may run one more
    simulation = await simulations.get(services.store, viewer.tenant_id, simulation_id)
    if simulation is None:
        raise not_found(simulation_id)
    return simulation
