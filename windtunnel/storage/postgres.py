"""Piccolo's PostgreSQL engine on a pool of its own, made safe against connections that die inside a transaction."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, cast

import asyncpg  # type: ignore[import-untyped]
from piccolo.engine.postgres import PostgresEngine
from piccolo.querystring import QueryString

from windtunnel.storage.engine import ACQUIRE_TIMEOUT_S, NOBODY, OpenTransaction, Rows, StatementEngine
from windtunnel.storage.errors import (
    NOT_CURRENT,
    ConstraintError,
    DependedOnError,
    RevisionError,
    RightError,
    RoleError,
    closed,
    down,
    too_busy_after_a_while,
    unstorable,
)
from windtunnel.storage.pool_log import tell_outages
from windtunnel.storage.postgres_access import AT_HOME, Login, PoolSize
from windtunnel.storage.turns import Turns

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
tell_outages(_DOWN)


class PooledPostgresEngine(StatementEngine[Any], PostgresEngine):
    """Every statement and every transaction takes a connection from the pool and always gives it back."""

    def __init__(
        self,
        dsn: str,
        role: str | None = None,
        *,
        read_only: bool = False,
        login: Login | None = None,
        size: PoolSize | None = None,
    ) -> None:
        instead = {"user": login.user, "password": login.password, "database": login.database} if login else {}
        super().__init__(config={"dsn": dsn, **instead})
        self.dsn = dsn
        self._settings = {"default_transaction_read_only": "on"} if read_only else {}
        if login:
            self._settings["search_path"] = login.user  # whatever the URL says
        self._role = role
        self._size = size or AT_HOME
        self._turns = Turns(self._size.transactions, self._size.transactions_per_tenant)
        self._current = ContextVar("postgres_transaction", default=None)
        self.current_transaction = cast("Any", self._current)

    async def check_version(self) -> None:
        """Piccolo would connect from its constructor; `open` does that, with a time limit."""

    async def open(self) -> None:
        """Open the pool with its least connections, acting as `role`.

        Raises UnavailableError, RevisionError, RoleError.
        """
        with _acting_as(self._role):
            self.pool = await asyncpg.create_pool(
                **self.config,
                min_size=self._size.least,
                max_size=self._size.most,
                max_inactive_connection_lifetime=self._size.idle_s,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=STATEMENT_TIMEOUT_S,
                reset=_keep_session,
                connection_class=_Connection,
                init=self._act,
                server_settings={"application_name": "windtunnel", "timezone": "UTC", **self._settings},
            )

    async def _act(self, connection: Any) -> None:
        if self._role:
            await connection.execute(f"SET ROLE {self._role}")

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

    async def fetch(self, sql: str, arguments: Sequence[Any] = (), tenant: str | None = NOBODY) -> Rows:
        """As `StatementEngine.fetch`."""
        self._saw(sql)
        if transaction := self.joined(tenant):
            with _translated():
                return [dict(row) for row in await transaction.connection.fetch(sql, *arguments)]
        async with self._connection(tenant) as connection:
            with _translated():
                return [dict(row) for row in await connection.fetch(sql, *arguments)]

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]], tenant: str = NOBODY) -> None:
        """As `StatementEngine.execute_many`."""
        self._saw(sql)
        transaction = self.joined(tenant)
        if transaction is None:
            raise RuntimeError("execute_many outside of a transaction")
        with _translated():
            await transaction.connection.executemany(sql, rows)

    @asynccontextmanager
    async def atomically(self, tenant: str = NOBODY) -> AsyncIterator[None]:
        """As `StatementEngine.atomically`."""
        if self.joined(tenant):
            yield
            return
        async with self._turns.turn(tenant, ACQUIRE_TIMEOUT_S), self._connection(tenant) as connection:
            try:
                with _translated():
                    await connection.execute("BEGIN")
                transaction = OpenTransaction(connection, asyncio.current_task(), tenant)
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
    async def _connection(self, tenant: str | None) -> AsyncIterator[Any]:
        pool = self.pool
        if pool is None:
            raise closed()
        with _translated():
            connection = await pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        try:
            if tenant is not None:
                with _translated():
                    await connection.speak_for(tenant)
            yield connection
        finally:
            # The pool replaces a connection that cannot be given back.
            with suppress(OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
                await pool.release(connection, timeout=CONNECT_TIMEOUT_S)


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """Knows whose rows it shows: what row level security goes by is set when another tenant's turn comes.

    It belongs to the session, not to a transaction, so that reading costs no transaction. Hence nothing that hands
    one session to several clients in turn (a pooler in transaction mode) may stand before the database.
    """

    _tenant: str | None = None

    async def speak_for(self, tenant: str) -> None:
        """Show the rows of `tenant` from now on, of nobody for NOBODY."""
        if self._tenant != tenant:
            self._tenant = None  # unknown, should this be cut off
            await self.fetch("SELECT set_config('windtunnel.tenant', $1, false)", tenant)
            self._tenant = tenant


@contextmanager
def _acting_as(role: str | None) -> Iterator[None]:
    try:
        with _translated():
            yield
    except asyncpg.InvalidParameterValueError as error:
        raise RevisionError(NOT_CURRENT) from error  # `migrate` makes the roles
    except RightError as error:
        raise RoleError(
            f"The user of the database URL may not act as {role}. Run `GRANT {role} TO` that user as the owner."
        ) from error


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
    except asyncpg.DependentObjectsStillExistError as error:
        raise DependedOnError(f"{error}: {error.detail or 'the server does not say which'}") from error
    except asyncpg.InsufficientPrivilegeError as error:  # by grants or by row level security
        raise RightError(str(error)) from error
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
