"""Claiming environments, and changing them under a fence: who is late changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.storage.environment_worlds import became, provisioning, ready, stored
from tests.storage.worlds import demo, stranger
from windtunnel.domain.environments import (
    Environment,
    EnvironmentEventDraft,
    EnvironmentStatus,
    IsolationReport,
    ResourceKind,
    ResourceStatus,
)
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.receipts import Receipt
from windtunnel.storage import environment_care, environment_events, environment_life, environment_resources
from windtunnel.storage.environment_changes import Changed
from windtunnel.storage.errors import ConstraintError, LeaseLostError
from windtunnel.storage.store import Store

TOLD = EnvironmentEventDraft(EnvironmentStatus.PROVISIONING, "step", "A step.", 0.5)
LEASE_OVER = timedelta(milliseconds=LEASE_MS + 1)
RECEIPT = Receipt("{}", "0" * 64)


async def report(store: Store) -> IsolationReport:
    return IsolationReport(IsolationLevel.FULL, IsolationLevel.FULL, await store.now())


async def claimed(store: Store, owner: str = "one", limit: int = 10) -> list[Environment]:
    return await environment_care.claim(store, owner, limit)


async def part(store: Store, environment: Environment, status: ResourceStatus) -> None:
    of = (store, environment.tenant_id, environment.id)
    assert await environment_resources.intend(*of, key="database", kind=ResourceKind.DATABASE, locator="here")
    if status is not ResourceStatus.INTENDED:
        await environment_resources.created(*of, "database")
    if status is ResourceStatus.REMOVED:
        await environment_resources.removed(*of, "database")


async def test_an_environment_is_claimed_by_one_at_a_time(store: Store) -> None:
    environment = await provisioning(store, await demo(store))
    (first,) = await claimed(store, "one")
    assert (first.id, first.fence, first.lease_owner) == (environment.id, environment.fence + 1, "one")
    assert await claimed(store, "two") == []
    store.clock_offset = LEASE_OVER
    (second,) = await claimed(store, "two")
    assert second.fence == first.fence + 1


async def test_many_who_claim_at_once_share_what_there_is(store: Store) -> None:
    viewer = await demo(store)
    made = {(await provisioning(store, viewer, name=str(number))).id for number in range(10)}
    shares = await asyncio.gather(*(claimed(store, f"owner-{number}", 3) for number in range(8)))
    ids = [each.id for share in shares for each in share]
    assert sorted(ids) == sorted(set(ids))
    assert set(ids) | {each.id for each in await claimed(store, "rest")} == made


@pytest.mark.parametrize("status", ["FAILED", "EXPIRING", "DELETING", "DELETE_STUCK"])
async def test_what_is_on_its_way_out_is_claimed_when_it_is_due(store: Store, status: str) -> None:
    environment = await provisioning(store, await demo(store))
    if status == "FAILED":
        await became(store, environment, "FAILED", "due_ms = {now} + 5000")
    else:
        await became(store, environment, "READY")
        await became(store, environment, "EXPIRING", "due_ms = {now} + 5000")
        for after in {"DELETING": ["DELETING"], "DELETE_STUCK": ["DELETING", "DELETE_STUCK"]}.get(status, []):
            await became(store, environment, after)
    assert await claimed(store) == []
    store.clock_offset = timedelta(seconds=5)
    (found,) = await claimed(store)
    assert (found.id, found.status) == (environment.id, status)


async def test_what_stands_or_is_gone_is_not_claimed(store: Store) -> None:
    viewer = await demo(store)
    await ready(store, viewer)
    await became(store, await ready(store, viewer), "PAUSED")
    gone = await became(store, await ready(store, viewer), "EXPIRING")
    await became(store, await became(store, gone, "DELETING"), "DELETED")
    assert await claimed(store) == []


async def test_what_is_taken_away_comes_first_and_tenants_take_turns(store: Store) -> None:
    mine, other = await demo(store), await stranger(store)
    for number in range(6):
        await provisioning(store, mine, name=f"mine {number}")
    theirs = await provisioning(store, other, name="theirs")
    going = await became(store, await ready(store, mine), "EXPIRING")
    first = await claimed(store, limit=3)
    assert {going.id, theirs.id} <= {each.id for each in first}


async def test_leases_are_renewed_and_given_up(store: Store) -> None:
    await provisioning(store, await demo(store))
    (held,) = await claimed(store)
    fences = {held.id: held.fence}
    store.clock_offset = timedelta(milliseconds=LEASE_MS - 1_000)
    assert await environment_care.renew(store, "one", fences) == {held.id}
    assert await environment_care.renew(store, "two", fences) == set()
    assert await environment_care.renew(store, "one", {held.id: held.fence - 1}) == set()
    store.clock_offset = timedelta(milliseconds=LEASE_MS + 1_000)
    assert await claimed(store, "two") == []
    await environment_care.release(store, "two", fences)
    assert await claimed(store, "two") == []
    await environment_care.release(store, "one", fences)
    (found,) = await claimed(store, "two")
    assert found.fence == held.fence + 1
    assert await environment_care.under_fence(store, held) is None
    assert await environment_care.under_fence(store, found) == found


Change = Callable[[Store, Environment], Awaitable[Changed]]


async def _ready(store: Store, environment: Environment) -> Changed:
    return await environment_care.ready(store, environment, await report(store), TOLD)


async def _failed(store: Store, environment: Environment) -> Changed:
    return await environment_care.failed(store, environment, "No room.", TOLD)


async def _stepped(store: Store, environment: Environment) -> Changed:
    return await environment_care.stepped(store, environment, TOLD)


async def _postponed(store: Store, environment: Environment) -> Changed:
    return await environment_care.postponed(store, environment, timedelta(seconds=1), TOLD)


async def _deleting(store: Store, environment: Environment) -> Changed:
    return await environment_care.deleting(store, environment, TOLD)


async def _stuck(store: Store, environment: Environment) -> Changed:
    return await environment_care.stuck(store, environment, ["a schema"], timedelta(seconds=1), TOLD)


async def _deleted(store: Store, environment: Environment) -> Changed:
    return await environment_care.deleted(store, environment, 1, RECEIPT, TOLD)


FROM: dict[Change, set[str]] = {
    _ready: {"PROVISIONING"},
    _failed: {"PROVISIONING"},
    _postponed: {"PROVISIONING"},
    _deleting: {"FAILED", "EXPIRING", "DELETE_STUCK"},
    _stuck: {"DELETING"},
    _deleted: {"DELETING"},
}
PATHS = {
    "PROVISIONING": [],
    "READY": ["READY"],
    "PAUSED": ["READY", "PAUSED"],
    "FAILED": ["FAILED"],
    "EXPIRING": ["READY", "EXPIRING"],
    "DELETING": ["READY", "EXPIRING", "DELETING"],
    "DELETE_STUCK": ["READY", "EXPIRING", "DELETING", "DELETE_STUCK"],
    "DELETED": ["READY", "EXPIRING", "DELETING", "DELETED"],
}


@pytest.mark.parametrize("change", list(FROM))
async def test_each_change_is_made_from_its_states_alone_and_under_the_newest_fence(
    store: Store, change: Change
) -> None:
    viewer = await demo(store)
    for status, path in PATHS.items():
        environment = await provisioning(store, viewer)
        for each in path:
            environment = await became(store, environment, each)
        if status != "DELETED":
            environment = await became(store, environment, status, "fence = 7")
        before = await stored(store, environment)
        if status in FROM[change]:
            await became(store, environment, status, "fence = 8")
        with pytest.raises(LeaseLostError):
            await change(store, environment)
        if status in FROM[change]:
            current = await became(store, environment, status, "fence = 7")
            after, event = await change(store, current)
            assert (after.last_seq, event.seq) == (before.last_seq + 1, before.last_seq + 1)
            assert await stored(store, environment) == after
        else:
            assert await stored(store, environment) == before
        if (left := await stored(store, environment)).status is not EnvironmentStatus.DELETED:
            await _make_room(store, left)


async def _make_room(store: Store, environment: Environment) -> None:
    """A tenant has ten slots."""
    path = {
        "PROVISIONING": ["FAILED", "DELETING", "DELETED"],
        "READY": ["EXPIRING", "DELETING", "DELETED"],
        "PAUSED": ["EXPIRING", "DELETING", "DELETED"],
        "FAILED": ["DELETING", "DELETED"],
        "EXPIRING": ["DELETING", "DELETED"],
        "DELETING": ["DELETED"],
        "DELETE_STUCK": ["DELETING", "DELETED"],
    }[environment.status]
    for status in path:
        environment = await became(store, environment, status, "remaining = NULL")


async def test_nothing_is_ready_before_all_of_it_is_there(store: Store) -> None:
    await provisioning(store, await demo(store))
    (held,) = await claimed(store)
    await part(store, held, ResourceStatus.INTENDED)
    with pytest.raises(LeaseLostError):
        await _ready(store, held)
    await part(store, held, ResourceStatus.CREATED)
    environment, _ = await _ready(store, held)
    assert (environment.status, environment.lease_owner) == (EnvironmentStatus.READY, None)
    assert environment.isolation == await _seen(store, environment)


async def _seen(store: Store, environment: Environment) -> IsolationReport | None:
    return (await stored(store, environment)).isolation


async def test_nothing_is_ready_too_late(store: Store) -> None:
    await provisioning(store, await demo(store))
    store.clock_offset = timedelta(minutes=5)
    (held,) = await claimed(store)
    with pytest.raises(LeaseLostError):
        await _ready(store, held)


async def test_nothing_is_deleted_before_all_of_it_is_gone(store: Store) -> None:
    environment = await ready(store, await demo(store))
    await part(store, environment, ResourceStatus.CREATED)
    await became(store, await became(store, environment, "EXPIRING"), "DELETING")
    (held,) = await claimed(store)
    with pytest.raises(LeaseLostError):
        await _deleted(store, held)
    await environment_resources.removed(store, held.tenant_id, held.id, "database")
    gone, _ = await _deleted(store, held)
    assert (gone.status, gone.receipt, gone.sealed_password) == (EnvironmentStatus.DELETED, "{}", None)
    assert gone.snapshot.entries == ()


async def test_nothing_more_is_noted_of_what_is_on_its_way_out(store: Store) -> None:
    environment = await became(store, await ready(store, await demo(store)), "EXPIRING")
    noted = await environment_resources.intend(
        store, environment.tenant_id, environment.id, key="p", kind=ResourceKind.PACKAGE, locator="there"
    )
    assert noted is None
    assert (await environment_resources.of_environments(store, environment.tenant_id, [environment.id])) == {
        environment.id: []
    }


async def test_resources_are_noted_once_and_go_one_way(store: Store) -> None:
    environment = await ready(store, await demo(store))
    of = (store, environment.tenant_id, environment.id)
    await part(store, environment, ResourceStatus.REMOVED)
    again = await environment_resources.intend(*of, key="database", kind=ResourceKind.DATABASE, locator="elsewhere")
    assert again is not None
    assert (again.status, again.locator) == (ResourceStatus.REMOVED, "here")
    await environment_resources.created(*of, "database")
    (kept,) = (await environment_resources.of_environments(store, environment.tenant_id, [environment.id]))[
        environment.id
    ]
    assert kept == again


async def test_what_a_person_does_is_not_undone_by_who_was_slow(store: Store) -> None:
    await provisioning(store, await demo(store))
    (held,) = await claimed(store)
    assert await environment_life.deleted(store, held.tenant_id, held.id, TOLD)
    for change in (_ready, _failed, _stepped, _postponed):
        with pytest.raises(LeaseLostError):
            await change(store, held)
    events = await environment_events.read(store, held.tenant_id, held.id)
    assert len(events) == 2


async def test_the_database_itself_refuses_what_is_not_legal(store: Store) -> None:
    environment = await ready(store, await demo(store))
    for status in ("PROVISIONING", "DELETED", "DELETE_STUCK"):
        with pytest.raises(ConstraintError):
            await became(store, environment, status)
