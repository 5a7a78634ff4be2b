import asyncio
from dataclasses import replace

import pytest

from tests.operations.world import (
    TEXT,
    ReadyPlanner,
    begun,
    conduct_all,
    demo,
    kinds,
    now_stored,
    process,
    queued,
    stored_events,
)
from tests.storage.worlds import stranger
from tests.waiting import until
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    QuotaError,
    UnavailableError,
    ValidationError,
    WindtunnelError,
)
from windtunnel.domain.events import EventKind
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.simulations import Simulation, SimulationStage, SimulationStatus
from windtunnel.domain.viewers import Role
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.operations.requests import SimulateRequest
from windtunnel.operations.services import Limits
from windtunnel.operations.simulate import simulate
from windtunnel.planning import offline_planner
from windtunnel.storage import architectures, scenarios, simulations

PLANNED = [EventKind.SIMULATION_STARTED, *[EventKind.PLANNER_STEP] * 10, EventKind.ARCHITECTURE_PLANNED]


async def test_a_scenario_is_stored_planned_and_queued(sqlite_url: str) -> None:
    async with process(sqlite_url, planner=offline_planner()) as services:
        viewer = await demo(services)
        simulation = await simulate(services, viewer, SimulateRequest(text=TEXT, seed=-5, pace=2.5))

        assert simulation.status is SimulationStatus.QUEUED
        assert (simulation.seed, simulation.pace, simulation.created_by) == (-5, 2.5, viewer.user.id)
        assert simulation.interpretation is not None
        told = await stored_events(services, simulation)
        assert kinds(told) == PLANNED
        assert [event.seq for event in told] == list(range(1, 13))
        assert simulation.story_from_seq == simulation.last_seq == 12
        assert {event.elapsed_ms for event in told} == {0.0}
        found = await scenarios.get_many(services.store, viewer.tenant_id, [simulation.scenario_id or ""])
        assert [scenario.text for scenario in found.values()] == [TEXT]
        assert told[-1].body == {"architecture_id": simulation.architecture_id}
        stored = await architectures.get_many(services.store, viewer.tenant_id, [simulation.architecture_id or ""])
        assert len(stored[simulation.architecture_id or ""].architecture.agents) >= 3


async def test_a_stored_scenario_is_planned_again_and_a_stored_architecture_is_not(database_url: str) -> None:
    planner = ReadyPlanner()
    async with process(database_url, planner=planner) as services:
        viewer = await demo(services)
        first = await queued(services, viewer)
        again = await queued(services, viewer, text=None, scenario_id=first.scenario_id)
        same = await queued(services, viewer, text=None, architecture_id=first.architecture_id)

        assert planner.calls == 2
        assert again.scenario_id == same.scenario_id == first.scenario_id
        assert again.architecture_id != first.architecture_id
        assert same.architecture_id == first.architecture_id
        assert same.status is SimulationStatus.QUEUED
        assert kinds(await stored_events(services, same)) == [PLANNED[0], PLANNED[-1]]
        assert same.story_from_seq == 2
        await conduct_all(services)
        streams = [await stored_events(services, each) for each in (first, again, same)]
        bodies = [[(event.message, event.elapsed_ms) for event in stream[-50:]] for stream in streams]
        assert bodies[0] == bodies[1] == bodies[2]


async def test_planning_goes_on_when_nobody_waits(sqlite_url: str) -> None:
    planner = ReadyPlanner(held_at=3)
    async with process(sqlite_url, planner=planner) as services:
        viewer = await demo(services)
        accepted = await begun(services, viewer)
        assert accepted.status is SimulationStatus.PLANNING
        impatient = asyncio.create_task(queued(services, viewer))
        await until(lambda: planner.calls == 2)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        planner.gate.set()
        await queued(services, viewer, text=None, scenario_id=accepted.scenario_id)  # planned by then, too
        page = await simulations.page(services.store, viewer.tenant_id, PageRequest())
        assert {each.status for each in page.items} == {SimulationStatus.QUEUED}
        assert len(page.items) == 3


