"""The store: one open database, SQLite or PostgreSQL, with its clock and its transactions."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from piccolo.query.base import Query

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import UnavailableError
from windtunnel.storage.bindings import compiling_for
from windtunnel.storage.dialects import POSTGRES, SQLITE, Dialect, DialectName, render
from windtunnel.storage.engine import NOBODY, Rows
from windtunnel.storage.errors import RevisionError, RoleError
from windtunnel.storage.files import make_file
from windtunnel.storage.lru import LRU
from windtunnel.storage.postgres import PooledPostgresEngine
from windtunnel.storage.postgres_access import IN_ENVIRONMENTS, Login
from windtunnel.storage.privilege import Privileged
from windtunnel.storage.sqlite import PooledSQLiteEngine
from windtunnel.storage.times import moment
from windtunnel.storage.unreachable import unreachable_postgres, unreachable_sqlite

ARCHITECTURES_CACHED = 256


class DatabaseRole(StrEnum):
    """What a process may do on PostgreSQL; none of them owns a table. On SQLite one process holds all."""

    API = "windtunnel_api"
    WORKER = "windtunnel_worker"
    SERVER = "windtunnel_server"
    """Both: an API with its worker inside."""


@dataclass(slots=True)
class _Clock:
    offset: timedelta = timedelta(0)


class Store:
    """An open database; get one from `open_store`. Safe to share between the tasks of one event loop.

    Every method raises UnavailableError when the database is down, closed or too slow, and ConstraintError when it
    refuses a statement. `clock_offset` shifts the store's clock against the database's and may be set at any time.
    """

    def __init__(
        self, engine: PooledSQLiteEngine | PooledPostgresEngine, dialect: Dialect, *, guarded: bool = True
    ) -> None:
        """`guarded`: on PostgreSQL, what looks across tenants is a function of the database. Environments have none."""
        self._clock = _Clock()
        self.architectures: LRU[str, Architecture] = LRU(ARCHITECTURES_CACHED)
        self._engine = engine
        self._dialect = dialect
        self._guarded = guarded and dialect.name == "postgres"

    @property
    def clock_offset(self) -> timedelta:
        """How far this store's clock is from its database's."""
        return self._clock.offset

    @clock_offset.setter
    def clock_offset(self, offset: timedelta) -> None:
        self._clock.offset = offset

    def follow_clock_of(self, other: "Store") -> None:
        """Have the same offset as `other` from now on, also when that is changed."""
        self._clock = other._clock  # noqa: SLF001 - of the same class

    @property
    def dialect(self) -> DialectName:
        """Which database this is."""
        return self._dialect.name

    async def beside(self, login: Login) -> "Store":
        """A store on the same PostgreSQL server with a login of its own, in whose database nobody's rows are guarded.

        It connects when it is first used. TypeError for a store on SQLite.
        """
        if not isinstance(self._engine, PooledPostgresEngine):
            raise TypeError("A file has no logins.")
        engine = PooledPostgresEngine(self._engine.dsn, login=login, size=IN_ENVIRONMENTS)
        await engine.open()
        return Store(engine, self._dialect, guarded=False)

    @property
    def on_statement(self) -> Callable[[str], None] | None:
        """Called with the text of each statement before it runs, for tests and measurements."""
        return self._engine.on_statement

    @on_statement.setter
    def on_statement(self, listener: Callable[[str], None] | None) -> None:
        self._engine.on_statement = listener

    async def close(self) -> None:
        """Give every connection back. May be called twice."""
        await self._engine.close()

    async def ping(self) -> None:
        """Return when the database has answered."""
        await self._engine.fetch("SELECT 1", (), None)

    async def now(self) -> datetime:
        """The clock that all decisions about time use: the database's plus `clock_offset`."""
        rows = await self._engine.fetch(self._rendered("SELECT {now} AS now_ms"), (), None)
        return moment(rows[0]["now_ms"])

    def of(self, tenant_id: str) -> "Scope":
        """The database as one tenant sees it."""
        return Scope(self, tenant_id)

    @asynccontextmanager
    async def transaction(self, tenant_id: str = NOBODY) -> AsyncIterator[None]:
        """A transaction of this task: storage functions called inside belong to it; an exception rolls back.

        It sees and changes the rows of one tenant, on PostgreSQL by row level security; RuntimeError for another's.
        Inside of another one it joins that one: there are no savepoints, so let exceptions pass through. Never
        gather or spawn database work inside. On SQLite everybody else's writing waits until it ends.
        """
        async with self._engine.atomically(tenant_id):
            yield

    async def lock_tenant(self, tenant_id: str) -> None:
        """Inside a transaction: wait until no other transaction holds this tenant's lock, and hold it to the end."""
        if not self._engine.joined():
            raise RuntimeError("lock_tenant outside of a transaction locks nothing")
        if self.dialect == "postgres":
            # Of this schema alone: who works in an environment may want the tenant's lock at home, too.
            await self.fetch(
                "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0))", tenant_id
            )

    async def fetch(self, sql: str, *arguments: Any) -> Rows:
        """Run one statement of `dialects.render`'s language that is about no tenant's rows; rows as dicts."""
        return await self._engine.fetch(self._rendered(sql), arguments)

    async def privileged(self, statement: Privileged, *arguments: Any) -> Rows:
        """Run one of the few statements that look across tenants; rows as dicts.

        On PostgreSQL it is a function of the database, and this process's role must be allowed to call it.
        """
        if not self._guarded:
            return await self._engine.fetch(self._rendered(statement.sql), arguments)
        return await self._engine.fetch(statement.call, (*arguments, self._offset_ms), None)

    async def _fetch_for(self, tenant_id: str, sql: str, arguments: tuple[Any, ...]) -> Rows:
        return await self._engine.fetch(self._rendered(sql), arguments, tenant_id)

    async def _execute_many_for(self, tenant_id: str, sql: str, rows: list[tuple[Any, ...]]) -> None:
        await self._engine.execute_many(self._rendered(sql), rows, tenant_id)

    async def _run_for(self, tenant_id: str, query: Query[Any, Any]) -> Rows:
        with compiling_for(self._engine):
            compiled = [each.compile_string(engine_type=self.dialect) for each in query.querystrings]
        rows: Rows = []
        for sql, arguments in compiled:
            rows = await self._engine.fetch(sql, arguments, tenant_id)
        return rows

    @property
    def _offset_ms(self) -> int:
        return self.clock_offset // timedelta(milliseconds=1)

    def _rendered(self, sql: str) -> str:
        return render(sql, self._dialect, self._offset_ms)


