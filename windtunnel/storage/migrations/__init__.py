"""Brings a database to the schema of this code: a runner over the numbered SQL files of this folder."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from windtunnel.storage.dialects import DialectName
from windtunnel.storage.errors import RevisionError, RightError, RoleError
from windtunnel.storage.privilege import PREFIX, Caller
from windtunnel.storage.privileged import STATEMENTS
from windtunnel.storage.schema_functions import FUNCTIONS
from windtunnel.storage.store import Store

ROLES = ("windtunnel_api", "windtunnel_worker", "windtunnel_server", "windtunnel_system")

AUDIT_SINCE = 2
"""The revision with which audit logs came. What an audit log is has not changed since."""

IN_ENVIRONMENTS = frozenset({1, 6, 8})
"""The revisions that the database of an environment has, too: what simulations need, and nobody's roles."""

_LOCK = 0x77696E64
"""The advisory lock that migrating processes queue for; any number would do."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema. `texts` has the SQL of each dialect, that of both first."""

    number: int
    name: str
    texts: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"{self.number:04}_{self.name}"


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


async def migrate(store: Store) -> Sequence[Revision]:
    """Apply what is missing, all or nothing, and tell what it was.

    Any number of processes may call this at once; one does the work, and the others have nothing to tell.
    Raises RevisionError when the database is newer than this code, RoleError when its user may not do all of it.
    """
    if await is_current(store):
        return ()
    try:
        return await _bring_up(store)
    except RightError as error:
        raise RoleError(
            f"The database's user may not migrate it ({error}). It must own the schema and be allowed to make roles;"
            f" where they exist, a superuser runs: GRANT {', '.join(ROLES)} TO that user WITH ADMIN OPTION."
        ) from error


async def migrate_environment(store: Store) -> None:
    """Bring the database of an environment to the schema of this code: the same tables for what lies in it.

    Raises RevisionError when it is newer than this code.
    """
    wanted = [revision for revision in revisions() if revision.number in IN_ENVIRONMENTS]
    if await revision_of(store) != wanted[-1].number:
        async with store.transaction():
            await _apply_missing(store, wanted)


async def _bring_up(store: Store) -> Sequence[Revision]:
    async with store.transaction():
        missing = await _apply_missing(store, revisions())
        if store.dialect == "postgres":
            await _install_privileged(store)
    return missing


async def _apply_missing(store: Store, wanted: Sequence[Revision]) -> Sequence[Revision]:
    if store.dialect == "postgres":
        await store.fetch(f"SELECT pg_advisory_xact_lock({_LOCK}, hashtext(current_schema()))")
    await store.fetch(
        "CREATE TABLE IF NOT EXISTS schema_revisions"
        " (number INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL, applied_ms BIGINT NOT NULL)"
    )
    applied = await _applied(store)
    missing = [revision for revision in wanted if revision.number > applied]
    for revision in missing:
        for text in revision.texts[store.dialect]:
            for statement in _statements(text, store.dialect):
                await store.fetch(statement)
        await store.fetch(
            "INSERT INTO schema_revisions (number, name, applied_ms) VALUES ($1, $2, {now})",
            revision.number,
            revision.name,
        )
    return missing


async def revision_of(store: Store) -> int:
    """The number of the last revision that was applied, 0 for a database that has none, or that is none of ours.

    Raises RevisionError when the database is newer than this code.
    """
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_revisions'",
        "postgres": "SELECT 1 AS name WHERE to_regclass('schema_revisions') IS NOT NULL",
    }
    return await _applied(store) if await store.fetch(catalogue[store.dialect]) else 0


async def is_current(store: Store) -> bool:
    """True when nothing is missing. Raises RevisionError when the database is newer than this code."""
    if await revision_of(store) != revisions()[-1].number:
        return False
    if store.dialect == "sqlite":
        return True
    return [row["digest"] for row in await store.fetch("SELECT digest FROM schema_privileges")] == [_digest()]


async def _install_privileged(store: Store) -> None:
    """Make the functions anew from the texts of this code: owned by a role that sees all, callable by few."""
    home = (
        await store.fetch("SELECT quote_ident(current_schema()) AS name, quote_literal(current_schema()) AS literal")
    )[0]
    schema = home["name"]
    old = await store.fetch(
        "SELECT oid::regprocedure::text AS signature FROM pg_proc"
        " WHERE pronamespace = quote_ident(current_schema())::regnamespace AND prosecdef AND starts_with(proname, $1)",
        PREFIX,
    )
    for row in old:
        await store.fetch(f"DROP FUNCTION {row['signature']}")
    await store.fetch(f"GRANT CREATE ON SCHEMA {schema} TO windtunnel_system")
    for statement in STATEMENTS:
        await store.fetch(statement.definition.replace("{schema}", schema))
        await _allow(store, statement.function, statement.callers)
        await store.fetch(f"ALTER FUNCTION {statement.function} OWNER TO windtunnel_system")
    await store.fetch(f"REVOKE CREATE ON SCHEMA {schema} FROM windtunnel_system")
    for function in FUNCTIONS:
        await store.fetch(function.definition(home["literal"]))
        await _allow(store, function.function, function.callers)
    await store.fetch("DELETE FROM schema_privileges")
    await store.fetch("INSERT INTO schema_privileges (digest) VALUES ($1)", _digest())


async def _allow(store: Store, function: str, callers: Sequence[Caller]) -> None:
    await store.fetch(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    roles = ", ".join(f"windtunnel_{caller}" for caller in callers)
    await store.fetch(f"GRANT EXECUTE ON FUNCTION {function} TO {roles}")


@cache
def _digest() -> str:
    texts = [(statement.function, statement.definition, statement.callers) for statement in STATEMENTS]
    texts += [(function.function, function.definition("''"), function.callers) for function in FUNCTIONS]
    return sha256(repr(texts).encode()).hexdigest()


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


def _statements(text: str, dialect: DialectName) -> Iterator[str]:
    """The statements of a file one by one: neither driver runs a script inside of our transaction.

    A statement ends with its line; what SQLite calls complete has all of a trigger in it.
    """
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        ended = line.rstrip().endswith(";") and statement.count("$$") % 2 == 0
        if ended and (dialect == "postgres" or sqlite3.complete_statement(statement)):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
