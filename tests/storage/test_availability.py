"""A database that is down, closed or slow is reported, never waited for without end; afterwards all goes on."""

import asyncio
import multiprocessing
import os
import signal
import sqlite3
from contextvars import Context
from dataclasses import replace
from pathlib import Path

import pytest

from tests.children import free_port
from tests.databases import migrate_url, postgres_database
from tests.servers import PostgresServer
from tests.storage.worlds import demo, drafts, in_process, running, scenario
from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import events, postgres, sqlite
from windtunnel.storage.migrations import is_current
from windtunnel.storage.postgres_access import AT_HOME
from windtunnel.storage.store import Store, open_store


async def test_a_closed_store_says_so(store: Store) -> None:
    you = await demo(store)
    await store.close()
    await store.close()
    for refused in (store.ping(), store.now(), scenario(store, you)):
        with pytest.raises(UnavailableError):
            await refused
    with pytest.raises(UnavailableError):
        async with store.transaction():
            pass


async def test_no_server_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        await open_store(f"postgres://postgres@127.0.0.1:{free_port()}/nothing")


async def test_no_such_database_or_password_is_unavailable(postgres_url: str) -> None:
    with pytest.raises(UnavailableError):
        await open_store(postgres_url.rsplit("/", 1)[0] + "/no_such_database")


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"This is not a database. " * 100)
    with pytest.raises(UnavailableError):
        await open_store(f"sqlite:///{garbage}")
    with pytest.raises(UnavailableError):
        await open_store(f"sqlite:///{tmp_path}")


async def test_the_directory_of_a_new_file_is_made(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'a' / 'b' / 'new.db'}")
    try:
        assert not await is_current(store)
    finally:
        await store.close()


def test_the_pool_recovers_when_the_server_comes_back(postgres_server: PostgresServer) -> None:
    migrate_url(postgres_server.url)

    async def story() -> None:
        store = await open_store(postgres_server.url)
        try:
            you = await demo(store)
            simulation = await running(store, you)
            await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 2, drafts(3))

            postgres_server.kill()
            for _ in range(3):
                with pytest.raises(UnavailableError):
                    await store.ping()
            with pytest.raises(UnavailableError):
                await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 5, drafts(1))

            postgres_server.start()
            await asyncio.gather(*(store.ping() for _ in range(20)))
            await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, 5, drafts(1))
            told = await events.read(store, you.tenant_id, simulation.id)
            assert [event.seq for event in told] == [1, 2, 3, 4, 5, 6]
        finally:
            await store.close()

    asyncio.run(story())


def test_a_server_killed_inside_a_transaction_loses_only_that(postgres_server: PostgresServer) -> None:
    migrate_url(postgres_server.url)

    async def restart_inside(store: Store, you: Viewer) -> None:
        async with store.transaction(you.tenant_id):
            await scenario(store, you, "Unfinished.")
            postgres_server.restart()

    async def story() -> None:
        store = await open_store(postgres_server.url)
        try:
            you = await demo(store)
            await scenario(store, you, "Acknowledged.")
            with pytest.raises(UnavailableError):
                await restart_inside(store, you)
            rows = await store.of(you.tenant_id).fetch("SELECT text FROM scenarios")
            assert [row["text"] for row in rows] == ["Acknowledged."]
        finally:
            await store.close()

    asyncio.run(story())


async def test_an_exhausted_pool_is_reported(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "AT_HOME", replace(AT_HOME, most=1))
    monkeypatch.setattr(postgres, "ACQUIRE_TIMEOUT_S", 0.05)
    store = await open_store(postgres_url, role=None)
    try:
        async with store.transaction():
            outside = asyncio.create_task(store.ping(), context=Context())
            with pytest.raises(UnavailableError) as late:
                await outside
            assert late.value.code is ErrorCode.TIMEOUT
            await store.ping()
        await store.ping()
    finally:
        await store.close()


async def test_a_statement_that_takes_for_ever_is_reported(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "STATEMENT_TIMEOUT_S", 0.05)
    store = await open_store(postgres_url, role=None)
    try:
        with pytest.raises(UnavailableError) as late:
            await store.fetch("SELECT pg_sleep(60)")
        assert late.value.code is ErrorCode.TIMEOUT
        await store.ping()
    finally:
        await store.close()


async def test_a_file_locked_by_another_process_is_reported(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PRAGMAS", tuple(pragma.replace("10000", "10") for pragma in sqlite.PRAGMAS))
    store = await open_store(sqlite_url)
    blocker = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        you = await demo(store)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError):
            await scenario(store, you)
        assert (await store.fetch("SELECT COUNT(*) AS n FROM users"))[0]["n"] == 1  # readers do not wait
        blocker.execute("ROLLBACK")
        await scenario(store, you)
    finally:
        blocker.close()
        await store.close()


async def test_a_writer_that_waits_too_long_is_reported(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "ACQUIRE_TIMEOUT_S", 0.05)
    store = await open_store(sqlite_url)
    try:
        you = await demo(store)
        async with store.transaction(you.tenant_id):
            outside = asyncio.create_task(demo(store), context=Context())
            with pytest.raises(UnavailableError) as late:
                await outside
            assert late.value.code is ErrorCode.TIMEOUT
            await scenario(store, you)
    finally:
        await store.close()


async def write_until_killed(store: Store, acknowledged: object) -> None:
    """Appends event by event and says after each commit how far it is."""
    you = await demo(store)
    simulation = await running(store, you)
    seq = 2
    while True:
        await events.append(store, simulation.tenant_id, simulation.id, simulation.fence, seq, drafts(1))
        seq += 1
        acknowledged.send(seq)  # type: ignore[attr-defined]


def test_kill_9_loses_nothing_acknowledged(database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=in_process, args=(database_url, write_until_killed, sender))
    process.start()
    sender.close()
    last = 0
    while last < 200:
        last = receiver.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    while True:
        try:
            last = receiver.recv()
        except EOFError:
            break
    receiver.close()

    async def read() -> list[int]:
        store = await open_store(database_url)
        try:
            you = await demo(store)
            ids = await store.of(you.tenant_id).fetch("SELECT id FROM simulations")
            return [event.seq for event in await events.read(store, you.tenant_id, ids[0]["id"], limit=10**6)]
        finally:
            await store.close()

    stored = asyncio.run(read())
    assert stored == list(range(1, len(stored) + 1))
    assert len(stored) >= last


async def test_text_that_no_database_holds_is_refused_not_a_crash(store: Store) -> None:
    you = await demo(store)
    with pytest.raises(ValidationError, match="cannot be stored"):
        await scenario(store, you, "half a pair \ud800")
    await scenario(store, you, "Fine.")


def test_a_fresh_postgres_database_is_dropped_again(postgres_url: str) -> None:
    with postgres_database(postgres_url) as url:
        asyncio.run(_ping(url))
    with pytest.raises(UnavailableError):
        asyncio.run(_ping(url))


async def _ping(url: str) -> None:
    store = await open_store(url, role=None)
    try:
        await store.ping()
    finally:
        await store.close()
