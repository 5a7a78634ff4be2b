"""Databases of environments as schemas of PostgreSQL, each with a login role that owns it and may see nothing else."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.errors import UnavailableError
from windtunnel.storage.errors import ConstraintError, down
from windtunnel.storage.migrations import migrate_environment
from windtunnel.storage.postgres_access import Login
from windtunnel.storage.schema_functions import NAME, mark_of_role, mark_of_schema
from windtunnel.storage.scram import scram_verifier
from windtunnel.storage.store import Store

MADE_AT_ONCE = 8
"""By one process, which has a connection for each while it makes them."""
CLOSE_TIMEOUT_S = 10.0
"""How long those who use a database that is removed are waited for; they are told to end at once."""
_LOOK_AGAIN_S = 0.01

_OURS = (
    "SELECT rolname AS name FROM pg_roles WHERE starts_with(rolname, $1)"  # noqa: S608
    f" AND shobj_description(oid, 'pg_authid') = {mark_of_role('current_schema()')}"
    " UNION SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)"
    f" AND obj_description(oid, 'pg_namespace') = {mark_of_schema('current_schema()')} ORDER BY name"
)


class EnvironmentSchemas:
    """In the database of `home`, made and removed by whoever `home` acts as: a worker. Anybody may open one."""

    def __init__(self, home: Store) -> None:
        self._home = home
        self._database: str | None = None
        self._making = asyncio.Semaphore(MADE_AT_ONCE)

    def locator(self, namespace: str) -> str:
        """As `EnvironmentDatabases.locator`."""
        return f"schema and role {NAME}{namespace}"

    async def create(self, key: EnvironmentKey) -> None:
        """As `EnvironmentDatabases.create`."""
        verifier = scram_verifier(key.password)
        async with self._making:
            with _told("made"):
                await self._home.fetch("SELECT windtunnel_create_environment($1, $2)", key.namespace, verifier)
            await (await self.open(key)).close()

    async def open(self, key: EnvironmentKey) -> Store:
        """As `EnvironmentDatabases.open`."""
        if self._database is None:
            rows = await self._home.fetch("SELECT current_database() AS name")
            self._database = rows[0]["name"]
        store = await self._home.beside(Login(f"{NAME}{key.namespace}", key.password, self._database))
        try:
            await migrate_environment(store)
        except ConstraintError as error:  # it is there, and not as it was made
            await store.close()
            raise down() from error
        except BaseException:
            await store.close()
            raise
        return store

    async def remove(self, namespace: str) -> None:
        """As `EnvironmentDatabases.remove`."""
        with _told("removed"):
            await self._end_sessions(namespace)
            await self._home.fetch("SELECT windtunnel_drop_environment($1)", namespace)

    async def exists(self, namespace: str) -> bool:
        """As `EnvironmentDatabases.exists`; whoever made it."""
        found = await self._home.fetch(
            "SELECT 1 AS one FROM pg_roles WHERE rolname = $1 UNION SELECT 1 FROM pg_namespace WHERE nspname = $1",
            f"{NAME}{namespace}",
        )
        return bool(found)

    async def all(self) -> Sequence[str]:
        """As `EnvironmentDatabases.all`; those of this database and schema."""
        return [row["name"].removeprefix(NAME) for row in await self._home.fetch(_OURS, NAME)]

    async def _end_sessions(self, namespace: str) -> None:
        """Let nobody log in any more, and end those who are."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                while await self._sessions_told(namespace):  # noqa: ASYNC110 - nobody tells of the end
                    await asyncio.sleep(_LOOK_AGAIN_S)
        except TimeoutError:
            raise UnavailableError("Those who use the environment's database do not end.") from None

    async def _sessions_told(self, namespace: str) -> int:
        rows = await self._home.fetch("SELECT windtunnel_close_environment($1) AS open", namespace)
        told: int = rows[0]["open"]
        return told


@contextmanager
def _told(done: str) -> Iterator[None]:
    """Say why the server refuses: most often its owner may not make roles or schemas."""
    try:
        yield
    except ConstraintError as error:
        raise UnavailableError(
            f"The environment's schema and role cannot be {done} ({error}). The user who migrates the database must be"
            " allowed to make roles (CREATEROLE) and schemas in it (CREATE ON DATABASE)."
        ) from error
