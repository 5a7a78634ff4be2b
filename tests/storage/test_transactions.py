"""Transactions: all or nothing, joined when nested, of one task only, never poisoned."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context

import pytest

from tests.storage.worlds import demo, scenario, stranger
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import scenarios
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store, open_store
from windtunnel.storage.tables import Users


@asynccontextmanager
async def undone(store: Store, you: Viewer) -> AsyncIterator[None]:
    """A transaction that fails at its end."""
    with suppress(OurError):
        async with store.transaction(you.tenant_id):
            yield
            fail()


def fail() -> None:
    raise OurError


class OurError(Exception):
    """Something that goes wrong between two statements."""


async def texts(store: Store, you: Viewer) -> set[str]:
    return {row["text"] for row in await store.of(you.tenant_id).fetch("SELECT text FROM scenarios")}


async def test_commits_together_or_not_at_all(store: Store) -> None:
    you = await demo(store)
    async with store.transaction(you.tenant_id):
        await scenario(store, you, "One.")
        await scenario(store, you, "Two.")
    async with undone(store, you):
        await scenario(store, you, "Three.")
    assert await texts(store, you) == {"One.", "Two."}


async def test_reads_its_own_writes_that_others_do_not_see(store: Store, database_url: str) -> None:
    you = await demo(store)
    other = await open_store(database_url)
    try:
        async with store.transaction(you.tenant_id):
            await scenario(store, you, "Mine.")
            assert await texts(store, you) == {"Mine."}
            assert await texts(other, you) == set()
        assert await texts(other, you) == {"Mine."}
    finally:
        await other.close()


async def test_an_inner_one_joins_the_outer(store: Store) -> None:
    you = await demo(store)
    async with undone(store, you), store.transaction(you.tenant_id):
        await scenario(store, you, "Inner.")
    assert await texts(store, you) == set()


async def test_a_refused_statement_rolls_back_and_the_task_goes_on(store: Store) -> None:
    you = await demo(store)
    made = await scenario(store, you, "One.")

    async def twice() -> None:
        async with store.transaction(you.tenant_id):
            await scenario(store, you, "Two.")
            await scenarios.insert(store, made)

    with pytest.raises(ConstraintError):
        await twice()
    assert await texts(store, you) == {"One."}
    await scenario(store, you, "Three.")
    assert await texts(store, you) == {"One.", "Three."}


async def test_a_cancelled_task_leaves_nothing_behind(store: Store) -> None:
    you = await demo(store)
    inside = asyncio.Event()

    async def work() -> None:
        async with store.transaction(you.tenant_id):
            await scenario(store, you, "Half.")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await scenario(store, you, "Whole.")
    assert await texts(store, you) == {"Whole."}


async def test_cancelling_at_any_moment_keeps_the_store_usable(store: Store) -> None:
    you = await demo(store)

    async def work(text: str) -> None:
        async with store.transaction(you.tenant_id):
            await scenario(store, you, text + "a")
            await scenario(store, you, text + "b")

    for moment in range(40):
        task = asyncio.create_task(work(f"{moment}"))
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    await work("last")
    found = await texts(store, you)
    assert {"lasta", "lastb"} <= found
    assert {text[:-1] for text in found if text.endswith("a")} == {text[:-1] for text in found if text.endswith("b")}


async def test_database_work_spawned_inside_is_refused(store: Store) -> None:
    you = await demo(store)
    async with store.transaction(you.tenant_id):
        spawned = asyncio.create_task(scenario(store, you, "Torn apart."))
        with pytest.raises(RuntimeError, match="belongs to the task"):
            await spawned
        await scenario(store, you, "Mine.")
        read = asyncio.create_task(texts(store, you), context=Context())
        assert await read == set()
    assert await texts(store, you) == {"Mine."}


async def test_a_task_that_outlives_it_works_outside_of_it(store: Store) -> None:
    you = await demo(store)
    go_on = asyncio.Event()

    async def later() -> None:
        await go_on.wait()
        await scenario(store, you, "Later.")

    async with undone(store, you):
        task = asyncio.create_task(later())
        await scenario(store, you, "Rolled back.")
    go_on.set()
    await task
    assert await texts(store, you) == {"Later."}


async def test_read_then_write_by_many_at_once_loses_nothing(store: Store, database_url: str) -> None:
    you = await demo(store)
    stores = [store, await open_store(database_url)]

    async def rename(one: Store) -> None:
        async with one.transaction(you.tenant_id):
            await one.lock_tenant(you.tenant_id)
            scope = one.of(you.tenant_id)
            name = (await scope.fetch("SELECT name FROM users WHERE id = $1", you.user.id))[0]["name"]
            await scope.fetch("UPDATE users SET name = $2 WHERE id = $1", you.user.id, name + "+")

    try:
        await asyncio.gather(*(rename(one) for one in stores * 15))
        assert (await store.of(you.tenant_id).fetch("SELECT name FROM users"))[0]["name"] == "You" + "+" * 30
    finally:
        await stores[1].close()


async def test_a_tenant_is_locked_only_inside_of_one(store: Store) -> None:
    you = await demo(store)
    with pytest.raises(RuntimeError, match="locks nothing"):
        await store.lock_tenant(you.tenant_id)


async def test_closing_lets_the_transaction_under_way_end(sqlite_url: str) -> None:
    store = await open_store(sqlite_url)
    you = await demo(store)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with store.transaction(you.tenant_id):
            inside.set()
            await go_on.wait()
            await scenario(store, you, "Finished.")

    task = asyncio.create_task(work())
    await inside.wait()
    closing = asyncio.create_task(store.close())
    go_on.set()
    await asyncio.gather(task, closing)
    again = await open_store(sqlite_url)
    try:
        assert await texts(again, you) == {"Finished."}
    finally:
        await again.close()


async def test_piccolo_queries_belong_to_the_transaction(store: Store) -> None:
    you = await demo(store)
    scope = store.of(you.tenant_id)
    async with undone(store, you):
        await scope.run(Users.update({Users.name: "New"}).where(Users.id == you.user.id))
        assert (await scope.run(Users.select(Users.name)))[0]["name"] == "New"
    assert (await scope.run(Users.select(Users.name)))[0]["name"] == "You"


async def _kill_own_connection(store: Store, killer: Store) -> None:
    pid = (await store.fetch("SELECT pg_backend_pid() AS pid"))[0]["pid"]
    await killer.fetch("SELECT pg_terminate_backend($1)", pid)


async def test_a_connection_that_dies_inside_does_not_poison_the_task(postgres_database_url: str) -> None:
    store, killer = await open_store(postgres_database_url), await open_store(postgres_database_url, role=None)
    try:
        you = await demo(store)
        for _ in range(15):  # more often than the pool has connections: none leaks
            with pytest.raises(UnavailableError):
                await _write_while_it_dies(store, killer, you)
            await store.ping()
        await scenario(store, you, "After.")
        assert await texts(store, you) == {"After."}
    finally:
        await store.close()
        await killer.close()


async def _write_while_it_dies(store: Store, killer: Store, you: Viewer, *, then_write: bool = True) -> None:
    async with store.transaction(you.tenant_id):
        await scenario(store, you, "Lost.")
        await _kill_own_connection(store, killer)
        if then_write:
            await scenario(store, you, "Too late.")


async def test_a_connection_that_dies_before_the_commit_is_reported(postgres_database_url: str) -> None:
    store, killer = await open_store(postgres_database_url), await open_store(postgres_database_url, role=None)
    try:
        you = await demo(store)
        with pytest.raises(UnavailableError):
            await _write_while_it_dies(store, killer, you, then_write=False)
        assert await texts(store, you) == set()
    finally:
        await store.close()
        await killer.close()


async def test_a_transaction_belongs_to_one_tenant(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    async with store.transaction(you.tenant_id):
        with pytest.raises(RuntimeError, match="one tenant"):
            await scenario(store, eve)
        with pytest.raises(RuntimeError, match="one tenant"):
            async with store.transaction(eve.tenant_id):
                raise AssertionError
        await scenario(store, you, "Mine.")
    async with store.transaction():
        with pytest.raises(RuntimeError, match="one tenant"):
            await scenario(store, you)
    assert await texts(store, you) == {"Mine."}


async def test_a_connection_never_speaks_for_the_last_tenant(postgres_database_url: str) -> None:
    store = await open_store(postgres_database_url)
    try:
        you, eve = await demo(store), await stranger(store)
        await scenario(store, you, "Mine.")
        await scenario(store, eve, "Hers.")
        everything = "SELECT text FROM scenarios"  # without a word on the tenant: the database knows
        for _ in range(3):
            for who, expected in ((you, ["Mine."]), (eve, ["Hers."])):
                assert [row["text"] for row in await store.of(who.tenant_id).fetch(everything)] == expected
            assert await store.fetch(everything) == []
    finally:
        await store.close()
