"""One server for each way to sign in and each database, shared by the tests of a module."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.databases import postgres_database, sqlite_database
from tests.server.nodes import Node, install


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the OpenID provider."""
    return install()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh, migrated database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            template = request.getfixturevalue("sqlite_template")
            yield sqlite_database(tmp_path_factory.mktemp("sign-in"), template)
        else:
            template = request.getfixturevalue("postgres_template")
            yield stack.enter_context(postgres_database(request.getfixturevalue("postgres_url"), template))


@pytest.fixture(scope="module")
def settings(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What every process on that database is started with."""
    return {
        "WINDTUNNEL_DATABASE_URL": url,
        "WINDTUNNEL_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "WINDTUNNEL_LOG_LEVEL": "debug",
    }
