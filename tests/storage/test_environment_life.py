"""Changes of environments as statements: who is first makes the change, and slots are ten whoever counts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from tests.storage.environment_worlds import TOLD, became, gone, provisioning, ready, stored, wanted
from tests.storage.worlds import demo, stranger
from windtunnel.domain.environments import (
    LIVE_STATUSES,
    Environment,
    EnvironmentEventDraft,
    EnvironmentFilter,
    EnvironmentStatus,
)
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.ids import new_id
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.production import Entry, Snapshot
from windtunnel.storage import environment_events, environment_life, environment_times, environments
from windtunnel.storage.store import Store, open_store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DRAFT = EnvironmentEventDraft(EnvironmentStatus.READY, "try", "Somebody did something.", 1.0)


@asynccontextmanager
async def second(url: str) -> AsyncIterator[Store]:
    """The store of another process."""
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


async def test_slots_are_ten_without_any_lock(store: Store, database_url: str) -> None:
    viewer = await demo(store)
    async with second(database_url) as other:
        for _ in range(3):
            made = await asyncio.gather(
                *(environment_life.insert(each, wanted(viewer), TOLD) for each in (store, other) for _ in range(12))
            )
            kept = [each[0] for each in made if each is not None]
            assert sorted(each.slot for each in kept) == list(range(1, 11))
            for each in kept:
                await gone(store, await became(store, each, "DELETING", "ended_by = 'PERSON'"))


async def test_whoever_meets_in_a_slot_goes_on_to_the_next(postgres_database_url: str) -> None:
    async with second(postgres_database_url) as one, second(postgres_database_url) as two:
        viewer = await demo(one)
        async with one.transaction(viewer.tenant_id):
            first = await environment_life.insert(one, wanted(viewer), TOLD)
            asked = asyncio.Event()
            two.on_statement = lambda sql: asked.set() if sql.startswith("INSERT INTO environments") else None
            waiting = asyncio.create_task(environment_life.insert(two, wanted(viewer), TOLD))
            await asked.wait()  # it takes slot 1, too: the first is not committed yet
        found = await waiting
        assert first is not None
        assert found is not None
        assert (first[0].slot, found[0].slot) == (1, 2)


async def test_a_filter_and_pages_find_them_newest_first(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    made = [await provisioning(store, viewer, name=f"{number}") for number in range(3)]
    await provisioning(store, other)
    await became(store, made[1], "READY")
    page = await environments.page(store, viewer.tenant_id, PageRequest(2))
    assert {each.name for each in page.items} <= {"0", "1", "2"}
    assert (len(page.items), page.total) == (2, 3)
    only = EnvironmentFilter(statuses=frozenset({EnvironmentStatus.READY}), created_by=viewer.user.id)
    assert [each.id for each in (await environments.page(store, viewer.tenant_id, PageRequest(9), only)).items] == [
        made[1].id
    ]
    nobody = EnvironmentFilter(created_by=other.user.id)
    assert (await environments.page(store, viewer.tenant_id, PageRequest(9), nobody)).items == []


async def test_every_change_misses_what_it_is_not_meant_for(store: Store) -> None:
    viewer, eve = await demo(store), await stranger(store)
    snapshot = Snapshot.of(1, [Entry("A", "b")])
    changes: dict[str, Callable[[str, str], Awaitable[object]]] = {
        "extended": lambda tenant_id, each: environment_life.extended(store, tenant_id, each, HOUR, DRAFT),
        "refreshed": lambda tenant_id, each: environment_life.refreshed(store, tenant_id, each, snapshot, DRAFT),
        "paused": lambda tenant_id, each: environment_life.paused(store, tenant_id, each, DRAFT),
        "resumed": lambda tenant_id, each: environment_life.resumed(store, tenant_id, each, DRAFT),
        "deleted": lambda tenant_id, each: environment_life.deleted(store, tenant_id, each, DRAFT),
    }
    meant_for = {
        "extended": {"READY", "PAUSED"},
        "refreshed": {"READY", "PAUSED"},
        "paused": {"READY"},
        "resumed": {"PAUSED"},
        "deleted": {"PROVISIONING", "READY", "PAUSED"},
    }
    ways = {"PROVISIONING": [], "READY": ["READY"], "PAUSED": ["READY", "PAUSED"], "FAILED": ["FAILED"]}
    for status, way in {**ways, "EXPIRING": ["READY", "EXPIRING"], "DELETING": ["FAILED", "DELETING"]}.items():
        for name, change in changes.items():
            environment = await provisioning(store, viewer)
            for each in way:
                environment = await became(store, environment, each)
            assert await change(eve.tenant_id, environment.id) is None
            assert (await change(viewer.tenant_id, environment.id) is not None) == (status in meant_for[name])
            if status not in meant_for[name]:
                assert await stored(store, environment) == environment
            await _away(store, environment)
    for change in changes.values():
        assert await change(viewer.tenant_id, new_id()) is None


async def _away(store: Store, environment: Environment) -> None:
    environment = await stored(store, environment)
    if environment.status in LIVE_STATUSES:
        environment = await became(store, environment, "DELETING", "ended_by = 'PERSON'")
    await gone(store, environment)


async def test_past_the_end_nothing_changes_but_by_deleting(store: Store) -> None:
    viewer = await demo(store)
    made, other = await ready(store, viewer, lifetime=HOUR), await ready(store, viewer, lifetime=HOUR)
    paused = await became(store, other, "PAUSED")
    store.clock_offset += paused.expires_at - await store.now()
    for missed in (
        await environment_life.extended(store, viewer.tenant_id, made.id, HOUR, DRAFT),
        await environment_life.refreshed(store, viewer.tenant_id, made.id, Snapshot.of(1, ()), DRAFT),
        await environment_life.paused(store, viewer.tenant_id, made.id, DRAFT),
        await environment_life.resumed(store, viewer.tenant_id, paused.id, DRAFT),
    ):
        assert missed is None
    assert await environment_life.deleted(store, viewer.tenant_id, made.id, DRAFT)


async def test_an_end_beyond_seven_days_is_missed_by_a_millisecond(store: Store) -> None:
    viewer = await demo(store)
    made = await ready(store, viewer)
    now = await store.now()
    left = made.created_at + 7 * DAY - now
    assert await environment_life.extended(store, viewer.tenant_id, made.id, left + HOUR, DRAFT) is None
    assert await environment_life.extended(store, viewer.tenant_id, made.id, left - HOUR, DRAFT)


async def test_whoever_changes_a_locked_environment_waits(postgres_database_url: str) -> None:
    async with second(postgres_database_url) as one, second(postgres_database_url) as two:
        viewer = await demo(one)
        made = await ready(one, viewer)
        asked = asyncio.Event()
        async with one.transaction(viewer.tenant_id):
            assert await environment_life.locked(one, viewer.tenant_id, made.id) == made
            two.on_statement = lambda sql: asked.set() if sql.startswith("UPDATE environments") else None
            waiting = asyncio.create_task(environment_life.paused(two, viewer.tenant_id, made.id, DRAFT))
            await asked.wait()
            assert await environment_life.deleted(one, viewer.tenant_id, made.id, DRAFT)
        assert await waiting is None


async def test_either_it_is_extended_or_it_expires(store: Store, database_url: str) -> None:
    """The other process's clock is ahead: both think that it is their turn, and the statement decides."""
    viewer = await demo(store)
    async with second(database_url) as ahead:
        ahead.clock_offset = HOUR
        draft = EnvironmentEventDraft(EnvironmentStatus.EXPIRING, "expiring", "Its time is over.", 0.0)
        for number in range(8):
            made = await ready(store, viewer, lifetime=HOUR)
            both = [
                environment_life.extended(store, viewer.tenant_id, made.id, 3 * HOUR, DRAFT),
                environment_times.expired(ahead, viewer.tenant_id, made.id, draft),
            ]
            if number % 2:
                both.reverse()
            outcomes = await asyncio.gather(*both)
            extended, expired = reversed(outcomes) if number % 2 else outcomes
            assert (extended is None) != (expired is None)
            now = await stored(store, made)
            assert now == (extended or expired)[0]  # type: ignore[index]
            assert now.status is (EnvironmentStatus.READY if extended else EnvironmentStatus.EXPIRING)
            assert now.last_seq == 2
            await _away(store, now)


