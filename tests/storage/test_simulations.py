"""Simulations: rows, pages, filters, counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.queries import counted
from tests.storage.worlds import INTERPRETATION, OWNER, demo, planning, queued, running, scenario, stranger
from windtunnel.domain.errors import ErrorCode, NotFoundError
from windtunnel.domain.ids import new_id
from windtunnel.domain.pages import Keyset, PageRequest
from windtunnel.domain.simulations import Counts, SimulationFailure, SimulationFilter, SimulationStatus
from windtunnel.storage import leases, scenarios, simulations, transitions
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store


async def test_comes_back_as_it_was_stored(store: Store) -> None:
    you = await demo(store)
    made = await scenario(store, you)
    simulation = await planning(store, you, made.id)
    assert (simulation.status, simulation.scenario_id) == (SimulationStatus.PLANNING, made.id)
    assert (simulation.seed, simulation.pace, simulation.inject_failures) == (7, 0.5, ("tool_api_timeout",))
    assert (simulation.last_seq, simulation.story_from_seq, simulation.fence) == (1, 0, 1)
    assert (simulation.lease_owner, simulation.started_at, simulation.error) == (OWNER, None, None)


async def test_every_field_survives(store: Store) -> None:
    you = await demo(store)
    made = await scenario(store, you)
    at = await store.now()
    template = await queued(store, you, made.id)
    full = replace(
        template,
        id=new_id(),
        status=SimulationStatus.FAILED,
        package_digest="a" * 64,
        started_at=at,
        finished_at=at + timedelta(seconds=1),
        interpretation=INTERPRETATION,
        narrative="It \0 ended\ud800.",
        error=SimulationFailure(ErrorCode.INTERNAL, "The engine \0failed.", "simulating"),
        last_seq=9,
        story_from_seq=3,
        fence=5,
        seed=2**31 - 1,
    )
    await simulations.insert(store, full)
    found = await simulations.get(store, you.tenant_id, full.id)
    assert found == replace(
        full,
        narrative="It \ufffd ended\ufffd.",
        error=SimulationFailure(ErrorCode.INTERNAL, "The engine \ufffdfailed.", "simulating"),
    )


async def test_a_scenario_that_is_gone_is_not_found(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    made = await scenario(store, you)
    template = await planning(store, you, made.id)
    await scenarios.delete(store, you.tenant_id, made.id)
    with pytest.raises(NotFoundError):
        await simulations.insert(store, replace(template, id=new_id()))
    theirs = await scenario(store, eve)
    with pytest.raises(NotFoundError):
        await simulations.insert(store, replace(template, id=new_id(), scenario_id=theirs.id))


async def test_an_id_is_stored_once(store: Store) -> None:
    you = await demo(store)
    simulation = await planning(store, you)
    with pytest.raises(ConstraintError):
        await simulations.insert(store, simulation)


async def test_unknown_and_impossible_ids_are_not_there(store: Store) -> None:
    you = await demo(store)
    for wanted in (new_id(), "", "\0", "\ud800", "x" * 10_000, "'; --"):
        assert await simulations.get(store, you.tenant_id, wanted) is None
        assert not await simulations.exists(store, you.tenant_id, wanted)
    simulation = await planning(store, you)
    assert await simulations.exists(store, you.tenant_id, simulation.id)


async def test_another_tenant_sees_nothing(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    made = await scenario(store, you)
    simulation = await planning(store, you, made.id)
    assert await simulations.get_many(store, eve.tenant_id, [simulation.id]) == {}
    assert not await simulations.exists(store, eve.tenant_id, simulation.id)
    assert (await simulations.page(store, eve.tenant_id, PageRequest())).total == 0
    pages = await simulations.pages_of_scenarios(store, eve.tenant_id, [made.id], 5)
    assert (pages[made.id].total, list(pages[made.id].items)) == (0, [])
    assert await simulations.counts(store, eve.tenant_id) == Counts(0, 0)


async def test_filters(store: Store) -> None:
    you = await demo(store)
    first, second = await scenario(store, you), await scenario(store, you)
    now = await store.now()
    old = await planning(store, you, first.id, created_at=now - timedelta(hours=2))
    new = await queued(store, you, second.id, created_at=now)

    async def ids(filter: SimulationFilter) -> list[str]:
        return [found.id for found in (await simulations.page(store, you.tenant_id, PageRequest(), filter)).items]

    assert await ids(SimulationFilter()) == [new.id, old.id]
    assert await ids(SimulationFilter(scenario_id=first.id)) == [old.id]
    assert await ids(SimulationFilter(scenario_id="\0")) == []
    assert await ids(SimulationFilter(environment_id=new_id())) == []
    assert await ids(SimulationFilter(statuses=frozenset({SimulationStatus.QUEUED}))) == [new.id]
    assert await ids(SimulationFilter(statuses=frozenset())) == []
    assert await ids(SimulationFilter(created_after=now - timedelta(hours=1))) == [new.id]
    assert await ids(SimulationFilter(created_before=now)) == [old.id]
    assert await ids(SimulationFilter(scenario_id=first.id, statuses=frozenset({SimulationStatus.QUEUED}))) == []


async def test_pages_of_many_scenarios_in_one_statement(store: Store) -> None:
    you = await demo(store)
    now = await store.now()
    full, single, empty = [await scenario(store, you, f"Text {number}") for number in range(3)]
    five = [await planning(store, you, full.id, created_at=now - timedelta(seconds=age // 2)) for age in range(5)]
    five.sort(key=lambda one: (one.created_at, one.id), reverse=True)
    one = await planning(store, you, single.id, created_at=now)

    with counted(store) as statements:
        pages = await simulations.pages_of_scenarios(store, you.tenant_id, [full.id, single.id, empty.id], 2)
    assert len(statements) == 1
    assert list(pages[full.id].items) == five[:2]
    assert (pages[full.id].total, pages[full.id].has_next, pages[full.id].has_previous) == (5, True, False)
    assert (list(pages[single.id].items), pages[single.id].total, pages[single.id].has_next) == ([one], 1, False)
    assert (list(pages[empty.id].items), pages[empty.id].total) == ([], 0)

    after = pages[full.id].keys[-1]
    rest = (await simulations.pages_of_scenarios(store, you.tenant_id, [full.id], 9, after))[full.id]
    assert list(rest.items) == five[2:]
    assert (rest.total, rest.has_next, rest.has_previous) == (5, False, True)

    beyond = (await simulations.pages_of_scenarios(store, you.tenant_id, [full.id], 9, Keyset(0, "")))[full.id]
    assert (list(beyond.items), beyond.total, beyond.has_next, beyond.has_previous) == ([], 5, False, True)


async def test_counts_tell_waiting_from_running(store: Store) -> None:
    you = await demo(store)
    assert await simulations.counts(store, you.tenant_id) == Counts(waiting=0, running=0)
    await running(store, you)
    await planning(store, you)
    await queued(store, you)
    over = await planning(store, you)
    await transitions.cancelled(store, you.tenant_id, over.id, "Cancelled.")
    assert await simulations.counts(store, you.tenant_id) == Counts(waiting=2, running=1)
    await leases.claim(store, OWNER, 10, 10)
    assert await simulations.counts(store, you.tenant_id) == Counts(waiting=1, running=2)
