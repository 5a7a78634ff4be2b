"""Deleting a scenario with everything that came of it; what is under way ends without a trace."""

from dataclasses import replace

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import PAGE_SIZE_MAX
from windtunnel.domain.simulations import OPEN_STATUSES, SimulationFilter
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_deleted, announce_work
from windtunnel.operations.audit_trail import record
from windtunnel.operations.experiment_log import announce_experiments_deleted
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.places import place_of
from windtunnel.operations.services import Services
from windtunnel.storage import architectures, experiment_changes, scenarios, simulations


async def delete_scenario(services: Services, viewer: Viewer, scenario_id: str) -> str:
    """The id of the scenario that is gone. Raises ForbiddenError, NotFoundError."""
    subject = Subject(Kind.SCENARIO, scenario_id)
    await permit(services, viewer, Action.DELETE_SCENARIO, subject)
    async with place_of(services, viewer.tenant_id, scenario_id) as place:
        if place is None:
            raise _not_found(scenario_id)
        unfinished, experiments = await _delete(place, viewer, subject)
        for simulation_id in unfinished:
            await announce_deleted(place.bus, simulation_id)
    await announce_experiments_deleted(services.home.bus, experiments)
    await announce_work(services.home.bus)  # the tenant may run more
    return scenario_id


async def _delete(place: Services, viewer: Viewer, subject: Subject) -> tuple[list[str], list[str]]:
    """The ids of the simulations that were not over, and of all experiments."""
    tenant_id = viewer.tenant_id
    async with permitted_transaction(place, viewer, Action.DELETE_SCENARIO, subject):
        unfinished = await _unfinished(place, tenant_id, subject.id)  # under the lock: no more of them begin now
        planned = await architectures.of_scenario(place.store, tenant_id, subject.id)
        if not await scenarios.delete(place.store, tenant_id, subject.id):
            raise _not_found(subject.id)
        gone = await experiment_changes.delete_of_architectures(place.home.store, tenant_id, planned)
        await record(place, viewer, tenant_id, AuditAction.SCENARIO_DELETED, subject)
    return unfinished, gone


async def _unfinished(services: Services, tenant_id: str, scenario_id: str) -> list[str]:
    request = PageRequest(limit=PAGE_SIZE_MAX)
    wanted = SimulationFilter(scenario_id=scenario_id, statuses=OPEN_STATUSES)
    ids: list[str] = []
    while True:
        page = await simulations.page(services.store, tenant_id, request, wanted)
        ids += [simulation.id for simulation in page.items]
        if not page.has_next:
            return ids
        request = replace(request, after=page.keys[-1])


def _not_found(scenario_id: str) -> NotFoundError:
    return NotFoundError("There is no such scenario.", resource_id=scenario_id, path=("input", "scenario_id"))
