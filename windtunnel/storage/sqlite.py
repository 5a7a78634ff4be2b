"""Piccolo's SQLite engine on persistent connections: one writer behind a lock, several readers, WAL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

from piccolo.engine.sqlite import SQLiteEngine
from piccolo.querystring import QueryString

from windtunnel.domain.errors import UnavailableError
from windtunnel.storage.dialects import sqlite_arguments
from windtunnel.storage.engine import ACQUIRE_TIMEOUT_S, NOBODY, OpenTransaction, Rows, StatementEngine
from windtunnel.storage.errors import closed, too_busy_after_a_while
from windtunnel.storage.sqlite_connection import SQLiteConnection
from windtunnel.storage.turns import Turns

READERS = 3
BUSY_TIMEOUT_MS = 10_000
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",  # matters only when another process writes to the same file
    "PRAGMA journal_mode = WAL",  # readers never wait
    "PRAGMA synchronous = FULL",  # a commit survives even a power cut, see docs/decisions/0003
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
)
READING_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA query_only = ON",
    "PRAGMA schema_version",  # the first look at the file: is it a database at all?
    "PRAGMA temp_store = MEMORY",
)


class PooledSQLiteEngine(StatementEngine[SQLiteConnection], SQLiteEngine):
    """Statements outside of a transaction: SELECT runs on a reader, anything else on the writer."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__(path=str(path))
        self._read_only = read_only
        self._path = path
        self._current = ContextVar("sqlite_transaction", default=None)
        self.current_transaction = cast("Any", self._current)
        self._writer = SQLiteConnection()
        self._writing = Turns(total=1, each=1)
        self._readers: asyncio.LifoQueue[SQLiteConnection | None] = asyncio.LifoQueue()
        self._opened: list[SQLiteConnection] = []
        self._closed = False

    async def open(self) -> None:
        """Open the writer; readers follow when they are needed. Raises UnavailableError."""
        self._writer = await self._connect()
        for _ in range(READERS):
            self._readers.put_nowait(None)

    async def close(self) -> None:
        """As `StatementEngine.close`."""
        self._closed = True
        with suppress(UnavailableError):
            async with self._writing.turn(NOBODY, ACQUIRE_TIMEOUT_S):
                pass  # the transaction under way has ended; none begins any more
        while self._opened:
            await self._opened.pop().close()

    async def fetch(self, sql: str, arguments: Sequence[Any] = (), tenant: str | None = NOBODY) -> Rows:
        """As `StatementEngine.fetch`; SQLite guards no rows, the statements themselves name the tenant."""
        self._saw(sql)
        values = sqlite_arguments(arguments)
        if transaction := self.joined(tenant):
            return await transaction.connection.fetch(sql, values)
        if sql.lstrip()[:6].upper() == "SELECT":
            async with self._reader() as connection:
                return await connection.fetch(sql, values)
        async with self._exclusive(tenant or NOBODY) as connection:
            return await connection.fetch(sql, values)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]], tenant: str = NOBODY) -> None:
        """As `StatementEngine.execute_many`."""
        self._saw(sql)
        transaction = self.joined(tenant)
        if transaction is None:
            raise RuntimeError("execute_many outside of a transaction")
        await transaction.connection.execute_many(sql, rows)

    @asynccontextmanager
    async def atomically(self, tenant: str = NOBODY) -> AsyncIterator[None]:
        """As `StatementEngine.atomically`."""
        if self.joined(tenant):
            yield
            return
        async with self._exclusive(tenant) as connection:
            try:
                # IMMEDIATE: a transaction that reads first and writes later would fail when another process wrote
                # in between.
                await connection.fetch("BEGIN IMMEDIATE")
                transaction = OpenTransaction(connection, asyncio.current_task(), tenant)
                token = self._current.set(transaction)
                try:
                    yield
                finally:
                    transaction.over = True
                    self._current.reset(token)
                await connection.fetch("COMMIT")
            except BaseException:
                with suppress(UnavailableError):
                    await connection.roll_back()
                raise

    def transaction(self, *_: Any, **__: Any) -> AbstractAsyncContextManager[None]:  # type: ignore[override]
        """Piccolo's name for `atomically`."""
        return self.atomically()

    async def run_querystring(self, querystring: QueryString, in_pool: bool = False) -> Rows:
        """Where Piccolo's own queries come in."""
        sql, arguments = querystring.compile_string(engine_type="sqlite")
        return await self.fetch(sql, arguments)

    async def _connect(self) -> SQLiteConnection:
        connection = SQLiteConnection()
        await connection.open(self._path, READING_PRAGMAS if self._read_only else PRAGMAS, read_only=self._read_only)
        self._opened.append(connection)
        return connection

    @asynccontextmanager
    async def _exclusive(self, tenant: str) -> AsyncIterator[SQLiteConnection]:
        async with self._writing.turn(tenant, ACQUIRE_TIMEOUT_S):
            if self._closed:
                raise closed()
            yield self._writer

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[SQLiteConnection]:
        with too_busy_after_a_while():
            async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
                connection = await self._readers.get()
        try:
            if self._closed:
                raise closed()
            if connection is None:
                connection = await self._connect()
            yield connection
        finally:
            self._readers.put_nowait(connection)
