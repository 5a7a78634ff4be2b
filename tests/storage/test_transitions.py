"""Transitions: each legal one with its events, every other refused."""

import asyncio

import pytest

from tests.examples import support_triage
from tests.storage.worlds import INTERPRETATION, demo, drafts, planning, queued, running, stored, stranger
from windtunnel.domain.errors import ConflictError, ErrorCode, NotFoundError
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.ids import new_id
from windtunnel.domain.simulations import OPEN_STATUSES, Simulation, SimulationFailure, SimulationStatus
from windtunnel.storage import architectures, commands, events, leases, simulations, transitions
from windtunnel.storage.errors import CommandsPendingError, LeaseLostError
from windtunnel.storage.store import Store, open_store

FAILURE = SimulationFailure(ErrorCode.TIMEOUT, "The planner did not answer.", "planning")


async def finish(
    store: Store, simulation: Simulation, status: SimulationStatus = SimulationStatus.SUCCEEDED
) -> list[SimulationEvent]:
    failed = status is SimulationStatus.FAILED
    return await transitions.finished(
        store,
        simulation.tenant_id,
        simulation.id,
        simulation.fence,
        simulation.last_seq,
        status=status,
        narrative=None if failed else "All went well.",
        error=FAILURE if failed else None,
        drafts=drafts(1, EventKind.SIMULATION_FINISHED),
    )


async def test_planned_queues_it_and_marks_where_the_story_begins(store: Store) -> None:
    you = await demo(store)
    simulation = await planning(store, you)
    architecture_id = new_id()
    async with store.transaction(you.tenant_id):
        await architectures.insert(
            store,
            you.tenant_id,
            architecture_id,
            scenario_id=None,
            architecture=support_triage(),
            created_at=await store.now(),
        )
        appended = await transitions.planned(
            store,
            simulation.tenant_id,
            simulation.id,
            1,
            1,
            interpretation=INTERPRETATION,
            architecture_id=architecture_id,
            drafts=drafts(3, EventKind.PLANNER_STEP),
        )
    found = await stored(store, simulation)
    assert [event.seq for event in appended] == [2, 3, 4]
    assert (found.status, found.last_seq, found.story_from_seq) == (SimulationStatus.QUEUED, 4, 4)
    assert (found.architecture_id, found.interpretation) == (architecture_id, INTERPRETATION)
    assert (found.lease_owner, found.fence, found.started_at) == (None, 1, None)


async def test_planned_by_an_outdated_planner_changes_nothing(store: Store) -> None:
    you = await demo(store)
    simulation = await planning(store, you)
    done = await queued(store, you)
    for wanted, fence, after in (
        (simulation.id, 2, 1),
        (simulation.id, 1, 0),
        (done.id, 1, 2),  # planned already
        (new_id(), 1, 0),
    ):
        with pytest.raises(LeaseLostError):
            await transitions.planned(
                store,
                you.tenant_id,
                wanted,
                fence,
                after,
                interpretation=None,
                architecture_id=str(done.architecture_id),
                drafts=drafts(1),
            )
    assert await stored(store, simulation) == simulation
    assert await stored(store, done) == done


