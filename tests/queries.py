"""Counts the SQL statements that a story costs."""

from collections.abc import Iterator
from contextlib import contextmanager

from windtunnel.storage.store import Store


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    """The statements that run through `store` within, as they run; `len` of it is their number."""
    statements: list[str] = []
    before = store.on_statement
    store.on_statement = statements.append
    try:
        yield statements
    finally:
        store.on_statement = before
