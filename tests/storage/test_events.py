"""Events: numbered without gaps, appended by one conductor only."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.queries import counted
from tests.storage.worlds import demo, drafts, planning, queued, running, stored, stranger
from windtunnel.domain.events import EventDraft, EventKind
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.storage import events, leases, transitions
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.store import Store, open_store


async def test_append_numbers_from_the_last_and_read_gives_the_same(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    before = await store.now()
    first = await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, drafts(3))
    second = await events.append(
        store, simulation.tenant_id, simulation.id, simulation.fence, 5, drafts(2, EventKind.TOOL_USED)
    )
    after = await store.now()

    assert [event.seq for event in first + second] == [3, 4, 5, 6, 7]
    assert await events.read(store, you.tenant_id, simulation.id, 2) == first + second
    assert all(before <= event.at <= after for event in first + second)
    assert (await stored(store, simulation)).last_seq == 7


async def test_bodies_and_words_of_every_kind_survive(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    odd = EventDraft(
        EventKind.OBSERVABILITY,
        "NUL \0 and half a pair \ud800 of 🧾",
        {"attributes": {"k\ud801": ["\0", "ü", None, 1.5, True]}, "value": 0.1, "big": 2**53},
        1234.5678901234,
        None,
    )
    stored_now = (await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, [odd]))[0]
    read = (await events.read(store, you.tenant_id, simulation.id, 2))[0]
    assert stored_now.message == read.message == "NUL \ufffd and half a pair \ufffd of 🧾"
    assert stored_now == read
    assert read.body == {"attributes": {"k\ufffd": ["\ufffd", "ü", None, 1.5, True]}, "value": 0.1, "big": 2**53}
    assert (read.elapsed_ms, read.agent_key, read.kind) == (1234.5678901234, None, EventKind.OBSERVABILITY)


async def test_read_pages_and_picks_kinds(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    mixed = [draft for pair in zip(drafts(4), drafts(4, EventKind.TOOL_USED), strict=True) for draft in pair]
    await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, mixed)

    async def seqs(*arguments: int, kinds: set[EventKind] | None = None) -> list[int]:
        return [event.seq for event in await events.read(store, you.tenant_id, simulation.id, *arguments, kinds=kinds)]

    assert await seqs() == list(range(1, 11))
    assert await seqs(4, 3) == [5, 6, 7]
    assert await seqs(2, 3, kinds={EventKind.TOOL_USED}) == [4, 6, 8]
    assert await seqs(0, 100, kinds=set()) == []
    assert await seqs(2**80) == []
    assert await seqs(-(2**80), 1) == [1]
    assert await events.read(store, you.tenant_id, "\0") == []


async def test_another_tenant_reads_nothing(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    simulation = await running(store, you)
    assert len(await events.read(store, you.tenant_id, simulation.id)) == 2
    assert await events.read(store, eve.tenant_id, simulation.id) == []


async def test_events_of_many_in_one_statement(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    one, two, theirs = await running(store, you), await running(store, you), await running(store, eve)
    mixed = [draft for pair in zip(drafts(3), drafts(3, EventKind.TOOL_USED), strict=True) for draft in pair]
    await events.append(store, one.tenant_id, one.id, one.fence, 2, mixed)
    ids = [one.id, two.id, theirs.id, "\0"]

    async def seqs(*arguments: int, kinds: set[EventKind] | None = None) -> list[list[int]]:
        with counted(store) as statements:
            found = await events.read_many(store, you.tenant_id, ids, *arguments, kinds=kinds)
        assert len(statements) == 1
        assert list(found) == ids
        return [[event.seq for event in found[key]] for key in ids]

    assert await seqs() == [list(range(1, 9)), [1, 2], [], []]
    assert await seqs(1, 3) == [[2, 3, 4], [2], [], []]
    assert await seqs(0, 2, kinds={EventKind.TOOL_USED}) == [[4, 6], [], [], []]
    assert await seqs(4, kinds={EventKind.TOOL_USED}) == [[6, 8], [], [], []]
    everything = await events.read_many(store, you.tenant_id, ids)
    assert everything[one.id] == await events.read(store, you.tenant_id, one.id)
    assert await events.read_many(store, you.tenant_id, []) == {}


async def test_an_outdated_conductor_stores_nothing(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    stale = [
        (simulation.fence - 1, 2),  # an older conductor
        (simulation.fence + 1, 2),
        (simulation.fence, 1),  # somebody has stored since
        (simulation.fence, 3),
    ]
    for fence, after in stale:
        with pytest.raises(LeaseLostError):
            await events.append(store, simulation.tenant_id, simulation.id, fence, after, drafts(2))
    with pytest.raises(LeaseLostError):
        await events.append(store, you.tenant_id, "nothing", 1, 0, drafts(1))
    assert (await stored(store, simulation)).last_seq == 2
    assert len(await events.read(store, you.tenant_id, simulation.id)) == 2


async def test_a_taken_over_conductor_is_refused_and_the_new_one_goes_on(store: Store) -> None:
    you = await demo(store)
    old = await running(store, you)
    await leases.release(store, old.lease_owner or "", {old.id: old.fence})
    (new,) = await leases.claim(store, "worker-2", 1, 20)
    with pytest.raises(LeaseLostError):
        await events.append(store, old.tenant_id, old.id, old.fence, 2, drafts(1))
    assert [event.seq for event in await events.append(store, new.tenant_id, new.id, new.fence, 2, drafts(1))] == [3]


async def test_two_appends_after_the_same_event_one_wins(store: Store, database_url: str) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    other = await open_store(database_url)
    try:
        for after in range(2, 42, 2):
            outcomes = await asyncio.gather(
                *(
                    events.append(one, simulation.tenant_id, simulation.id, simulation.fence, after, drafts(2))
                    for one in (store, other)
                ),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [LeaseLostError]
        assert [event.seq for event in await events.read(store, you.tenant_id, simulation.id)] == list(range(1, 43))
    finally:
        await other.close()


async def test_nothing_follows_the_end(store: Store) -> None:
    you = await demo(store)
    ends: list[Callable[[], Awaitable[object]]] = [
        lambda: transitions.finished(
            store,
            simulation.tenant_id,
            simulation.id,
            simulation.fence,
            2,
            status=SimulationStatus.SUCCEEDED,
            narrative="Done.",
            error=None,
            drafts=drafts(1, EventKind.SIMULATION_FINISHED),
        ),
        lambda: transitions.cancelled(store, you.tenant_id, simulation.id, "Cancelled."),
    ]
    for end in ends:
        simulation = await running(store, you)
        await end()
        over = await stored(store, simulation)
        for fence in (simulation.fence, over.fence):
            with pytest.raises(LeaseLostError):
                await events.append(store, simulation.tenant_id, simulation.id, fence, 3, drafts(1))
        assert len(await events.read(store, you.tenant_id, simulation.id)) == 3


async def test_all_or_none(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    broken = [*drafts(2), EventDraft(EventKind.AGENT_END, "earlier than the start", {}, -1.0)]
    with pytest.raises(Exception, match=r"(?i)constraint"):
        await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, broken)
    assert (await stored(store, simulation)).last_seq == 2
    assert len(await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, drafts(1))) == 1


async def test_an_empty_batch_still_checks_the_fence(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    assert await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, []) == []
    with pytest.raises(LeaseLostError):
        await events.append(store, simulation.tenant_id, simulation.id, simulation.fence - 1, 2, [])


async def test_a_batch_of_any_size_costs_two_statements(store: Store) -> None:
    you = await demo(store)
    simulation = await running(store, you)
    with counted(store) as statements:
        await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, drafts(500))
    assert [statement.split()[0] for statement in statements] == ["UPDATE", "INSERT"]


async def test_planning_and_queued_simulations_take_events_too(store: Store) -> None:
    you = await demo(store)
    for simulation in (await planning(store, you), await queued(store, you)):
        appended = await events.append(
            store, simulation.tenant_id, simulation.id, simulation.fence, simulation.last_seq, drafts(1)
        )
        assert [event.seq for event in appended] == [simulation.last_seq + 1]
