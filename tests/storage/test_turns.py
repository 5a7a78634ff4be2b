"""Whose turn it is, and that one tenant that waits keeps nobody else from the database."""

import asyncio
from collections import Counter

import pytest

from tests.storage.worlds import demo
from windtunnel.domain.errors import ErrorCode, UnavailableError
from windtunnel.storage import postgres, sqlite
from windtunnel.storage.postgres_access import AT_HOME
from windtunnel.storage.store import Store
from windtunnel.storage.turns import Turns

SOON = 30.0
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Office:
    """Notes who comes in, and lets them out when told."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.came: list[str] = []
        self.doors: list[asyncio.Event] = []

    async def visit(self, tenant: str) -> None:
        async with self.turns.turn(tenant, SOON):
            door = asyncio.Event()
            self.came.append(tenant)
            self.doors.append(door)
            await door.wait()


async def breathe() -> None:
    """Let every task go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_tenants_that_wait_are_served_in_turn() -> None:
    office = Office(Turns(total=1, each=1))
    async with asyncio.TaskGroup() as group:
        for tenant in ("a", "a", "a", "b", "c", "b"):
            group.create_task(office.visit(tenant))
        for number in range(6):
            await breathe()
            assert len(office.came) == number + 1
            office.doors[number].set()
    assert office.came == ["a", "a", "b", "c", "a", "b"]
    assert not office.turns._held
    assert not office.turns._queues


async def test_a_tenant_has_its_share_and_leaves_the_rest() -> None:
    office = Office(Turns(total=4, each=2))
    async with asyncio.TaskGroup() as group:
        for tenant in "aaaaabbbc":
            group.create_task(office.visit(tenant))
        await breathe()
        assert office.came == ["a", "a", "b", "b"]
        office.doors[0].set()
        await breathe()
        assert office.came[4:] == ["a"]  # who waits for longest
        office.doors[2].set()
        office.doors[3].set()
        await breathe()
        assert office.came[5:] == ["b", "c"]
        for _ in range(3):
            for door in office.doors:
                door.set()
            await breathe()
    assert Counter(office.came) == {"a": 5, "b": 3, "c": 1}


async def test_who_gives_up_leaves_nothing_behind() -> None:
    office = Office(Turns(total=1, each=1))
    first, second, third = (asyncio.create_task(office.visit(tenant)) for tenant in "aab")
    await breathe()
    second.cancel()
    await breathe()
    assert office.came == ["a"]
    office.doors[0].set()
    await first
    await breathe()
    assert office.came == ["a", "b"]
    third.cancel()
    fourth = asyncio.create_task(office.visit("d"))
    await breathe()
    assert office.came == ["a", "b", "d"]
    fourth.cancel()
    await asyncio.gather(second, third, fourth, return_exceptions=True)
    assert not office.turns._held
    assert not office.turns._queues


async def test_a_turn_that_comes_with_the_end_is_passed_on() -> None:
    office = Office(Turns(total=1, each=1))
    first, second, third = (asyncio.create_task(office.visit(tenant)) for tenant in "abc")
    await breathe()
    office.doors[0].set()
    await asyncio.sleep(0)
    second.cancel()  # its turn has come, and it does not know yet
    await breathe()
    assert office.came == ["a", "c"]
    third.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert not office.turns._held


async def test_it_takes_no_longer_than_that() -> None:
    turns = Turns(total=1, each=1)
    async with turns.turn("a", SOON):
        with pytest.raises(UnavailableError) as late:
            async with turns.turn("a", 0.01):
                raise AssertionError
        assert late.value.code is ErrorCode.TIMEOUT
    assert not turns._queues


@on_postgres
async def test_hundreds_of_transactions_of_one_tenant_leave_connections_for_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ACQUIRE_TIMEOUT_S", 60.0)
    you = await demo(store)
    held, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with store.transaction(you.tenant_id):
            await store.lock_tenant(you.tenant_id)
            held.set()
            await done.wait()

    async def change() -> None:
        async with store.transaction(you.tenant_id):
            await store.lock_tenant(you.tenant_id)
            await store.of(you.tenant_id).fetch("SELECT 1")

    async with asyncio.TaskGroup() as group:
        group.create_task(hold())
        await held.wait()
        for _ in range(200):
            group.create_task(change())
        await breathe()
        for _ in range(20):  # each would wait for the end of them all if they had taken every connection
            await store.of("another").fetch("SELECT 1")
        async with store.transaction("another"):
            await store.lock_tenant("another")
            async with store.transaction("another"):  # joins, needs nothing more
                await store.of("another").fetch("SELECT 1")
        engine = store._engine
        assert isinstance(engine, postgres.PooledPostgresEngine)
        assert engine.pool is not None
        in_use = engine.pool.get_size() - engine.pool.get_idle_size()
        assert in_use == AT_HOME.transactions_per_tenant
        done.set()
    assert not engine._turns._held


@on_postgres
async def test_single_statements_always_find_a_connection(store: Store) -> None:
    done = asyncio.Event()

    async def hold(tenant: str) -> None:
        async with store.transaction(tenant):
            await done.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(hold(f"tenant-{number % 10}"))
        await breathe()
        for _ in range(20):
            await store.ping()
        done.set()


@on_sqlite
async def test_the_one_writer_of_sqlite_takes_tenants_in_turn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "ACQUIRE_TIMEOUT_S", 60.0)
    order: list[str] = []

    async def write(tenant: str) -> None:
        async with store.transaction(tenant):
            order.append(tenant)
            await store.of(tenant).fetch("SELECT 1")

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(write("a"))
        group.create_task(write("b"))
    assert "b" in order[:3]
    assert Counter(order) == {"a": 50, "b": 1}
