"""Piccolo's PostgreSQL engine on a pool of its own, made safe against connections that die inside a transaction."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, cast

import asyncpg  # type: ignore[import-untyped]
from piccolo.engine.postgres import PostgresEngine
from piccolo.querystring import QueryString

from windtunnel.storage.engine import ACQUIRE_TIMEOUT_S, OpenTransaction, Rows, StatementEngine
from windtunnel.storage.errors import ConstraintError, closed, down, too_busy_after_a_while, unstorable

POOL_SIZE = 10
CONNECT_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 30.0
"""Only a network that swallows packets makes a statement take this long."""

_DOWN = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidCachedStatementError,  # another process has just migrated the database
    asyncpg.InternalClientError,  # the server has said good-bye, the socket is not closed yet
    OSError,
)


class PooledPostgresEngine(StatementEngine[Any], PostgresEngine):
    """Every statement and every transaction takes a connection from the pool and always gives it back."""

    def __init__(self, dsn: str) -> None:
        super().__init__(config={"dsn": dsn})
        self._current = ContextVar("postgres_transaction", default=None)
        self.current_transaction = cast("Any", self._current)

    async def check_version(self) -> None:
        """Piccolo would connect from its constructor; `open` does that, with a time limit."""

    async def open(self) -> None:
        """Open the pool with one connection. Raises UnavailableError."""
        with _translated():
            self.pool = await asyncpg.create_pool(
                **self.config,
                min_size=1,
                max_size=POOL_SIZE,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=STATEMENT_TIMEOUT_S,
                reset=_keep_session,
                server_settings={"application_name": "windtunnel", "timezone": "UTC"},
            )

    async def close(self) -> None:
        """As `StatementEngine.close`."""
        pool, self.pool = self.pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await pool.close()
        except (TimeoutError, OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
            pool.terminate()

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> Rows:
        """As `StatementEngine.fetch`."""
        self._saw(sql)
        if transaction := self.joined():
            with _translated():
                return [dict(row) for row in await transaction.connection.fetch(sql, *arguments)]
        async with self._connection() as connection:
            with _translated():
                return [dict(row) for row in await connection.fetch(sql, *arguments)]

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """As `StatementEngine.execute_many`."""
        self._saw(sql)
        transaction = self.joined()
        if transaction is None:
            raise RuntimeError("execute_many outside of a transaction")
        with _translated():
            await transaction.connection.executemany(sql, rows)

    @asynccontextmanager
    async def atomically(self) -> AsyncIterator[None]:
        """As `StatementEngine.atomically`."""
        if self.joined():
            yield
            return
        async with self._connection() as connection:
            try:
                with _translated():
                    await connection.execute("BEGIN")
                transaction = OpenTransaction(connection, asyncio.current_task())
                token = self._current.set(transaction)
                try:
                    yield
                finally:
                    transaction.over = True
                    self._current.reset(token)
                with _translated():
                    await connection.execute("COMMIT")
            except BaseException:
                await _roll_back(connection)
                raise

    def transaction(self, *_: Any, **__: Any) -> AbstractAsyncContextManager[None]:  # type: ignore[override]
        """Piccolo's name for `atomically`."""
        return self.atomically()

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Rows:
        """Where Piccolo's own queries come in."""
        sql, arguments = querystring.compile_string(engine_type="postgres")
        return await self.fetch(sql, arguments)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        pool = self.pool
        if pool is None:
            raise closed()
        with _translated():
            connection = await pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        try:
            yield connection
        finally:
            # The pool replaces a connection that cannot be given back.
            with suppress(OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
                await pool.release(connection, timeout=CONNECT_TIMEOUT_S)


async def _roll_back(connection: Any) -> None:
    try:
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK", timeout=CONNECT_TIMEOUT_S)
    except BaseException as error:
        with suppress(asyncpg.InterfaceError):  # the pool has noticed already that it is dead
            connection.terminate()
        if not isinstance(error, Exception):
            raise


async def _keep_session(_: Any) -> None:
    """Nothing of ours lives in a session, so a connection needs no reset (and no round trip) between two uses."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with too_busy_after_a_while():
            yield
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.StringDataRightTruncationError) as error:
        raise ConstraintError(str(error)) from error
    except asyncpg.DataError as error:
        if isinstance(error, asyncpg.CharacterNotInRepertoireError) or isinstance(error.__cause__, UnicodeError):
            raise unstorable() from error
        raise
    except _DOWN as error:
        raise down() from error
    except asyncpg.InterfaceError as error:
        if "clos" in str(error) or "released" in str(error) or "terminated" in str(error):
            raise down() from error
        raise
