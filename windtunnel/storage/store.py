"""The store: one open database, SQLite or PostgreSQL, with its clock and its transactions."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from piccolo.query.base import Query

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import UnavailableError
from windtunnel.storage.bindings import compiling_for
from windtunnel.storage.dialects import POSTGRES, SQLITE, Dialect, DialectName, render
from windtunnel.storage.engine import Rows
from windtunnel.storage.lru import LRU
from windtunnel.storage.postgres import PooledPostgresEngine
from windtunnel.storage.sqlite import PooledSQLiteEngine
from windtunnel.storage.times import moment

ARCHITECTURES_CACHED = 256


class Store:
    """An open database; get one from `open_store`. Safe to share between the tasks of one event loop.

    Every method raises UnavailableError when the database is down, closed or too slow, and ConstraintError when it
    refuses a statement. `clock_offset` shifts the store's clock against the database's and may be set at any time.
    """

    def __init__(self, engine: PooledSQLiteEngine | PooledPostgresEngine, dialect: Dialect) -> None:
        self.clock_offset = timedelta(0)
        self.architectures: LRU[str, Architecture] = LRU(ARCHITECTURES_CACHED)
        self._engine = engine
        self._dialect = dialect

    @property
    def dialect(self) -> DialectName:
        """Which database this is."""
        return self._dialect.name

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
        await self.fetch("SELECT 1")

    async def now(self) -> datetime:
        """The clock that all decisions about time use: the database's plus `clock_offset`."""
        rows = await self.fetch("SELECT {now} AS now_ms")
        return moment(rows[0]["now_ms"])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """A transaction of this task: storage functions called inside belong to it; an exception rolls back.

        Inside of another one it joins that one: there are no savepoints, so let exceptions pass through. Never
        gather or spawn database work inside. On SQLite everybody else's writing waits until it ends.
        """
        async with self._engine.atomically():
            yield

    async def lock_tenant(self, tenant_id: str) -> None:
        """Inside a transaction: wait until no other transaction holds this tenant's lock, and hold it to the end."""
        if not self._engine.joined():
            raise RuntimeError("lock_tenant outside of a transaction locks nothing")
        if self.dialect == "postgres":
            await self.fetch("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", tenant_id)

    async def fetch(self, sql: str, *arguments: Any) -> Rows:
        """Run one statement of `dialects.render`'s language; rows as dicts."""
        return await self._engine.fetch(self._rendered(sql), arguments)

    async def execute_many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Run one statement for each of `rows`, inside a transaction."""
        await self._engine.execute_many(self._rendered(sql), rows)

    async def run(self, query: Query[Any, Any]) -> Rows:
        """Run a Piccolo query; rows as dicts."""
        with compiling_for(self._engine):
            querystrings = query.querystrings
        rows: Rows = []
        for querystring in querystrings:
            rows = await self._engine.run_querystring(querystring)
        return rows

    def _rendered(self, sql: str) -> str:
        return render(sql, self._dialect, self.clock_offset // timedelta(milliseconds=1))


async def open_store(url: str, *, clock_offset: timedelta = timedelta(0)) -> Store:
    """Open the database at `sqlite:///PATH` or `postgres://...`. Raises UnavailableError when it cannot be reached.

    A new SQLite file is created, with its directory; `migrations.migrate` makes the tables.
    """
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        store = await _open_sqlite(path)
    else:
        postgres = PooledPostgresEngine(url)
        await postgres.open()
        store = Store(postgres, POSTGRES)
    store.clock_offset = clock_offset
    return store


async def _open_sqlite(path: Path) -> Store:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"The directory {str(path.parent)!r} cannot be made: {error.strerror}.") from None
    engine = PooledSQLiteEngine(path)
    await engine.open()
    return Store(engine, SQLITE)
