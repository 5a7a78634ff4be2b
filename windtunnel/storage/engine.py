"""What both engines share: statements in, rows as dicts out, driver errors as ours, one transaction per task."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

C = TypeVar("C")
Rows = list[dict[str, Any]]

NOBODY = ""
"""The scope of statements that belong to no tenant: where the database guards the rows, they see none."""

ACQUIRE_TIMEOUT_S = 10.0
"""How long a statement waits for a free connection before the database counts as too slow."""


@dataclass(slots=True)
class OpenTransaction(Generic[C]):
    """A transaction under way on `connection`, begun by `task` for `tenant`. `over` once it has ended."""

    connection: C
    task: asyncio.Task[Any] | None
    tenant: str
    over: bool = False


class StatementEngine(ABC, Generic[C]):
    """The part of an engine that does not depend on the driver.

    A task that is spawned inside a transaction inherits its context variable. While the transaction lasts, using the
    database from such a task is a defect (the connection is busy, and the work would be torn apart on a rollback) and
    raises RuntimeError; afterwards the task simply runs outside of it.
    """

    _current: ContextVar[OpenTransaction[C] | None]
    on_statement: Callable[[str], None] | None = None

    def joined(self, tenant: str | None = None) -> OpenTransaction[C] | None:
        """The transaction that this task is in; it must be `tenant`'s, unless that is None or NOBODY."""
        current = self._current.get()
        if current is None or current.over:
            return None
        if current.task is not asyncio.current_task():
            raise RuntimeError(
                "A transaction belongs to the task that began it: do not gather or spawn database work inside of one."
            )
        if tenant and tenant != current.tenant:
            raise RuntimeError("A transaction belongs to one tenant: begin it with the one whose rows it is about.")
        return current

    def _saw(self, sql: str) -> None:
        if self.on_statement is not None:
            self.on_statement(sql)

    @abstractmethod
    async def fetch(self, sql: str, arguments: Sequence[Any] = (), tenant: str | None = NOBODY) -> Rows:
        """Run one statement for `tenant`, in this task's transaction if there is one.

        None for statements that touch no tenant's rows: whoever the connection spoke for last, it does no harm.
        """

    @abstractmethod
    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]], tenant: str = NOBODY) -> None:
        """Run one statement for each of `rows`. Call it inside a transaction."""

    @abstractmethod
    def atomically(self, tenant: str = NOBODY) -> AbstractAsyncContextManager[None]:
        """Begin a transaction for `tenant` or join the one of this task; an exception rolls back."""

    @abstractmethod
    async def close(self) -> None:
        """Give every connection back. Later calls raise UnavailableError."""