@dataclass(frozen=True, slots=True)
class Scope:
    """The database as one tenant sees it; get it from `Store.of`. On PostgreSQL no other rows can be seen at all."""

    _store: Store
    _tenant_id: str

    async def fetch(self, sql: str, *arguments: Any) -> Rows:
        """Run one statement of `dialects.render`'s language; rows as dicts."""
        return await self._store._fetch_for(self._tenant_id, sql, arguments)  # noqa: SLF001 - its other half

    async def execute_many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Run one statement for each of `rows`, inside a transaction."""
        await self._store._execute_many_for(self._tenant_id, sql, rows)  # noqa: SLF001

    async def run(self, query: Query[Any, Any]) -> Rows:
        """Run a Piccolo query; rows as dicts."""
        return await self._store._run_for(self._tenant_id, query)  # noqa: SLF001


async def open_store(
    url: str,
    *,
    role: DatabaseRole | None = DatabaseRole.SERVER,
    clock_offset: timedelta = timedelta(0),
    read_only: bool = False,
    create: bool = True,
) -> Store:
    """Open the database at `sqlite:///PATH` or `postgres://...`. Raises UnreachableError when it cannot be.

    A new SQLite file is created, with its directory; `migrations.migrate` makes the tables. On PostgreSQL the
    process acts as `role` (RevisionError when the database has no roles yet); None: as the user of the URL, which
    is for migrating only. With `read_only` nothing can be changed; then, and without `create`, a SQLite file must be
    there.
    """
    if url.startswith("sqlite:///"):
        store = Store(
            await _opened_sqlite(Path(url.removeprefix("sqlite:///")), read_only, create and not read_only), SQLITE
        )
    else:
        store = Store(await _opened_postgres(url, role, read_only), POSTGRES)
    store.clock_offset = clock_offset
    return store


async def _opened_sqlite(path: Path, read_only: bool, create: bool) -> PooledSQLiteEngine:
    if create:
        make_file(path)
    engine = PooledSQLiteEngine(path, read_only=read_only)
    try:
        await engine.open()
    except UnavailableError as error:
        raise unreachable_sqlite(str(path), error) from error
    return engine


async def _opened_postgres(url: str, role: DatabaseRole | None, read_only: bool) -> PooledPostgresEngine:
    engine = PooledPostgresEngine(url, role, read_only=read_only)
    try:
        await engine.open()
    except (RevisionError, RoleError):
        raise
    except (UnavailableError, ValueError) as error:  # ValueError: the driver cannot read the URL
        raise unreachable_postgres(url, error) from error
    return engine
