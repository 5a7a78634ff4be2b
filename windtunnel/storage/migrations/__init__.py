"""Brings a database to the schema of this code: a runner over the numbered SQL files of this folder."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from windtunnel.storage.errors import RevisionError
from windtunnel.storage.store import Store

_LOCK = 0x77696E64
"""The advisory lock that migrating processes queue for; any number would do."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema. `texts` has the SQL of each dialect, that of both first."""

    number: int
    name: str
    texts: dict[str, tuple[str, ...]]


@cache
def revisions() -> tuple[Revision, ...]:
    """All revisions that this code knows, in order. Files are named NUMBER_NAME[.DIALECT].sql."""
    found = sorted(entry.name for entry in files(__package__).iterdir() if entry.name.endswith(".sql"))
    common = [name.removesuffix(".sql") for name in found if name.count(".") == 1]
    return tuple(
        Revision(
            number=int(name.partition("_")[0]),
            name=name.partition("_")[2],
            texts={
                dialect: tuple(
                    (files(__package__) / file).read_text("utf-8")
                    for file in (f"{name}.sql", f"{name}.{dialect}.sql")
                    if file in found
                )
                for dialect in ("sqlite", "postgres")
            },
        )
        for name in common
    )


async def migrate(store: Store) -> None:
    """Apply what is missing, all or nothing. Any number of processes may call this at once; one does the work.

    Raises RevisionError when the database is newer than this code.
    """
    if await is_current(store):
        return
    async with store.transaction():
        if store.dialect == "postgres":
            await store.fetch(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await store.fetch(
            "CREATE TABLE IF NOT EXISTS schema_revisions"
            " (number INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL, applied_ms BIGINT NOT NULL)"
        )
        applied = await _applied(store)
        for revision in revisions():
            if revision.number > applied:
                for text in revision.texts[store.dialect]:
                    for statement in _statements(text):
                        await store.fetch(statement)
                await store.fetch(
                    "INSERT INTO schema_revisions (number, name, applied_ms) VALUES ($1, $2, {now})",
                    revision.number,
                    revision.name,
                )


async def is_current(store: Store) -> bool:
    """True when nothing is missing. Raises RevisionError when the database is newer than this code."""
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_revisions'",
        "postgres": "SELECT 1 AS name WHERE to_regclass('schema_revisions') IS NOT NULL",
    }
    if not await store.fetch(catalogue[store.dialect]):
        return False
    return await _applied(store) == revisions()[-1].number


async def _applied(store: Store) -> int:
    rows = await store.fetch("SELECT COALESCE(MAX(number), 0) AS number FROM schema_revisions")
    number: int = rows[0]["number"]
    newest = revisions()[-1].number
    if number > newest:
        raise RevisionError(
            f"The database has schema revision {number}, this version of Windtunnel knows only {newest}. "
            "Start a version that is at least as new as the one that migrated it."
        )
    return number


def _statements(text: str) -> Iterator[str]:
    """The statements of a file one by one: neither driver runs a script inside of our transaction."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement) and statement.count("$$") % 2 == 0:
            yield statement
            statement = ""
    if statement.strip():
        yield statement
