"""Simulating: what is asked for is stored, planned and queued; the caller waits as long as it wants to."""

from functools import partial

from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError, WindtunnelError
from windtunnel.domain.permissions import Action
from windtunnel.domain.simulations import Simulation, SimulationFailure, SimulationStage, SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations import plan_simulation as planning
from windtunnel.operations.acceptance import accept
from windtunnel.operations.announce import announce_events, announce_work
from windtunnel.operations.await_stage import await_stage
from windtunnel.operations.permit import permit
from windtunnel.operations.requests import SimulateRequest, check_request
from windtunnel.operations.services import Services

__all__ = ["SimulateRequest", "simulate"]


async def simulate(services: Services, viewer: Viewer, request: SimulateRequest) -> Simulation:
    """Store what is asked for, and return the simulation once `request.wait_for` is reached.

    Planning goes on when the caller goes away. Raises ForbiddenError, ValidationError, NotFoundError, QuotaError,
    ConflictError (IDEMPOTENCY_MISMATCH), UnavailableError; with `wait_for` beyond ACCEPTED also what planning failed
    with. Asked again with the same idempotency key, it returns the same simulation.
    """
    await permit(services, viewer, Action.SIMULATE)
    check_request(request, services.book)
    simulation, first_events = await accept(services, viewer, request)
    if first_events:
        if simulation.status is SimulationStatus.PLANNING:
            services.planning.start(services.store, simulation, partial(planning.plan_simulation, services))
        await announce_events(services.bus, simulation.id, first_events)
        if simulation.status is SimulationStatus.QUEUED:
            await announce_work(services.home.bus)
    reached = await await_stage(services, simulation, request.wait_for)
    if reached.error and reached.error.stage == planning.STAGE and request.wait_for is not SimulationStage.ACCEPTED:
        raise _planning_error(reached.error)
    return reached


def _planning_error(failure: SimulationFailure) -> WindtunnelError:
    """What planning failed with, as an error of the request; it is the scenario's fault, or ours."""
    if failure.code in {ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT, ErrorCode.INTERNAL}:
        return UnavailableError(failure.message, code=failure.code)
    return ValidationError(
        failure.message, rule=failure.code.lower(), code=failure.code, path=("input", "scenario", "text")
    )