async def test_who_waits_for_the_end_gets_the_simulation_as_it_ended(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        waiting = asyncio.create_task(begun(services, await demo(services), wait_for=SimulationStage.FINISHED))
        while not waiting.done():
            await conduct_all(services)
        simulation = await waiting
        assert simulation.status is SimulationStatus.SUCCEEDED
        assert simulation.narrative


async def test_what_belongs_to_another_tenant_is_not_found(database_url: str) -> None:
    async with process(database_url) as services:
        mine = await queued(services, await demo(services), idempotency_key="key")
        eve = await stranger(services.store)
        with pytest.raises(NotFoundError):
            await queued(services, eve, text=None, scenario_id=mine.scenario_id)
        with pytest.raises(NotFoundError):
            await queued(services, eve, text=None, architecture_id=mine.architecture_id)
        assert (await queued(services, eve, idempotency_key="key")).id != mine.id


async def test_it_needs_a_role(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        for role in (Role.AUDITOR, Role.SECURITY_REVIEWER):
            with pytest.raises(ForbiddenError):
                await begun(services, replace(viewer, roles=frozenset({role})))
        for role in (Role.DEVELOPER, Role.OPERATOR, Role.ADMIN):
            await begun(services, replace(viewer, roles=frozenset({role})))


async def test_exactly_as_many_wait_as_may_when_all_ask_at_once(database_url: str) -> None:
    limits = Limits(max_queued=10)
    async with process(database_url, planner=ReadyPlanner(held_at=0), limits=limits) as services:
        viewer = await demo(services)
        answers = await asyncio.gather(*(begun(services, viewer) for _ in range(40)), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, QuotaError)]
        assert (len(refused), sum(isinstance(answer, Simulation) for answer in answers)) == (30, 10)
        assert all((error.limit, error.used) == (10, 10) for error in refused)
        assert (await simulations.counts(services.store, viewer.tenant_id)).waiting == 10


async def test_many_first_calls_with_one_key_make_one_simulation(database_url: str) -> None:
    planner = ReadyPlanner()
    async with process(database_url, planner=planner) as services:
        viewer = await demo(services)
        answers = await asyncio.gather(*(queued(services, viewer, idempotency_key="once") for _ in range(20)))
        assert len({answer.id for answer in answers}) == 1
        assert {answer.status for answer in answers} == {SimulationStatus.QUEUED}
        assert planner.calls == 1
        assert len(await stored_events(services, answers[0])) == 12


async def test_a_key_used_again_leads_to_the_same_simulation_or_is_refused(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        first = await begun(services, viewer, idempotency_key="key")
        waited = await queued(services, viewer, idempotency_key="key")
        assert waited.id == first.id
        assert waited.status is SimulationStatus.QUEUED
        with pytest.raises(ConflictError) as refused:
            await begun(services, viewer, idempotency_key="key", seed=12)
        assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
        await delete_scenario(services, viewer, first.scenario_id or "")
        with pytest.raises(NotFoundError):
            await begun(services, viewer, idempotency_key="key")


@pytest.mark.parametrize(
    ("failing", "kind", "code"),
    [
        (
            ValidationError("Too many agents.", rule="too_complex", code=ErrorCode.SCENARIO_TOO_COMPLEX),
            ValidationError,
            ErrorCode.SCENARIO_TOO_COMPLEX,
        ),
        (UnavailableError("No answer.", code=ErrorCode.TIMEOUT), UnavailableError, ErrorCode.TIMEOUT),
        (RuntimeError("secret"), UnavailableError, ErrorCode.INTERNAL),
    ],
)
async def test_a_failed_plan_fails_the_simulation_and_whoever_waits_for_it(
    sqlite_url: str, failing: Exception, kind: type[WindtunnelError], code: ErrorCode
) -> None:
    async with process(sqlite_url, planner=ReadyPlanner(failing)) as services:
        viewer = await demo(services)
        for _ in range(2):  # asked again, the answer is the same
            with pytest.raises(kind) as failed:
                await queued(services, viewer, idempotency_key="key")
            assert failed.value.code is code
            assert "secret" not in failed.value.message
        simulation = await begun(services, viewer, idempotency_key="key")
        assert simulation.status is SimulationStatus.FAILED
        assert simulation.error is not None
        assert (simulation.error.code, simulation.error.stage) == (code, "planning")
        told = await stored_events(services, simulation)
        assert kinds(told) == [*PLANNED[:-1], EventKind.SIMULATION_FINISHED]
        assert told[-1].body == {"status": "FAILED"}
        assert (await simulations.page(services.store, viewer.tenant_id, PageRequest())).total == 1


async def test_who_waits_for_a_plan_is_told_when_it_is_cancelled_or_deleted(sqlite_url: str) -> None:
    planner = ReadyPlanner(held_at=2)
    async with process(sqlite_url, planner=planner) as services:
        viewer = await demo(services)
        waiting = [asyncio.create_task(queued(services, viewer)) for _ in range(2)]
        await until(lambda: planner.calls == 2)
        page = await simulations.page(services.store, viewer.tenant_id, PageRequest())
        cancelled, deleted = page.items
        await cancel_simulation(services, viewer, cancelled.id)
        await delete_scenario(services, viewer, deleted.scenario_id or "")
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        ended = [answer for answer in answers if isinstance(answer, Simulation)]
        assert [(each.id, each.status) for each in ended] == [(cancelled.id, SimulationStatus.CANCELLED)]
        assert sum(isinstance(answer, NotFoundError) for answer in answers) == 1
        planner.gate.set()
    # the planner that was held finds its lease lost, silently
    async with process(sqlite_url) as services:
        assert kinds(await stored_events(services, cancelled))[-1] is EventKind.SIMULATION_FINISHED
        assert (await now_stored(services, cancelled)).status is SimulationStatus.CANCELLED
