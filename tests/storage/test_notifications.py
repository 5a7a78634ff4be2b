"""Notifications: numbers without gaps for each person, whoever writes at the same time; nobody reads another's."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.queries import counted
from tests.storage.worlds import colleague, demo, stranger
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import Notification, NotificationDraft, NotificationKind
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import notifications
from windtunnel.storage.store import DatabaseRole, Store, open_store

ALL = 1_000


def draft(title: str = "Your simulation is over.") -> NotificationDraft:
    subject = Subject(Kind.SIMULATION, new_id())
    return NotificationDraft(NotificationKind.SIMULATION_FINISHED, title, "In 12 events.", subject)


async def tell(store: Store, title: str, *people: Viewer) -> Sequence[Notification]:
    return await notifications.insert(store, people[0].tenant_id, draft(title), [each.user.id for each in people])


async def inbox(store: Store, viewer: Viewer) -> Sequence[Notification]:
    return await notifications.read(store, viewer.tenant_id, viewer.user.id, 0, ALL)


async def test_each_is_told_once_under_their_own_numbers(store: Store) -> None:
    you = await demo(store)
    bo = await colleague(store, you)
    (first,) = await tell(store, "Only you", you)
    both = await notifications.insert(
        store, you.tenant_id, draft("Both"), [bo.user.id, you.user.id, bo.user.id, new_id(), "nobody", "\0"]
    )
    assert first.seq == 1
    assert {each.user_id: each.seq for each in both} == {you.user.id: 2, bo.user.id: 1}
    assert [each.user_id for each in both] == sorted(each.user_id for each in both)
    assert await inbox(store, you) == [first, *(each for each in both if each.user_id == you.user.id)]
    assert [each.title for each in await inbox(store, bo)] == ["Both"]
    assert both[0].id != both[1].id
    assert both[0].read_at is None
    assert await notifications.last_seq(store, you.tenant_id, you.user.id) == 2


async def test_people_of_another_tenant_are_passed_over(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    assert await notifications.insert(store, you.tenant_id, draft(), [eve.user.id]) == []
    assert await notifications.insert(store, you.tenant_id, draft(), []) == ()
    assert await inbox(store, eve) == []
    assert await notifications.last_seq(store, eve.tenant_id, eve.user.id) == 0


async def test_many_people_cost_no_more_statements(store: Store) -> None:
    you = await demo(store)
    people = [you, *[await colleague(store, you, f"Person {number}") for number in range(9)]]
    with counted(store) as statements:
        assert len(await tell(store, "All of you", *people)) == 10
    assert len(statements) == 2


async def test_what_is_rolled_back_leaves_no_gap(store: Store) -> None:
    you = await demo(store)
    await tell(store, "First", you)

    async def fail() -> None:
        async with store.transaction(you.tenant_id):
            assert [each.seq for each in await tell(store, "Never", you)] == [2]
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    await tell(store, "Second", you)
    assert [(each.seq, each.title) for each in await inbox(store, you)] == [(1, "First"), (2, "Second")]


async def test_writers_at_once_leave_no_gaps_and_wait_for_nobody_in_a_circle(store: Store, database_url: str) -> None:
    you = await demo(store)
    people = [you, *[await colleague(store, you, f"Person {number}") for number in range(3)]]
    other = await open_store(database_url, role=DatabaseRole.WORKER)
    try:
        await asyncio.gather(
            *(
                tell(one, f"{number}", *(people if number % 2 else people[::-1]))
                for one in (store, other)
                for number in range(10)
            )
        )
    finally:
        await other.close()
    for person in people:
        assert [each.seq for each in await inbox(store, person)] == list(range(1, 21))


async def test_it_is_read_in_stretches(store: Store) -> None:
    you = await demo(store)
    for number in range(1, 8):
        await tell(store, f"Number {number}", you)

    async def seqs(after: int, limit: int) -> list[int]:
        return [each.seq for each in await notifications.read(store, you.tenant_id, you.user.id, after, limit)]

    assert await seqs(0, 3) == [1, 2, 3]
    assert await seqs(3, 3) == [4, 5, 6]
    assert await seqs(6, 3) == [7]
    for beyond in (7, 8, 2**70):
        assert await seqs(beyond, 3) == []
    assert await seqs(-5, 2) == [1, 2]


async def test_pages_are_newest_first(store: Store) -> None:
    you = await demo(store)
    bo = await colleague(store, you)
    for number in range(1, 6):
        await tell(store, f"Number {number}", you, bo)
    first = await notifications.page(store, you.tenant_id, you.user.id, PageRequest(limit=2))
    assert [each.seq for each in first.items] == [5, 4]
    assert (first.total, first.has_next, first.has_previous) == (5, True, False)
    await tell(store, "Number 6", you)
    second = await notifications.page(store, you.tenant_id, you.user.id, PageRequest(limit=9, after=first.keys[-1]))
    assert [each.seq for each in second.items] == [3, 2, 1]
    assert (second.total, second.has_next, second.has_previous) == (6, False, True)
    await notifications.mark_read(store, you.tenant_id, you.user.id, [], 4)
    unread = await notifications.page(store, you.tenant_id, you.user.id, PageRequest(), unread_only=True)
    assert ([each.seq for each in unread.items], unread.total) == ([6, 5], 2)
    theirs = await notifications.page(store, bo.tenant_id, bo.user.id, PageRequest(), unread_only=True)
    assert theirs.total == 5


async def test_only_ones_own_can_be_found_or_marked(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    bo = await colleague(store, you)
    mine, theirs = await tell(store, "Both", you, bo)
    if mine.user_id != you.user.id:
        mine, theirs = theirs, mine
    for somebody, own in ((you, [mine]), (bo, [theirs]), (eve, [])):
        found = await notifications.get_many(
            store, somebody.tenant_id, somebody.user.id, [mine.id, theirs.id, new_id(), "\0"]
        )
        assert list(found.values()) == own
    assert await notifications.get_many(store, you.tenant_id, you.user.id, []) == {}
    for somebody in (bo, eve):
        await notifications.mark_read(store, somebody.tenant_id, somebody.user.id, [mine.id], 99)
    assert await notifications.unread(store, you.tenant_id, you.user.id) == 1
    assert await notifications.unread(store, bo.tenant_id, bo.user.id) == 0


async def test_what_was_read_keeps_its_time(store: Store) -> None:
    you = await demo(store)
    (told,) = await tell(store, "Once", you)
    await notifications.mark_read(store, you.tenant_id, you.user.id, [told.id], 0)
    (read,) = await inbox(store, you)
    assert read.read_at
    store.clock_offset = timedelta(hours=1)
    await notifications.mark_read(store, you.tenant_id, you.user.id, [told.id], 1)
    assert await inbox(store, you) == [read]


async def test_marking_at_once_waits_for_nobody_in_a_circle(store: Store) -> None:
    you = await demo(store)
    ids = [(await tell(store, f"{number}", you))[0].id for number in range(20)]
    await asyncio.gather(
        *(
            notifications.mark_read(store, you.tenant_id, you.user.id, ids[:: (1 if turn % 2 else -1)], 0)
            for turn in range(8)
        ),
        *(tell(store, "Meanwhile", you) for _ in range(4)),
    )
    assert await notifications.unread(store, you.tenant_id, you.user.id) == 4


Marking = tuple[frozenset[int], int]
MARKINGS = st.lists(st.tuples(st.frozensets(st.integers(0, 5)), st.integers(-1, 8)), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(markings=MARKINGS)
def test_marking_is_like_removing_from_a_set(database_url: str, markings: list[Marking]) -> None:
    async def story() -> None:
        store = await open_store(database_url)
        try:
            you = await demo(store)
            bo = await colleague(store, you)
            before = await notifications.last_seq(store, you.tenant_id, you.user.id)
            await notifications.mark_read(store, you.tenant_id, you.user.id, [], before)
            ids = {(await tell(store, "One", person))[0].id: person for person in (you, you, you, bo, you, you)}
            unread = {before + place for place in range(1, 6)}
            mine = [key for key, person in ids.items() if person is you]
            for named, through in markings:
                chosen = [list(ids)[place] for place in named]
                await notifications.mark_read(store, you.tenant_id, you.user.id, chosen, before + through)
                unread -= {before + 1 + mine.index(key) for key in chosen if key in mine}
                unread -= set(range(before + through + 1))
                assert await notifications.unread(store, you.tenant_id, you.user.id) == len(unread)
            left = await notifications.page(store, you.tenant_id, you.user.id, PageRequest(), unread_only=True)
            assert [each.seq for each in left.items] == sorted(unread, reverse=True)
            assert await notifications.unread(store, bo.tenant_id, bo.user.id) == 1
        finally:
            await store.close()

    asyncio.run(story())
