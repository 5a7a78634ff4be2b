"""Accepting a simulation: one transaction stores it with what it needs, unless it was asked for before."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError, QuotaError
from windtunnel.domain.events import SimulationEvent
from windtunnel.domain.planning import PlannerMode
from windtunnel.domain.policy import SEED_MAX
from windtunnel.domain.scenarios import Scenario, title_of
from windtunnel.domain.simulations import Simulation, SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.copying import architecture_here, scenario_here
from windtunnel.operations.entering import let_in
from windtunnel.operations.environment_packages import demand_room
from windtunnel.operations.environment_storage import StorageFullError
from windtunnel.operations.idempotent import Done, once
from windtunnel.operations.lifecycle import planned_draft, started_draft
from windtunnel.operations.read_package import manifest_of
from windtunnel.operations.requests import SimulateRequest, asked_for
from windtunnel.operations.services import Services
from windtunnel.storage import events, scenarios, simulations, transitions

Accepted = tuple[Simulation, Sequence[SimulationEvent]]


async def accept(services: Services, viewer: Viewer, request: SimulateRequest) -> Accepted:
    """The simulation with its first events, which are stored now; without events when it was there before.

    It lies where the services are: at home, or in an environment that lets it in. To be planned, it is under the lease
    of `services.planning`. Raises NotFoundError, QuotaError and ConflictError (IDEMPOTENCY_MISMATCH, ENVIRONMENT_...).
    """

    async def act() -> Done[Accepted]:
        await let_in(services, viewer)
        if request.package_digest is not None:
            await _check_room(services, request.package_digest)
        await _check_quota(services, viewer.tenant_id)
        simulation = _blank(services, viewer, request, await services.store.now())
        if request.architecture_id is not None:
            accepted = await _queue(services, viewer, simulation, request.architecture_id)
        else:
            accepted = await _begin_planning(services, viewer, simulation, request)
        await _put_on_record(services, viewer, accepted[0], request.text)
        return Done(simulation.id, accepted)

    outcome = await once(services, viewer, asked_for(request), act)
    return outcome.made or (await _known(services, viewer.tenant_id, outcome.result_id), ())


async def _put_on_record(services: Services, viewer: Viewer, simulation: Simulation, text: str | None) -> None:
    """The simulation, and the scenario if it is new: by the digest of its words, which may be deleted some day."""
    if text is not None and simulation.scenario_id is not None:
        scenario = Subject(Kind.SCENARIO, simulation.scenario_id)
        details: dict[str, object] = {"sha256": sha256(text.encode()).hexdigest()}
        await record(services, viewer, viewer.tenant_id, AuditAction.SCENARIO_CREATED, scenario, details=details)
    known = simulation.scenario_id and Subject(Kind.SCENARIO, simulation.scenario_id)
    details = {"scenarioId": known, "seed": simulation.seed, "pace": simulation.pace}
    if simulation.environment_id is not None:
        details["environmentId"] = Subject(Kind.ENVIRONMENT, simulation.environment_id)
    if simulation.package_digest is not None:
        details["packageDigest"] = simulation.package_digest
    subject = Subject(Kind.SIMULATION, simulation.id)
    await record(services, viewer, viewer.tenant_id, AuditAction.SIMULATION_STARTED, subject, details=details)


async def _known(services: Services, tenant_id: str, simulation_id: str) -> Simulation:
    simulation = await simulations.get(services.store, tenant_id, simulation_id)
    if simulation is None:
        raise NotFoundError(
            "This idempotency key led to a simulation that was deleted since. Use a new one.",
            resource_id=simulation_id,
            path=("input", "idempotency_key"),
        )
    return simulation


async def _check_quota(services: Services, tenant_id: str) -> None:
    waiting, limit = (await simulations.counts(services.store, tenant_id)).waiting, services.limits.max_queued
    if waiting >= limit:
        raise QuotaError(
            f"{waiting:,} of your simulations are waiting; at most {limit:,} may. "
            "Try again when some have started, or cancel some.",
            limit=limit,
            used=waiting,
        )


async def _check_room(services: Services, digest: str) -> None:
    try:
        await demand_room(services, digest, await manifest_of(services, digest))
    except StorageFullError as full:
        more = f"With this package: {full} Provision one with more, or delete scenarios in this one."
        raise QuotaError(more, limit=full.limit_mb, used=full.used_mb, path=("input", "package_digest")) from None


def _blank(services: Services, viewer: Viewer, request: SimulateRequest, at: datetime) -> Simulation:
    return Simulation(
        id=services.new_id(),
        tenant_id=viewer.tenant_id,
        scenario_id=None,
        architecture_id=None,
        environment_id=services.environment.id if services.environment else None,
        package_digest=request.package_digest,
        status=SimulationStatus.PLANNING,
        seed=secrets.randbelow(SEED_MAX + 1) if request.seed is None else request.seed,
        pace=request.pace,
        planner_mode=services.planner.mode if request.package_digest is None else PlannerMode.OFFLINE,
        failures=request.failures,
        inject_failures=tuple(dict.fromkeys(request.inject_failures)),
        created_at=at,
        created_by=viewer.user.id,
    )


async def _queue(services: Services, viewer: Viewer, blank: Simulation, architecture_id: str) -> Accepted:
    """A simulation of a stored architecture: nothing is planned again."""
    found = await architecture_here(services, viewer, architecture_id)
    if found is None:
        raise NotFoundError(
            "There is no such architecture.",
            resource_id=architecture_id,
            path=("input", "scenario", "architecture_id"),
        )
    simulation = _leased(services, replace(blank, scenario_id=found.scenario_id))
    await simulations.insert(services.store, simulation)
    drafts = [started_draft(SimulationStatus.QUEUED), planned_draft(found.architecture, found.id)]
    stored = await transitions.planned(
        services.store,
        simulation.tenant_id,
        simulation.id,
        simulation.fence,
        0,
        interpretation=None,
        architecture_id=found.id,
        drafts=drafts,
    )
    return replace(simulation, status=SimulationStatus.QUEUED, architecture_id=found.id), stored


async def _begin_planning(services: Services, viewer: Viewer, blank: Simulation, request: SimulateRequest) -> Accepted:
    """A simulation of a scenario, new or stored, under the lease of who plans it here."""
    scenario_id = await _scenario_id(services, viewer, blank, request)
    simulation = _leased(services, replace(blank, scenario_id=scenario_id))
    await simulations.insert(services.store, simulation)
    drafts = [started_draft(SimulationStatus.PLANNING)]
    stored = await events.append(services.store, simulation.tenant_id, simulation.id, simulation.fence, 0, drafts)
    return replace(simulation, last_seq=len(drafts)), stored


def _leased(services: Services, simulation: Simulation) -> Simulation:
    return replace(simulation, fence=1, lease_owner=services.planning.owner)


async def _scenario_id(services: Services, viewer: Viewer, blank: Simulation, request: SimulateRequest) -> str:
    if request.text is not None:
        scenario = Scenario(
            id=services.new_id(),
            tenant_id=blank.tenant_id,
            title=title_of(request.text),
            text=request.text,
            created_at=blank.created_at,
            created_by=blank.created_by,
        )
        await scenarios.insert(services.store, scenario)
        return scenario.id
    scenario_id = request.scenario_id or ""
    found = await scenario_here(services, viewer, scenario_id)
    if found is None:
        raise NotFoundError(
            "There is no such scenario.", resource_id=scenario_id, path=("input", "scenario", "scenario_id")
        )
    return found.id
