"""Piccolo's SQLite engine on persistent connections: one writer behind a lock, several readers, WAL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

import aiosqlite
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.querystring import QueryString

from windtunnel.storage.dialects import sqlite_arguments
from windtunnel.storage.engine import ACQUIRE_TIMEOUT_S, OpenTransaction, Rows, StatementEngine
from windtunnel.storage.errors import ConstraintError, closed, down, too_busy_after_a_while

READERS = 3
BUSY_TIMEOUT_MS = 10_000

# WAL: readers never wait. FULL: a commit survives even a power cut (see docs/decisions/0003). The busy timeout only
# matters when another process writes to the same file.
_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -8000",
)
_DOWN = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    }
)


class PooledSQLiteEngine(StatementEngine[aiosqlite.Connection], SQLiteEngine):
    """Statements outside of a transaction: SELECT runs on a reader, anything else on the writer."""

    def __init__(self, path: Path) -> None:
        super().__init__(path=str(path))
        self._path = path
        self._current = ContextVar("sqlite_transaction", default=None)
        self.current_transaction = cast("Any", self._current)
        self._writer: aiosqlite.Connection | None = None
        self._writing = asyncio.Lock()
        self._readers: asyncio.LifoQueue[aiosqlite.Connection | None] = asyncio.LifoQueue()
        self._opened: list[aiosqlite.Connection] = []
        self._closed = False

    async def open(self) -> None:
        """Open the writer; readers follow when they are needed. Raises UnavailableError."""
        self._writer = await self._connect()
        for _ in range(READERS):
            self._readers.put_nowait(None)

    async def close(self) -> None:
        """As `StatementEngine.close`."""
        self._closed = True
        async with self._writing:  # the transaction under way ends first
            for connection in self._opened:
                with suppress(sqlite3.Error, ValueError):
                    await connection.close()
            self._opened.clear()
            self._writer = None

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> Rows:
        """As `StatementEngine.fetch`."""
        self._saw(sql)
        values = sqlite_arguments(arguments)
        if transaction := self.joined():
            return await _fetch(transaction.connection, sql, values)
        if sql.lstrip()[:6].upper() == "SELECT":
            async with self._reader() as connection:
                return await _fetch(connection, sql, values)
        async with self._exclusive() as connection:
            return await _fetch(connection, sql, values)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """As `StatementEngine.execute_many`."""
        self._saw(sql)
        transaction = self.joined()
        if transaction is None:
            raise RuntimeError("execute_many outside of a transaction")
        with _translated():
            cursor = await transaction.connection.executemany(sql, rows)
            await cursor.close()

    @asynccontextmanager
    async def atomically(self) -> AsyncIterator[None]:
        """As `StatementEngine.atomically`."""
        if self.joined():
            yield
            return
        async with self._exclusive() as connection:
            try:
                # IMMEDIATE: a transaction that reads first and writes later would fail when another process wrote
                # in between.
                await _fetch(connection, "BEGIN IMMEDIATE")
                transaction = OpenTransaction(connection, asyncio.current_task())
                token = self._current.set(transaction)
                try:
                    yield
                finally:
                    transaction.over = True
                    self._current.reset(token)
                await _fetch(connection, "COMMIT")
            except BaseException:
                # The connection's thread works in order: whatever a cancelled await left under way is done before.
                if not self._closed:
                    with suppress(sqlite3.Error, ValueError):
                        await connection.rollback()
                raise

    def transaction(self, *_: Any, **__: Any) -> AbstractAsyncContextManager[None]:  # type: ignore[override]
        """Piccolo's name for `atomically`."""
        return self.atomically()

    async def run_querystring(self, querystring: QueryString, in_pool: bool = False) -> Rows:  # noqa:
        """Where Piccolo's own queries come in."""
        sql, arguments = querystring.compile_string(engine_type="sqlite")
        return await self.fetch(sql, arguments)

    async def _connect(self) -> aiosqlite.Connection:
        with _translated():
            connection = await aiosqlite.connect(self._path, isolation_level=None, cached_statements=512)
        connection.row_factory = cast("Any", _as_dict)
        try:
            for pragma in _PRAGMAS:
                await _fetch(connection, pragma)
        except BaseException:
            await connection.close()
            raise
        self._opened.append(connection)
        return connection

    @asynccontextmanager
    async def _exclusive(self) -> AsyncIterator[aiosqlite.Connection]:
        with too_busy_after_a_while():
            async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
                await self._writing.acquire()
        try:
            if self._closed or self._writer is None:
                raise closed()
            yield self._writer
        finally:
            self._writing.release()

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[aiosqlite.Connection]:
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


async def _fetch(connection: aiosqlite.Connection, sql: str, arguments: Sequence[Any] = ()) -> Rows:
    with _translated():
        return list(await connection.execute_fetchall(sql, arguments))  # type: ignore[arg-type]  # see _as_dict


def _as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConstraintError(str(error)) from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DOWN:
            raise down() from error
        if "closed database" in str(error):
            raise closed() from error
        raise
    except ValueError as error:  # aiosqlite, once the connection's thread has ended
        raise closed() from error
