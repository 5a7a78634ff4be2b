"""Databases of environments, whatever they are: files or schemas."""

import asyncio
import secrets
import shutil
from pathlib import Path

import psutil
import pytest

from tests.databases import at_database
from tests.storage.worlds import demo, scenario
from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_namespace
from windtunnel.storage import migrations
from windtunnel.storage.environment_databases import EnvironmentDatabases, databases_beside
from windtunnel.storage.environment_files import NAME, EnvironmentFiles
from windtunnel.storage.errors import RevisionError
from windtunnel.storage.identity import identity_of
from windtunnel.storage.migrations import IN_ENVIRONMENTS, migrate_environment
from windtunnel.storage.sizes import bytes_of
from windtunnel.storage.store import Store, open_store


def new_key() -> EnvironmentKey:
    return EnvironmentKey(new_namespace(), secrets.token_hex(32))


@pytest.fixture
def databases(store: Store, tmp_path: Path) -> EnvironmentDatabases:
    return databases_beside(store, tmp_path / "environments")


async def test_it_is_made_and_opened_and_removed(databases: EnvironmentDatabases) -> None:
    one, other = new_key(), new_key()
    assert list(await databases.all()) == []
    for _ in range(2):
        await databases.create(one)
        await databases.create(other)
    assert list(await databases.all()) == sorted([one.namespace, other.namespace])
    assert one.namespace in databases.locator(one.namespace)
    assert one.password not in databases.locator(one.namespace)
    for _ in range(2):
        await databases.remove(one.namespace)
        assert not await databases.exists(one.namespace)
        assert await databases.exists(other.namespace)
        assert list(await databases.all()) == [other.namespace]
        with pytest.raises(UnavailableError):
            await databases.open(one)
    assert not await databases.exists(one.namespace)  # nobody has made it by opening it
    await databases.remove(other.namespace)


async def test_what_is_stored_in_it_is_nowhere_else(databases: EnvironmentDatabases, store: Store) -> None:
    one, other = new_key(), new_key()
    for key in (one, other):
        await databases.create(key)
    place, beside = await databases.open(one), await databases.open(other)
    try:
        await demo(store)
        you = await demo(place)
        made = await scenario(place, you)
        await databases.create(one)  # a half-done try is repeated: what is there stays
        assert [row["id"] for row in await place.fetch("SELECT id FROM scenarios")] == [made.id]
        assert await beside.fetch("SELECT id FROM scenarios") == []
        assert await store.of(you.tenant_id).fetch("SELECT id FROM scenarios") == []
        assert place.dialect == store.dialect
    finally:
        for each in (place, beside):
            await each.close()
        for key in (one, other):
            await databases.remove(key.namespace)


async def test_an_older_one_is_brought_up_when_it_is_opened(databases: EnvironmentDatabases) -> None:
    key = new_key()
    await databases.create(key)
    old = await databases.open(key)
    await old.fetch("ALTER TABLE simulations DROP COLUMN exercise")
    await old.fetch("DROP INDEX architectures_made_from")
    for column in ("based_on", "changes"):
        await old.fetch(f"ALTER TABLE architectures DROP COLUMN {column}")
    await old.fetch("DELETE FROM schema_revisions WHERE number > 1")
    await old.close()
    places = await asyncio.gather(*(databases.open(key) for _ in range(3)))
    for place in places:
        assert await place.fetch("SELECT exercise FROM simulations") == []
        assert await place.fetch("SELECT changes FROM architectures WHERE based_on IS NULL") == []
        numbers = [row["number"] for row in await place.fetch("SELECT number FROM schema_revisions ORDER BY number")]
        assert set(numbers) == IN_ENVIRONMENTS
        await place.close()
    await databases.remove(key.namespace)


async def test_a_newer_one_is_refused(databases: EnvironmentDatabases) -> None:
    key = new_key()
    await databases.create(key)
    place = await databases.open(key)
    await place.fetch("INSERT INTO schema_revisions (number, name, applied_ms) VALUES (999, 'future', 0)")
    await place.close()
    with pytest.raises(RevisionError, match="revision 999"):
        await databases.open(key)
    await databases.remove(key.namespace)


