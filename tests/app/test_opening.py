"""A database that cannot be opened: one line that names the setting, the place and what is wrong; never a password."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.settings import SettingsError, load_settings
from app.wiring.databases import opened_store
from tests.children import free_port
from tests.databases import administer
from windtunnel.storage.store import DatabaseRole
from windtunnel.storage.unreachable import place_of

PASSWORD = "hunter2-hunter2"


@pytest.fixture(scope="module")
def stranger(postgres_url: str) -> Iterator[str]:
    """A user of the server who may sign in, but not become any of our roles."""
    name = f"stranger_{secrets.token_hex(4)}"
    administer(postgres_url, f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    try:
        yield name
    finally:
        administer(postgres_url, f"DROP ROLE {name}")


async def refusal(role: DatabaseRole | None = DatabaseRole.SERVER, **settings: object) -> str:
    with pytest.raises(SettingsError) as refused:
        async with opened_store(load_settings(**settings), role):
            pass
    said = str(refused.value)
    assert PASSWORD not in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("role", "setting"),
    [
        (DatabaseRole.SERVER, "WINDTUNNEL_DATABASE_URL"),
        (DatabaseRole.WORKER, "WINDTUNNEL_WORKER_DATABASE_URL"),
        (None, "WINDTUNNEL_OWNER_DATABASE_URL"),
    ],
)
async def test_the_setting_that_was_used_is_named(role: DatabaseRole | None, setting: str) -> None:
    ports = {name: free_port() for name in ("DATABASE_URL", "WORKER_DATABASE_URL", "OWNER_DATABASE_URL")}
    urls = {name.lower(): f"postgres://ada:{PASSWORD}@127.0.0.1:{port}/wind" for name, port in ports.items()}
    place = f"127.0.0.1:{ports[setting.removeprefix('WINDTUNNEL_')]}"
    assert await refusal(role, **urls) == f"The database of {setting}, {place}, cannot be opened: nobody listens there."


async def test_one_url_serves_all_roles() -> None:
    url = f"postgres://ada:{PASSWORD}@127.0.0.1:{free_port()}/wind"
    for role in (DatabaseRole.API, DatabaseRole.WORKER, None):
        assert "of WINDTUNNEL_DATABASE_URL, 127.0.0.1:" in await refusal(role, database_url=url)


async def test_of_a_host_with_several_addresses_too() -> None:
    url = f"postgres://ada:{PASSWORD}@localhost:{free_port()}/wind"
    assert "cannot be opened: nobody listens there." in await refusal(database_url=url)


async def test_a_host_that_there_is_not() -> None:
    assert await refusal(database_url=f"postgres://ada:{PASSWORD}@nowhere.invalid/wind") == (
        "The database of WINDTUNNEL_DATABASE_URL, nowhere.invalid:5432, cannot be opened: "
        "there is no host of this name."
    )


async def test_a_database_that_there_is_not(postgres_url: str) -> None:
    said = await refusal(database_url=urlsplit(postgres_url)._replace(path="/no_such%20one").geturl())
    assert said.endswith(" cannot be opened: it has no database 'no_such one'.")


async def test_a_user_that_there_is_not(postgres_url: str) -> None:
    host = urlsplit(postgres_url).netloc.rpartition("@")[2]
    said = await refusal(database_url=f"postgres://nobody_at_all:{PASSWORD}@{host}/postgres")
    assert said == (
        f"The database of WINDTUNNEL_DATABASE_URL, {host}, cannot be opened: it refuses this user or this password."
    )


async def test_an_address_that_nobody_can_read() -> None:
    said = await refusal(database_url=f"postgres://ada:{PASSWORD}@one:5432,two:x/wind")
    assert said == (
        "The database of WINDTUNNEL_DATABASE_URL, one:5432,two:x, cannot be opened: the address cannot be read."
    )


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "windtunnel.db").write_bytes(b"This is no database. " * 100)
    place = str(tmp_path / "windtunnel.db")
    told = f"{place}, cannot be opened: it is no SQLite database."
    assert await refusal(data_dir=tmp_path) == f"The database of WINDTUNNEL_DATA_DIR, {told}"
    assert await refusal(database_url=f"sqlite:///{place}") == f"The database of WINDTUNNEL_DATABASE_URL, {told}"


async def test_a_directory_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert await refusal(data_dir=tmp_path / "file" / "data") == (
        f"The database of WINDTUNNEL_DATA_DIR, {tmp_path / 'file' / 'data'}, cannot be opened: "
        "the directory cannot be made: Not a directory."
    )
    assert "cannot be opened: " in await refusal(database_url=f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgres://ada:p@ss@db/wind", "db:5432"),
        ("postgres://ada:p@[::1]/wind", "[::1]:5432"),
        ("postgres://ada:p@[::1]:6000/wind", "[::1]:6000"),
        ("postgres://one,two:6000/wind", "one:5432,two:6000"),
        ("postgres:///wind?host=/run/postgresql&password=p", "on this machine"),
    ],
)
def test_a_place_is_host_and_port(url: str, place: str) -> None:
    assert place_of(url) == place
