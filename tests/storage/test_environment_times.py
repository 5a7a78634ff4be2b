"""What environments are due for, with the clock turned; of all who come at once, one does it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.storage.environment_worlds import became, provisioning, ready, stored
from tests.storage.worlds import demo, stranger
from windtunnel.domain.environments import Ending, Environment, EnvironmentEventDraft, EnvironmentStatus
from windtunnel.storage import environment_events, environment_life, environment_times
from windtunnel.storage.environment_times import Due
from windtunnel.storage.store import Store

TOLD = EnvironmentEventDraft(EnvironmentStatus.EXPIRING, "step", "A step.", 0.0)
HOUR, DAY, MS = timedelta(hours=1), timedelta(days=1), timedelta(milliseconds=1)
EXPIRED = timedelta(days=2)


async def due(store: Store) -> dict[str, Due]:
    return {each.id: each.due for each in await environment_times.due(store)}


def turn(store: Store, environment: Environment, before_expiry: timedelta) -> Callable[[], Awaitable[None]]:
    """Have the clock stand that long before the environment's time is over."""

    async def turned() -> None:
        store.clock_offset = timedelta(0)
        store.clock_offset = environment.expires_at - before_expiry - await store.now()

    return turned


@pytest.mark.parametrize("status", ["READY", "PAUSED"])
async def test_an_environment_comes_due_for_each_thing_in_its_time(store: Store, status: str) -> None:
    environment = await ready(store, await demo(store))
    if status == "PAUSED":
        await became(store, environment, "PAUSED")
    second = timedelta(seconds=30)  # more than it takes to get from one line to the next
    for before_expiry, wanted in {
        DAY + second: {},
        DAY - second: {environment.id: Due.LAST_DAY},
        HOUR + second: {environment.id: Due.LAST_DAY},
        HOUR - second: {environment.id: Due.LAST_HOUR},
        second: {environment.id: Due.LAST_HOUR},
        timedelta(0): {environment.id: Due.EXPIRED},
    }.items():
        await turn(store, environment, before_expiry)()
        assert await due(store) == wanted, before_expiry


async def test_one_that_is_asked_for_is_to_be_done_and_after_five_minutes_overdue(store: Store) -> None:
    environment = await provisioning(store, await demo(store))
    assert await due(store) == {environment.id: Due.TO_DO}
    store.clock_offset = timedelta(minutes=5)
    assert await due(store) == {environment.id: Due.OVERDUE}
    changed = await environment_times.overdue(store, environment.tenant_id, environment.id, "Too slow.", TOLD)
    assert changed is not None
    assert (changed[0].status, changed[0].failure) == (EnvironmentStatus.FAILED, "Too slow.")
    assert (changed[0].ended_by, changed[0].fence) == (Ending.FAILURE, environment.fence + 1)
    assert await due(store) == {environment.id: Due.TO_DO}


async def test_nothing_happens_before_its_time(store: Store) -> None:
    viewer = await demo(store)
    made, asked = await ready(store, viewer), await provisioning(store, viewer)
    assert await environment_times.expired(store, made.tenant_id, made.id, TOLD) is None
    assert await environment_times.overdue(store, asked.tenant_id, asked.id, "Too slow.", TOLD) is None
    assert await environment_times.warned(store, made.tenant_id, made.id, 24) is None
    assert await environment_times.warned(store, made.tenant_id, made.id, 1) is None
    assert await stored(store, made) == made
    assert await stored(store, asked) == asked


async def test_of_many_sweepers_one_expires_it(store: Store) -> None:
    environment = await ready(store, await demo(store))
    store.clock_offset = EXPIRED
    outcomes = await asyncio.gather(
        *(environment_times.expired(store, environment.tenant_id, environment.id, TOLD) for _ in range(10))
    )
    assert [outcome is not None for outcome in outcomes].count(True) == 1
    events = await environment_events.read(store, environment.tenant_id, environment.id)
    assert [event.seq for event in events] == [1, 2]


@pytest.mark.parametrize("round", range(5))
async def test_extending_and_expiring_at_once_one_wins(store: Store, round: int) -> None:
    """Past its time it can only expire; whoever extended it before has extended it."""
    environment = await ready(store, await demo(store), lifetime=HOUR)
    for each in range(4):  # around the very moment
        store.clock_offset = HOUR - timedelta(milliseconds=200 - 100 * each)
        extended, expired = await asyncio.gather(
            environment_life.extended(store, environment.tenant_id, environment.id, HOUR, TOLD),
            environment_times.expired(store, environment.tenant_id, environment.id, TOLD),
        )
        if expired is not None:
            assert extended is None
            assert (await stored(store, environment)).status is EnvironmentStatus.EXPIRING
            return
        if extended is not None:
            assert (await stored(store, environment)).expires_at > environment.expires_at
            return


async def test_each_warning_is_given_once_and_again_after_an_extension(store: Store) -> None:
    environment = await ready(store, await demo(store))
    of = (store, environment.tenant_id, environment.id)
    await turn(store, environment, DAY - HOUR)()
    given = await asyncio.gather(*(environment_times.warned(*of, 24) for _ in range(6)))
    assert [each is not None for each in given].count(True) == 1
    assert await due(store) == {}
    assert await environment_life.extended(*of, EXPIRED, TOLD)
    assert await due(store) == {}
    longer = await stored(store, environment)
    await turn(store, longer, HOUR / 2)()
    assert await environment_times.warned(*of, 1)
    assert await environment_times.warned(*of, 1) is None
    assert await environment_times.warned(*of, 24) is None  # of no interest any more


async def test_short_lives_are_not_warned_of_their_last_day(store: Store) -> None:
    viewer = await demo(store)
    day = await ready(store, viewer, lifetime=DAY)
    assert await due(store) == {}
    await turn(store, day, HOUR / 2)()
    assert await due(store) == {day.id: Due.LAST_HOUR}
    short = await ready(store, viewer, lifetime=HOUR)
    assert set(await due(store)) == {day.id}
    assert (await stored(store, short)).status is EnvironmentStatus.READY


async def test_what_stands_can_be_lost_and_nothing_else(store: Store) -> None:
    viewer = await demo(store)
    standing, asked = await ready(store, viewer), await provisioning(store, viewer)
    lost = await environment_times.lost(store, standing.tenant_id, standing.id, "It is away.", TOLD)
    assert lost is not None
    assert (lost[0].status, lost[0].failure) == (EnvironmentStatus.FAILED, "It is away.")
    assert await environment_times.lost(store, asked.tenant_id, asked.id, "It is away.", TOLD) is None
    assert await environment_times.lost(store, standing.tenant_id, standing.id, "Again.", TOLD) is None


async def test_what_is_due_is_found_in_all_tenants_and_what_stands_too(store: Store) -> None:
    mine, theirs = await ready(store, await demo(store)), await ready(store, await stranger(store))
    assert {each.id for each in await environment_times.standing(store)} == {mine.id, theirs.id}
    store.clock_offset = EXPIRED
    assert await due(store) == {mine.id: Due.EXPIRED, theirs.id: Due.EXPIRED}
    found = [mine.namespace, theirs.namespace, "0" * 16]
    assert await environment_times.in_use(store, found) == {mine.namespace, theirs.namespace}
    assert await environment_times.in_use(store, []) == set()
