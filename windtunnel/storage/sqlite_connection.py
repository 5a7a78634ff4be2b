"""One SQLite connection in a thread of its own, for use from an event loop."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from windtunnel.storage.engine import Rows
from windtunnel.storage.errors import ConstraintError, closed, down, unstorable

R = TypeVar("R")

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


class SQLiteConnection:
    """Calls are done in the order in which they were made, also when an await on one of them is cancelled.

    That order is why this is not aiosqlite: there, a cancelled call cannot be told from one that still waits, a
    failed open leaves its thread to a loop that may be closed, and a batch costs several trips to the thread.
    Errors are UnavailableError, ConstraintError and ValidationError; anything else is a defect.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._connection: sqlite3.Connection | None = None

    async def open(self, path: Path, pragmas: Sequence[str], *, read_only: bool = False) -> None:
        """Open the file, which is there: whoever removes it does not find it made again."""
        try:
            await self._call(partial(self._open, path, pragmas, read_only))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish what was called before, then close. May be called twice."""
        try:
            await self._call(self._close)
        except RuntimeError:
            return  # the thread has ended already
        self._thread.shutdown(wait=False)

    async def fetch(self, sql: str, arguments: Sequence[Any] = ()) -> Rows:
        """Run one statement; rows as dicts."""
        return await self._call(partial(self._fetch, sql, arguments))

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`."""
        await self._call(partial(self._execute_many, sql, rows))

    async def roll_back(self) -> None:
        """End the transaction under way, if there is one."""
        await self._call(self._roll_back)

    async def _call(self, function: Callable[[], R]) -> R:
        with _translated():
            return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _open(self, path: Path, pragmas: Sequence[str], read_only: bool) -> None:
        name = _for_reading(path) if read_only else f"{path.absolute().as_uri()}?mode=rw"
        self._connection = sqlite3.connect(name, isolation_level=None, cached_statements=512, uri=True)
        self._connection.create_function("sha256_hex", 1, _sha256_hex, deterministic=True)
        for pragma in pragmas:
            self._connection.execute(pragma).close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _fetch(self, sql: str, arguments: Sequence[Any]) -> Rows:
        try:
            return _rows(self._opened.execute(sql, arguments))
        except sqlite3.OperationalError as error:
            if "decode" not in str(error) or not sql.lstrip().upper().startswith("SELECT"):
                raise
        # Somebody else wrote what is no text. It can still be looked at, which is how tampering is found.
        self._opened.text_factory = _any_bytes
        try:
            return _rows(self._opened.execute(sql, arguments))
        finally:
            self._opened.text_factory = str

    def _execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._opened.executemany(sql, rows).close()

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.rollback()

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise closed()
        return self._connection


def _for_reading(path: Path) -> str:
    """The URI that reads a file and leaves nothing beside it.

    In WAL mode SQLite would make two files even for reading. A file without a log has no process that writes to it,
    so it can be read as one that does not change.
    """
    log = path.with_name(f"{path.name}-wal")
    return f"{path.absolute().as_uri()}?{'mode=ro' if log.exists() else 'immutable=1'}"


def _rows(cursor: sqlite3.Cursor) -> Rows:
    if cursor.description is None:
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _any_bytes(text: bytes) -> str:
    return text.decode(errors="surrogateescape")


def _sha256_hex(text: str) -> str:
    """What PostgreSQL has of its own."""
    return sha256(text.encode()).hexdigest()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConstraintError(str(error)) from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DOWN:
            raise down() from error
        raise
    except UnicodeError as error:
        raise unstorable() from error