async def test_events_are_numbered_without_gaps_whoever_tells_them(store: Store, database_url: str) -> None:
    viewer = await demo(store)
    made = await ready(store, viewer)
    async with second(database_url) as other:
        told = await asyncio.gather(
            *(
                environment_events.append(each, viewer.tenant_id, made.id, DRAFT)
                for each in (store, other)
                for _ in range(10)
            )
        )
    found = await environment_events.read(store, viewer.tenant_id, made.id)
    assert [event.seq for event in found] == list(range(1, 22))
    assert sorted(told, key=lambda event: event.seq) == found[1:]
    assert await environment_events.read(store, viewer.tenant_id, made.id, 19) == found[19:]
    assert await environment_events.read(store, viewer.tenant_id, made.id, 3, 2) == found[3:5]
    assert await environment_events.read(store, viewer.tenant_id, made.id, -5, 6) == found[:6]
    for beyond in (21, 2**70):
        assert await environment_events.read(store, viewer.tenant_id, made.id, beyond) == []
    assert (await stored(store, made)).last_seq == 21


async def test_others_events_are_neither_read_nor_added_to(store: Store) -> None:
    made, eve = await ready(store, await demo(store)), await stranger(store)
    assert await environment_events.read(store, eve.tenant_id, made.id) == []
    with pytest.raises(NotFoundError):
        await environment_events.append(store, eve.tenant_id, made.id, DRAFT)
    assert await stored(store, made) == made


async def test_an_event_keeps_what_can_be_stored(store: Store) -> None:
    viewer = await demo(store)
    made = await ready(store, viewer)
    draft = EnvironmentEventDraft(EnvironmentStatus.FAILED, "database", "a\0b\ud800", 1 / 3)
    told = await environment_events.append(store, viewer.tenant_id, made.id, draft)
    assert (told.message, told.progress) == ("a\ufffdb\ufffd", 1 / 3)
    assert (await environment_events.read(store, viewer.tenant_id, made.id))[-1] == told
