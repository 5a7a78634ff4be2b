"""Injecting a failure into a run under way: recorded as a command that its conductor carries out."""

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, QuotaError, ValidationError
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import INJECTED_FAILURES_MAX
from windtunnel.domain.simulations import Command, Simulation, SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import wake_conductor
from windtunnel.operations.audit_trail import record
from windtunnel.operations.event_log import not_found
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.places import place_of
from windtunnel.operations.requests import check_code
from windtunnel.operations.services import Services
from windtunnel.planning import failure_mode_for
from windtunnel.storage import architectures, commands, simulations

_ALLOWED = (SimulationStatus.QUEUED, SimulationStatus.RUNNING)


async def inject_failure(
    services: Services,
    viewer: Viewer,
    simulation_id: str,
    code: str,
    *,
    target: str | None = None,
    idempotency_key: str | None = None,
) -> Simulation:
    """The simulation, which is certain to meet the failure: at `target` (agent or tool key), or wherever it can.

    Raises ForbiddenError, ValidationError (unknown code or target), NotFoundError, QuotaError, and ConflictError
    unless the simulation is queued or running.
    """
    subject = Subject(Kind.SIMULATION, simulation_id)
    await permit(services, viewer, Action.INJECT_FAILURE, subject)
    check_code(code, services.book, ("input", "code"))
    what = {"simulation_id": simulation_id, "code": code, "target": target}
    asked = Asked(Action.INJECT_FAILURE, idempotency_key, what, subject)
    async with place_of(services, viewer.tenant_id, simulation_id) as place:
        if place is None:
            raise not_found(simulation_id)
        return await _inject(place, viewer, simulation_id, code, target, asked)


async def _inject(  # noqa: PLR0917 - what `inject_failure` was asked for
    place: Services, viewer: Viewer, simulation_id: str, code: str, target: str | None, asked: Asked
) -> Simulation:
    async def act() -> Done[Command]:
        command = await _add(place, viewer.tenant_id, simulation_id, code, target)
        details = {"code": code, "target": target, "number": command.number}
        subject = Subject(Kind.SIMULATION, simulation_id)
        await record(place, viewer, viewer.tenant_id, AuditAction.FAILURE_INJECTED, subject, details=details)
        return Done(simulation_id, command)

    outcome = await once(place, viewer, asked, act)
    if outcome.made:
        await wake_conductor(place.bus, simulation_id)
    simulation = await simulations.get(place.store, viewer.tenant_id, simulation_id)
    if simulation is None:
        raise not_found(simulation_id)
    return simulation


async def _add(services: Services, tenant_id: str, simulation_id: str, code: str, target: str | None) -> Command:
    store = services.store
    architecture = await _architecture_under_way(services, tenant_id, simulation_id)
    _check_target(architecture, target)
    given = len(await commands.list(store, tenant_id, simulation_id))
    if given >= INJECTED_FAILURES_MAX:
        raise QuotaError(
            f"At most {INJECTED_FAILURES_MAX} failures can be injected into one run.",
            limit=INJECTED_FAILURES_MAX,
            used=given,
        )
    mode = failure_mode_for(services.book, code, architecture, target)
    return await commands.add(store, tenant_id, simulation_id, mode, target)


async def _architecture_under_way(services: Services, tenant_id: str, simulation_id: str) -> Architecture:
    simulation = await simulations.get(services.store, tenant_id, simulation_id)
    if simulation is None:
        raise not_found(simulation_id)
    if simulation.status not in _ALLOWED or simulation.architecture_id is None:
        raise ConflictError(
            f"A failure can be injected while a simulation is queued or running; this one is {simulation.status}.",
            current=simulation.status.value,
            allowed=[status.value for status in _ALLOWED],
        )
    stored = await architectures.get_many(services.store, tenant_id, [simulation.architecture_id])
    return stored[simulation.architecture_id].architecture


def _check_target(architecture: Architecture, target: str | None) -> None:
    known = {agent.key for agent in architecture.agents} | {tool.key for tool in architecture.tools}
    if target is not None and target not in known:
        raise ValidationError(
            f"The target is not an agent or tool of this architecture. It has {', '.join(sorted(known)[:20])}.",
            rule="unknown_target",
            path=("input", "target"),
        )
