"""Deleting a scenario with everything that came of it; simulations under way end without a trace."""

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
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import scenarios, simulations


async def delete_scenario(services: Services, viewer: Viewer, scenario_id: str) -> str:
    """The id of the scenario that is gone. Raises ForbiddenError, NotFoundError."""
    subject = Subject(Kind.SCENARIO, scenario_id)
    await permit(services, viewer, Action.DELETE_SCENARIO, subject)
    store, tenant_id = services.store, viewer.tenant_id
    async with permitted_transaction(services, viewer, Action.DELETE_SCENARIO, subject):
        unfinished = await _unfinished(services, tenant_id, scenario_id)  # under the lock: no more of them begin now
        if not await scenarios.delete(store, tenant_id, scenario_id):
            raise NotFoundError("There is no such scenario.", resource_id=scenario_id, path=("input", "scenario_id"))
        await record(services, viewer, tenant_id, AuditAction.SCENARIO_DELETED, subject)
    for simulation_id in unfinished:
        await announce_deleted(services.bus, simulation_id)
    await announce_work(services.bus)  # the tenant may run more
    return scenario_id


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