async def test_at_the_current_revision_nothing_is_done(
    databases: EnvironmentDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although the last revision of all need not be one of environments."""
    key = new_key()
    await databases.create(key)
    monkeypatch.setattr(migrations, "_apply_missing", None)
    place = await databases.open(key)
    await migrate_environment(place)
    await place.close()
    await databases.remove(key.namespace)


async def test_its_tables_are_those_of_production(databases: EnvironmentDatabases, store: Store) -> None:
    columns = {
        "sqlite": (
            "SELECT m.name AS t, c.name AS c, c.type AS k FROM sqlite_master AS m"
            " JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        ),
        "postgres": (
            "SELECT c.relname AS t, a.attname AS c, format_type(a.atttypid, a.atttypmod) AS k FROM pg_class AS c"
            " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"
        ),
    }[store.dialect]
    key = new_key()
    await databases.create(key)
    place = await databases.open(key)
    try:
        here = {(row["t"], row["c"], row["k"]) for row in await place.fetch(columns)}
        home = {(row["t"], row["c"], row["k"]) for row in await store.fetch(columns)}
    finally:
        await place.close()
        await databases.remove(key.namespace)
    assert {table for table, _, _ in here} >= {"simulations", "simulation_events", "scenarios", "architectures"}
    assert here - home == set()
    assert {row for row in home if row[0] == "simulations"} - here == set()


async def test_its_size_grows_with_what_is_in_it(databases: EnvironmentDatabases) -> None:
    key = new_key()
    await databases.create(key)
    place = await databases.open(key)
    try:
        you = await demo(place)
        empty = await bytes_of(place)
        for number in range(20):
            await scenario(place, you, f"{number} {secrets.token_hex(5_000)}")
        assert 20 * 5_000 < await bytes_of(place) - empty < 20 * 40_000
    finally:
        await place.close()
        await databases.remove(key.namespace)


async def test_coming_and_going_leaves_nothing(databases: EnvironmentDatabases, store: Store, tmp_path: Path) -> None:
    async def once() -> None:
        key = new_key()
        await databases.create(key)
        place = await databases.open(key)
        await demo(place)
        assert await place.fetch("SELECT id FROM simulations") == []
        await place.close()
        await databases.remove(key.namespace)

    process = psutil.Process()
    for _ in range(3):
        await once()
    await store.ping()
    before = (process.num_fds(), process.num_threads())
    for _ in range(15):
        await once()
    await store.ping()
    assert process.num_fds() <= before[0]
    assert process.num_threads() <= before[1] + 2  # those of the loop's own pool come when they are needed
    assert list(await databases.all()) == []
    assert [path for path in (tmp_path / "environments").rglob("*") if path.is_file()] == []


async def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    databases, key = EnvironmentFiles(tmp_path), new_key()
    directory = tmp_path / key.namespace
    directory.mkdir()
    (directory / f"{NAME}-new").write_bytes(b"half")  # of a process that was killed
    assert await databases.exists(key.namespace)
    assert list(await databases.all()) == [key.namespace]
    with pytest.raises(UnavailableError):
        await databases.open(key)
    await databases.create(key)
    assert [(path.name, path.stat().st_mode & 0o777) for path in directory.iterdir()] == [(NAME, 0o600)]
    await (await databases.open(key)).close()
    (tmp_path / "something else").mkdir()
    (tmp_path / "something else" / NAME).touch()
    assert list(await databases.all()) == [key.namespace]
    await databases.remove(key.namespace)
    assert list(directory.iterdir()) == []


async def test_the_directory_of_a_file_is_ours_alone(tmp_path: Path) -> None:
    databases, key = EnvironmentFiles(tmp_path / "environments"), new_key()
    assert list(await databases.all()) == []
    await databases.create(key)
    assert (tmp_path / "environments" / key.namespace).stat().st_mode & 0o777 == 0o700


async def test_a_damaged_file_is_refused_and_nothing_stays_open(tmp_path: Path) -> None:
    databases, key = EnvironmentFiles(tmp_path), new_key()
    await databases.create(key)
    (tmp_path / key.namespace / NAME).write_bytes(b"no database" * 1_000)
    await asyncio.sleep(0)
    before = psutil.Process().num_fds()
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await databases.open(key)
    assert psutil.Process().num_fds() <= before
    await databases.remove(key.namespace)


async def test_a_database_is_told_from_all_others(store: Store, database_url: str) -> None:
    mine = await identity_of(store)
    again = await open_store(database_url)
    assert await identity_of(again) == mine
    await again.close()
    assert len(mine) == 16


async def test_a_copy_of_a_database_is_another(
    sqlite_url: str, postgres_database_url: str, postgres_template: str, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    await asyncio.to_thread(shutil.copyfile, sqlite_url.removeprefix("sqlite:///"), copy)
    found = set()
    urls = (
        sqlite_url,
        f"sqlite:///{copy}",
        postgres_database_url,
        at_database(postgres_database_url, postgres_template),
    )
    for url in urls:
        opened = await open_store(url)
        found.add(await identity_of(opened))
        await opened.close()
    assert len(found) == len(urls)
