"""What every test may ask for: real servers, fresh databases, a store; and async tests."""

import asyncio
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG

from tests.clients import ANSWER_S
from tests.databases import migrate_url, postgres_database, sqlite_database
from tests.servers import PostgresServer, RedisServer, ServerMissingError
from windtunnel.storage.store import Store, open_store

S = TypeVar("S", PostgresServer, RedisServer)
TEST_TIMEOUT_S = 600.0
"""Only a test that hangs takes this long."""
FIRST = ("cluster", "walks", "promises", "fuzz", "server", "sign_in", "app", "operations")
"""Directories of files that take long: with them first, no process is left alone with one at the end."""

os.environ.setdefault("WINDTUNNEL_WARM_UP", "off")  # tests start hundreds of processes that plan and validate nothing


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long tests/fuzz goes on."""
    parser.addoption("--fuzz-seconds", type=float, default=6.0, help="seconds that tests/fuzz takes (default: 6)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; the order within a directory stays."""
    places = {name: place for place, name in enumerate(FIRST)}
    tests = Path(__file__).parent
    items.sort(key=lambda item: places.get(item.path.relative_to(tests).parts[0], len(FIRST)))


def pytest_configure() -> None:
    """Requests wait for their answers, also on a machine that has much else to do."""
    for part in ("connect", "read", "write", "pool"):
        setattr(DEFAULT_TIMEOUT_CONFIG, part, ANSWER_S)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests, in the event loop of the `runner` fixture when they share one with a fixture."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def test() -> None:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            await pyfuncitem.obj(**arguments)

    shared = pyfuncitem.funcargs.get("runner")
    if isinstance(shared, asyncio.Runner):
        shared.run(test())
    else:
        asyncio.run(test())
    return True


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The event loop that a test shares with its async fixtures."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session, never killed: TEST_DATABASE_URL or our own."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    with _have(PostgresServer) as server:
        yield server.url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis-protocol server for the whole session, never killed: TEST_REDIS_URL or our own."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
        return
    with _have(RedisServer) as server:
        yield server.url


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the test's own, to be killed and restarted."""
    with _have(PostgresServer) as server:
        yield server


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis-protocol server of the test's own, to be killed and restarted."""
    with _have(RedisServer) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """The name of a migrated database that others are copied from."""
    with postgres_database(postgres_url) as url:
        migrate_url(url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file that others are copied from."""
    url = sqlite_database(tmp_path_factory.mktemp("template"))
    migrate_url(url)
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A fresh, migrated SQLite database."""
    return sqlite_database(tmp_path, sqlite_template)


@pytest.fixture
def postgres_database_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    with postgres_database(postgres_url, postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database: the test runs on both engines."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database_url")
    return url


@pytest.fixture
def store(database_url: str, runner: asyncio.Runner) -> Iterator[Store]:
    """An open store on a fresh database: the test runs on both engines."""
    store = runner.run(open_store(database_url))
    try:
        yield store
    finally:
        runner.run(store.close())


@pytest.fixture
def unguarded(database_url: str, runner: asyncio.Runner) -> Iterator[Store]:
    """A store whose rows nobody guards (on PostgreSQL the superuser's): what is refused, the tables refuse."""
    store = runner.run(open_store(database_url, role=None))
    try:
        yield store
    finally:
        runner.run(store.close())


def _have(kind: type[S]) -> S:
    try:
        return kind()
    except ServerMissingError as missing:
        _missing(str(missing))


def _missing(reason: str) -> NoReturn:
    """Skip loudly; in continuous integration, where the servers can be had, fail."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason)
    pytest.skip(reason)
