"""Simulating: what is asked for is stored, planned and queued; the caller waits as long as it wants to."""

from collections.abc import Sequence
from functools import partial

from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError, WindtunnelError
from windtunnel.domain.events import SimulationEvent
from windtunnel.domain.permissions import Action
from windtunnel.domain.simulations import Simulation, SimulationFailure, SimulationStage, SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations import plan_simulation as planning
from windtunnel.operations.acceptance import accept
from windtunnel.operations.announce import announce_events, announce_work
from windtunnel.operations.await_stage import await_stage
from windtunnel.operations.entering import entered
from windtunnel.operations.package_plan import declared_by
from windtunnel.operations.permit import permit
from windtunnel.operations.places import held
from windtunnel.operations.read_package import usable_package
from windtunnel.operations.requests import SimulateRequest, check_request
from windtunnel.operations.services import Services

__all__ = ["SimulateRequest", "simulate"]


async def simulate(services: Services, viewer: Viewer, request: SimulateRequest) -> Simulation:
    """Store what is asked for, and return the simulation once `request.wait_for` is reached.

    It lies in the environment that was asked for, else at home; planning goes on when the caller goes away. Raises
    ForbiddenError, ValidationError (PACKAGE_INVALID), NotFoundError, QuotaError, ConflictError (IDEMPOTENCY_MISMATCH,
    ENVIRONMENT_EXPIRED, ENVIRONMENT_PAUSED), UnavailableError; with `wait_for` beyond ACCEPTED also what planning
    failed with. Asked again with the same idempotency key, it returns the same simulation.
    """
    await permit(services, viewer, Action.SIMULATE)
    check_request(request, services.book)
    if request.package_digest is not None:
        declared_by(await usable_package(services, viewer, request.package_digest))
    async with entered(services, viewer, request.environment_id) as place:
        simulation, first_events = await accept(place, viewer, request)
        if first_events:
            await _begin(place, simulation, first_events)
        reached = await await_stage(place, simulation, request.wait_for)
    if reached.error and reached.error.stage == planning.STAGE and request.wait_for is not SimulationStage.ACCEPTED:
        raise _planning_error(reached.error)
    return reached


async def _begin(place: Services, simulation: Simulation, first_events: Sequence[SimulationEvent]) -> None:
    """What was accepted is planned here, or by now a matter of the workers."""
    if simulation.status is SimulationStatus.PLANNING:
        job = partial(planning.plan_simulation, place)
        place.planning.start(place.store, simulation, job, after=held(place))
    await announce_events(place.bus, simulation.id, first_events)
    if simulation.status is SimulationStatus.QUEUED:
        await announce_work(place.home.bus)


def _planning_error(failure: SimulationFailure) -> WindtunnelError:
    """What planning failed with, as an error of the request; it is the scenario's fault, or ours."""
    if failure.code in {ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT, ErrorCode.INTERNAL}:
        return UnavailableError(failure.message, code=failure.code)
    return ValidationError(
        failure.message, rule=failure.code.lower(), code=failure.code, path=("input", "scenario", "text")
    )
