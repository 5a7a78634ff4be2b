import asyncio
from dataclasses import replace

import pytest

from tests.operations.world import (
    ReadyPlanner,
    begun,
    claimed,
    conduct_all,
    demo,
    kinds,
    now_stored,
    process,
    queued,
    stored_events,
    tale,
    until_stored,
)
from tests.storage.worlds import stranger
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    QuotaError,
    ValidationError,
)
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.policy import INJECTED_FAILURES_MAX
from windtunnel.domain.simulations import FailureInjection, Simulation, SimulationStatus
from windtunnel.domain.viewers import Role
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.inject_failure import inject_failure
from windtunnel.storage import commands

CODE = "llm_rate_limited"
QUIET = FailureInjection.NONE


def failures(told: list[SimulationEvent], code: str = CODE) -> list[SimulationEvent]:
    return [event for event in told if event.kind is EventKind.FAILURE_EVENT and event.body["code"] == code]


async def test_a_failure_injected_while_it_waits_is_certain(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        plain = await queued(services, viewer, failures=QUIET)
        simulation = await queued(services, viewer, failures=QUIET)
        answer = await inject_failure(services, viewer, simulation.id, CODE, target="technical")
        assert (answer.id, answer.status) == (simulation.id, SimulationStatus.QUEUED)
        await conduct_all(services)
        assert failures(await stored_events(services, plain)) == []
        struck = failures(await stored_events(services, simulation))
        assert struck
        assert struck[0].agent_key == "technical"
        assert [
            command.step for command in await commands.list(services.store, simulation.tenant_id, simulation.id)
        ] == [0]


async def test_a_failure_injected_under_way_strikes_at_once(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        plain = await queued(services, viewer, failures=QUIET)
        await conduct_all(services)
        expected = tale(await stored_events(services, plain))
        pace = (await stored_events(services, plain))[-1].elapsed_ms / 1000 / 2

        simulation = await queued(services, viewer, failures=QUIET, pace=pace)
        (mine,) = await claimed(services)
        conducting = asyncio.create_task(conduct_simulation(services, mine))
        await until_stored(services, simulation, 25)
        before = (await now_stored(services, simulation)).last_seq
        await inject_failure(services, viewer, simulation.id, CODE, idempotency_key="once")
        await inject_failure(services, viewer, simulation.id, CODE, idempotency_key="once")
        await conducting

        told = await stored_events(services, simulation)
        assert tale(told)[:before] == expected[:before]
        assert failures(told)
        assert failures(told)[0].seq > before
        (command,) = await commands.list(services.store, simulation.tenant_id, simulation.id)
        assert command.step is not None
        assert command.step > 0


async def test_an_accepted_injection_shows_however_close_to_the_end_it_comes(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        accepted = 0
        for turns in range(0, 80, 4):
            simulation = await queued(services, viewer, failures=QUIET)
            (mine,) = await claimed(services)
            conducting = asyncio.create_task(conduct_simulation(services, mine))
            for _ in range(turns):
                await asyncio.sleep(0)
            results = await asyncio.gather(
                inject_failure(services, viewer, simulation.id, CODE), conducting, return_exceptions=True
            )
            told = await stored_events(services, simulation)
            assert kinds(told)[-1] is EventKind.SIMULATION_FINISHED
            if isinstance(results[0], Simulation):
                accepted += 1
                assert failures(told), turns
            else:
                assert isinstance(results[0], ConflictError)
        assert accepted > 3


async def test_only_what_can_be_hit_can_be_aimed_at(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        for target in ("triage", "tool_crm", None):
            await inject_failure(services, viewer, simulation.id, CODE, target=target)
        for target in ("nobody", "", "\ud800"):
            with pytest.raises(ValidationError) as refused:
                await inject_failure(services, viewer, simulation.id, CODE, target=target)
            assert refused.value.rule == "unknown_target"
        with pytest.raises(ValidationError) as refused:
            await inject_failure(services, viewer, simulation.id, "nonsense")
        assert refused.value.rule == "unknown_failure_code"
        assert refused.value.path == ("input", "code")
        with pytest.raises(ValidationError):
            await inject_failure(services, viewer, simulation.id, CODE, idempotency_key="")
        assert len(await commands.list(services.store, simulation.tenant_id, simulation.id)) == 3
        await conduct_all(services)
        assert (await now_stored(services, simulation)).status is SimulationStatus.SUCCEEDED


async def test_only_a_simulation_under_way_can_be_disturbed(sqlite_url: str) -> None:
    async with process(sqlite_url, planner=ReadyPlanner(held_at=2)) as services:
        viewer = await demo(services)
        planning = await begun(services, viewer)
        with pytest.raises(ConflictError) as refused:
            await inject_failure(services, viewer, planning.id, CODE)
        assert (refused.value.current, refused.value.allowed) == ("PLANNING", ("QUEUED", "RUNNING"))
    async with process(sqlite_url) as services:
        over = await queued(services, viewer)
        await conduct_all(services)
        with pytest.raises(ConflictError) as refused:
            await inject_failure(services, viewer, over.id, CODE)
        assert refused.value.current == "SUCCEEDED"


async def test_only_its_own_tenant_and_the_right_roles_may(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        with pytest.raises(NotFoundError):
            await inject_failure(services, await stranger(services.store), simulation.id, CODE)
        for unknown in ("x", "", "\ud800", "0" * 36):
            with pytest.raises(NotFoundError):
                await inject_failure(services, viewer, unknown, CODE)
        with pytest.raises(ForbiddenError):
            await inject_failure(services, replace(viewer, roles=frozenset({Role.AUDITOR})), simulation.id, CODE)


async def test_a_key_injects_once_and_there_is_a_limit(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        await asyncio.gather(
            *(inject_failure(services, viewer, simulation.id, CODE, idempotency_key="key") for _ in range(10))
        )
        assert len(await commands.list(services.store, simulation.tenant_id, simulation.id)) == 1
        with pytest.raises(ConflictError) as refused:
            await inject_failure(services, viewer, simulation.id, CODE, target="triage", idempotency_key="key")
        assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
        for _ in range(INJECTED_FAILURES_MAX - 1):
            await inject_failure(services, viewer, simulation.id, CODE)
        with pytest.raises(QuotaError):
            await inject_failure(services, viewer, simulation.id, CODE)
        await conduct_all(services)
        assert (await now_stored(services, simulation)).status is SimulationStatus.SUCCEEDED
