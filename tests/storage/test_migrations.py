"""Migrations: repeatable, safe when many run at once, never on a newer database."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.databases import migrate_url, postgres_database, sqlite_database
from tests.queries import counted
from tests.storage.worlds import demo, scenario
from windtunnel.storage.errors import RevisionError
from windtunnel.storage.migrations import is_current, migrate, revisions
from windtunnel.storage.store import Store, open_store
from windtunnel.storage.tables import TABLES


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield sqlite_database(tmp_path)
    else:
        with postgres_database(request.getfixturevalue("postgres_url")) as url:
            yield url


def test_files_are_numbered_without_gaps_and_known_for_both() -> None:
    assert [revision.number for revision in revisions()] == list(range(1, len(revisions()) + 1))
    assert all(revision.texts["sqlite"] and revision.texts["postgres"] for revision in revisions())


async def test_an_empty_database_is_brought_up_once(empty_url: str) -> None:
    store = await open_store(empty_url, role=None)
    try:
        assert not await is_current(store)
        await migrate(store)
        assert await is_current(store)
        made = await scenario(store, await demo(store))
        with counted(store) as statements:
            await migrate(store)
        assert not any("CREATE" in statement for statement in statements)
        assert [row["id"] for row in await store.fetch("SELECT id FROM scenarios")] == [made.id]
    finally:
        await store.close()


async def test_many_stores_at_once_do_it_once(empty_url: str) -> None:
    stores = await asyncio.gather(*(open_store(empty_url, role=None) for _ in range(6)))
    try:
        await asyncio.gather(*(migrate(store) for store in stores))
        applied = await stores[0].fetch("SELECT number FROM schema_revisions ORDER BY number")
        assert [row["number"] for row in applied] == [revision.number for revision in revisions()]
    finally:
        for store in stores:
            await store.close()


def test_many_processes_at_once_do_it_once(empty_url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(migrate_url, empty_url) for _ in range(8)]:
            done.result(60)

    async def check() -> None:
        store = await open_store(empty_url, role=None)
        assert await is_current(store)
        await store.close()

    asyncio.run(check())


async def test_all_or_nothing(empty_url: str) -> None:
    store = await open_store(empty_url, role=None)
    try:
        await store.fetch("CREATE TABLE simulation_commands (id INTEGER)")  # in the way of the first revision
        with pytest.raises(Exception, match="already exists"):
            await migrate(store)
        assert not await is_current(store)
        await store.fetch("DROP TABLE simulation_commands")
        await migrate(store)
        assert await is_current(store)
    finally:
        await store.close()


async def test_a_newer_database_is_refused_in_clear_words(unguarded: Store) -> None:
    store = unguarded
    await store.fetch("INSERT INTO schema_revisions (number, name, applied_ms) VALUES (999, 'future', 0)")
    for refused in (migrate(store), is_current(store)):
        with pytest.raises(RevisionError, match="revision 999"):
            await refused


async def test_tables_in_code_are_the_tables_in_the_database(store: Store) -> None:
    if store.dialect == "sqlite":
        rows = await store.fetch(
            'SELECT m.name AS t, c.name AS c, c."notnull" AS required FROM sqlite_master AS m'
            " JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        )
        # A primary key of several columns is required by its NOT NULL, one of a single column implicitly.
        found = {(row["t"], row["c"]): bool(row["required"]) for row in rows}
    else:
        rows = await store.fetch(
            "SELECT table_name AS t, column_name AS c, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
        found = {(row["t"], row["c"]): row["is_nullable"] == "NO" for row in rows}
    declared = {
        (table._meta.tablename, column._meta.name): not column._meta.null
        for table in TABLES
        for column in table._meta.columns
    }
    found = {key: value for key, value in found.items() if key[0] != "schema_privileges"}  # of PostgreSQL alone
    assert set(found) == set(declared)
    single_keys = {("schema_revisions", "number")} | {(name, "id") for name, column in found if column == "id"}
    assert {key: value for key, value in found.items() if key not in single_keys} == {
        key: value for key, value in declared.items() if key not in single_keys
    }
