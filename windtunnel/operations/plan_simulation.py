"""Planning a simulation: the planning agents' steps as events, then the network, or why there is none."""

from collections import Counter

import structlog

from windtunnel.domain.errors import ErrorCode, WindtunnelError
from windtunnel.domain.events import EventKind
from windtunnel.domain.planning import OnStep, Plan, PlannerStep
from windtunnel.domain.simulations import Simulation, SimulationFailure
from windtunnel.operations.lifecycle import step_draft
from windtunnel.operations.package_plan import declared_by
from windtunnel.operations.read_package import manifest_of
from windtunnel.operations.scribe import Scribe
from windtunnel.operations.services import Services
from windtunnel.planning import plan_declared
from windtunnel.storage import events, scenarios

STAGE = "planning"
DEFECT = "Planning failed because of a defect in this service. Try again, or tell its operator."
_PAGE = 500

log = structlog.get_logger()


async def plan_simulation(services: Services, simulation: Simulation) -> None:
    """PLANNING -> QUEUED or FAILED, under the lease that is held. Raises LeaseLostError, UnavailableError.

    One that somebody else began to plan is planned again; steps that are stored already are not told twice.
    """
    found = await scenarios.get_many(services.store, simulation.tenant_id, [simulation.scenario_id or ""])
    scenario = found.get(simulation.scenario_id or "")
    if scenario is None:
        return  # deleted meanwhile
    scribe = Scribe(services, simulation)
    reporter = _Reporter(scribe, await _stored_steps(services, simulation))
    async with services.planning_slots:
        plan = await _plan(services, simulation, scenario.text, reporter)
    if isinstance(plan, SimulationFailure):
        await scribe.failed(plan)
    else:
        await scribe.planned(plan.interpretation, plan.architecture)


class _Reporter:
    """Tells each step once."""

    def __init__(self, scribe: Scribe, stored: Counter[tuple[str, str]]) -> None:
        self._broken: Exception | None = None
        self._scribe = scribe
        self._stored = stored

    async def tell(self, step: PlannerStep) -> None:
        key = (step.planner.value, step.status.value)
        if self._stored[key] > 0:
            self._stored[key] -= 1
            return
        try:
            await self._scribe.append([step_draft(step)])
        except Exception as error:
            self._broken = error
            raise

    def check(self) -> None:
        """Raise the failure of storage, if any, that the planner was interrupted by: it is not the planner's own."""
        if self._broken is not None:
            raise self._broken


async def _plan(services: Services, simulation: Simulation, text: str, reporter: _Reporter) -> Plan | SimulationFailure:
    try:
        plan = await _planned(services, simulation, text, reporter.tell)
        reporter.check()
    except Exception as error:
        reporter.check()
        if isinstance(error, WindtunnelError):
            return SimulationFailure(error.code, error.message, STAGE)
        log.exception("planner failed", simulation_id=simulation.id)
        return SimulationFailure(ErrorCode.INTERNAL, DEFECT, STAGE)
    return plan


async def _planned(services: Services, simulation: Simulation, text: str, on_step: OnStep) -> Plan:
    """By the planning agents, or as the package declares it."""
    if simulation.package_digest is None:
        return await services.planner.plan(text, on_step)
    declared = declared_by(await manifest_of(services, simulation.package_digest))
    return await plan_declared(declared, text, on_step)


async def _stored_steps(services: Services, simulation: Simulation) -> Counter[tuple[str, str]]:
    if simulation.last_seq <= 1:
        return Counter()
    stored = await events.read(
        services.store, simulation.tenant_id, simulation.id, 0, _PAGE, kinds=[EventKind.PLANNER_STEP]
    )
    return Counter((event.body["planner"], event.body["status"]) for event in stored)
