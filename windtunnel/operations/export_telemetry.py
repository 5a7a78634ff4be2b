"""The telemetry of a run that is over: made from its stored events, and sent to the operator's collector."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ErrorCode, PolicyError
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import EVENTS_PAGE_MAX
from windtunnel.domain.simulations import FINAL_STATUSES, Simulation
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.event_log import not_found
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.places import place_of
from windtunnel.operations.services import Services
from windtunnel.storage import events, simulations

if TYPE_CHECKING:
    from windtunnel.telemetry.export import Exported

_OBSERVATIONS = (EventKind.OBSERVABILITY,)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was handed over, and what the collector did not want, in its own words."""

    simulation: Simulation
    spans: int
    metrics: int
    log_records: int
    rejected: tuple[str, ...]


async def export_telemetry(services: Services, viewer: Viewer, simulation_id: str) -> Sent:
    """Send the telemetry of a run to the collector of the settings: nobody else's address is ever connected to.

    It is put on record before it is sent. Raises ForbiddenError, PolicyError (FEATURE_DISABLED) without a collector,
    NotFoundError, ConflictError before the run is over, UnavailableError when the collector does not take it.
    """
    subject = Subject(Kind.SIMULATION, simulation_id)
    await permit(services, viewer, Action.EXPORT_TELEMETRY, subject)
    collector = services.home.collector
    if collector is None:
        raise PolicyError(
            "No collector is set: the operator names one in OTEL_EXPORTER_OTLP_ENDPOINT. The telemetry can be read at "
            "/simulations/{id}/telemetry.",
            policy="telemetry-export",
            code=ErrorCode.FEATURE_DISABLED,
        )
    simulation, exported = await telemetry_of(services, viewer.tenant_id, simulation_id)
    async with permitted_transaction(services, viewer, Action.EXPORT_TELEMETRY, subject):
        details = {"collector": collector.place, "seed": simulation.seed}
        await record(services, viewer, viewer.tenant_id, AuditAction.TELEMETRY_EXPORTED, subject, details=details)
    from windtunnel.telemetry.export import Kind as Signal
    from windtunnel.telemetry.sending import send

    rejections = await send(exported, collector)
    counts = exported.counts()
    return Sent(
        simulation,
        spans=counts[Signal.TRACES],
        metrics=counts[Signal.METRICS],
        log_records=counts[Signal.LOGS],
        rejected=tuple(f"{each.kind.value}: {each.count} rejected, {each.reason}".rstrip(", ") for each in rejections),
    )


async def telemetry_of(services: Services, tenant_id: str, simulation_id: str) -> "tuple[Simulation, Exported]":
    """A run that is over, and its telemetry. Raises NotFoundError, and ConflictError before it is over."""
    async with place_of(services, tenant_id, simulation_id) as place:
        simulation = await simulations.get(place.store, tenant_id, simulation_id) if place else None
        if place is None or simulation is None:
            raise not_found(simulation_id)
        if not simulation.is_over:
            raise ConflictError(
                "The telemetry is there once the simulation is over.",
                current=simulation.status,
                allowed=sorted(FINAL_STATUSES),
            )
        told = await _observations(place, tenant_id, simulation_id)
    return simulation, await asyncio.to_thread(_exported, services, simulation, told)


async def _observations(place: Services, tenant_id: str, simulation_id: str) -> list[SimulationEvent]:
    found: list[SimulationEvent] = []
    while True:
        after = found[-1].seq if found else 0
        page = await events.read(place.store, tenant_id, simulation_id, after, EVENTS_PAGE_MAX, kinds=_OBSERVATIONS)
        found += page
        if len(page) < EVENTS_PAGE_MAX:
            return found


def _exported(services: Services, simulation: Simulation, told: list[SimulationEvent]) -> "Exported":
    from windtunnel.telemetry.export import exported
    from windtunnel.telemetry.values import About

    public_id = Subject(Kind.SIMULATION, simulation.id).global_id
    began = simulation.started_at or simulation.created_at
    return exported(told, About(public_id, simulation.seed, began, services.home.profile))