async def test_finished_keeps_narrative_and_time(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    appended = await finish(store, simulation)
    found = await stored(store, simulation)
    assert (found.status, found.narrative, found.error) == (SimulationStatus.SUCCEEDED, "All went well.", None)
    assert (found.finished_at, found.last_seq, found.lease_owner) == (appended[0].at, 3, None)
    assert found.is_over


async def test_failed_keeps_the_reason_also_from_planning(store: Store) -> None:
    you = await demo(store)
    for simulation in (await planning(store, you), await running(store, you)):
        await finish(store, simulation, SimulationStatus.FAILED)
        found = await stored(store, simulation)
        assert (found.status, found.error, found.narrative) == (SimulationStatus.FAILED, FAILURE, None)


async def test_finished_by_an_outdated_conductor_changes_nothing(store: Store) -> None:
    you = await demo(store)
    old = await running(store, you)
    await leases.release(store, str(old.lease_owner), {old.id: old.fence})
    (new,) = await leases.claim(store, "worker-2", 1, 20)
    with pytest.raises(LeaseLostError):
        await finish(store, old)
    assert await stored(store, new) == new
    await finish(store, new)
    with pytest.raises(LeaseLostError):
        await finish(store, new)


async def test_it_does_not_succeed_over_a_command_that_was_accepted(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    command = await commands.add(store, you.tenant_id, simulation.id, support_triage().failure_modes[0], None)
    with pytest.raises(CommandsPendingError):
        await finish(store, simulation)
    assert await stored(store, simulation) == simulation
    await commands.fix(store, simulation.tenant_id, simulation.id, command.number, 5)
    await finish(store, simulation)
    assert (await stored(store, simulation)).status is SimulationStatus.SUCCEEDED


async def test_cancelled_outdates_the_conductor_and_tells_the_end(store: Store) -> None:
    you = await demo(store)
    made = [await planning(store, you), await queued(store, you), await running(store, you)]
    claimed = {one.id: one for one in await simulations_of(store, you.tenant_id, made)}
    for simulation in claimed.values():
        (event,) = await transitions.cancelled(store, you.tenant_id, simulation.id, "Cancelled by you.")
        found = await stored(store, simulation)
        assert (found.status, found.fence) == (SimulationStatus.CANCELLED, simulation.fence + 1)
        assert (found.finished_at, found.lease_owner, found.last_seq) == (event.at, None, simulation.last_seq + 1)
        assert (event.seq, event.kind, event.message) == (
            found.last_seq,
            EventKind.SIMULATION_FINISHED,
            "Cancelled by you.",
        )
        assert event.body == {"status": "CANCELLED"}
        assert (await events.read(store, you.tenant_id, simulation.id))[-1] == event


async def simulations_of(store: Store, tenant_id: str, made: list[Simulation]) -> list[Simulation]:
    found = await simulations.get_many(store, tenant_id, [one.id for one in made])
    return list(found.values())


async def test_cancelling_stands_at_the_simulated_time_reached(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, drafts(4))
    (event,) = await transitions.cancelled(store, you.tenant_id, simulation.id, "Cancelled.")
    assert event.elapsed_ms == 3.0


async def test_what_is_over_cannot_be_cancelled(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    await finish(store, simulation)
    with pytest.raises(ConflictError) as refused:
        await transitions.cancelled(store, you.tenant_id, simulation.id, "Cancelled.")
    assert refused.value.current == "SUCCEEDED"
    assert set(refused.value.allowed) == OPEN_STATUSES
    assert (await stored(store, simulation)).status is SimulationStatus.SUCCEEDED


async def test_another_tenant_cannot_cancel(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    simulation = await running(store, you)
    for wanted in (simulation.id, new_id(), "\0"):
        with pytest.raises(NotFoundError):
            await transitions.cancelled(store, eve.tenant_id, wanted, "Cancelled.")
    assert await stored(store, simulation) == simulation


async def test_cancel_against_append_and_finish_ends_once(store: Store, database_url: str) -> None:
    you = await demo(store)
    other = await open_store(database_url)
    try:
        for _ in range(10):
            simulation = await running(store, you)
            outcomes = await asyncio.gather(
                transitions.cancelled(other, you.tenant_id, simulation.id, "Cancelled."),
                finish(store, simulation),
                return_exceptions=True,
            )
            refused = [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)]
            assert refused in ([ConflictError], [LeaseLostError])
            told = await events.read(store, you.tenant_id, simulation.id)
            assert [event.seq for event in told] == [1, 2, 3]
            assert [event.kind for event in told].count(EventKind.SIMULATION_FINISHED) == 1
    finally:
        await other.close()
