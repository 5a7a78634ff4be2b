"""An installation on PostgreSQL as real ones are: its owner is no superuser, and its database is not open to all."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import pytest

from tests.databases import administer, migrate_url
from tests.storage.test_roles import logged_in_as, owned_database, users
from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.ids import new_namespace
from windtunnel.storage.environment_schemas import EnvironmentSchemas
from windtunnel.storage.migrations import ROLES
from windtunnel.storage.store import DatabaseRole, Store, open_store

LEFT = (
    "SELECT ARRAY[(SELECT count(*) FROM pg_authid), (SELECT count(*) FROM pg_auth_members),"
    " (SELECT count(*) FROM pg_shdescription), (SELECT count(*) FROM pg_db_role_setting),"
    " (SELECT count(*) FROM pg_namespace), (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),"
    " (SELECT count(*) FROM pg_shdepend), (SELECT count(*) FROM pg_largeobject_metadata),"
    " (SELECT COALESCE(cardinality(datacl), 0) FROM pg_database WHERE datname = current_database())] AS counts"
)


@dataclass(frozen=True)
class Installation:
    """A database that is not open to all, with an owner who is no superuser, and users for API and worker."""

    url: str
    owner: str
    api: str
    worker: str

    @asynccontextmanager
    async def opened(self, role: DatabaseRole) -> AsyncIterator[Store]:
        user = self.api if role is DatabaseRole.API else self.worker
        store = await open_store(logged_in_as(self.url, user), role=role)
        try:
            yield store
        finally:
            await store.close()

    @asynccontextmanager
    async def schemas(self) -> AsyncIterator[EnvironmentSchemas]:
        async with self.opened(DatabaseRole.WORKER) as store:
            yield EnvironmentSchemas(store)


@contextmanager
def installed(server_url: str) -> Iterator[Installation]:
    with users(server_url, "CREATEROLE", "", "") as (owner, api, worker):
        administer(
            server_url,
            f"GRANT {', '.join(ROLES)} TO {owner} WITH ADMIN OPTION",
            f"GRANT windtunnel_api TO {api}",
            f"GRANT windtunnel_worker TO {worker}",
        )
        with owned_database(server_url, owner) as url:
            name = url.rpartition("/")[2]
            administer(
                url,
                f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
                f"GRANT CONNECT ON DATABASE {name} TO {owner}, {api}, {worker}",
            )
            migrate_url(logged_in_as(url, owner))
            yield Installation(url, owner, api, worker)


@pytest.fixture(scope="module")
def installation(postgres_url: str, postgres_template: str) -> Iterator[Installation]:
    del postgres_template  # the roles exist
    with installed(postgres_url) as found:
        yield found


@pytest.fixture
def superuser(installation: Installation, runner: asyncio.Runner) -> Iterator[Store]:
    """Who may look at everything."""
    store = runner.run(open_store(installation.url, role=None))
    try:
        yield store
    finally:
        runner.run(store.close())


def new_key() -> EnvironmentKey:
    return EnvironmentKey(new_namespace(), secrets.token_hex(32))


async def left(superuser: Store) -> list[int]:
    rows = await superuser.fetch(LEFT)
    counts: list[int] = rows[0]["counts"]
    return counts
