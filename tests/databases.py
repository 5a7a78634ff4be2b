"""Fresh databases for tests: one per test, copied from a template that was migrated once."""

import asyncio
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]

from windtunnel.storage.migrations import migrate
from windtunnel.storage.store import open_store

_DROP_ENVIRONMENTS = """DO $$
DECLARE
    role_name TEXT;
BEGIN
    FOR role_name IN
        SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') LIKE '%in database {0}'
    LOOP
        EXECUTE 'DROP ROLE ' || role_name;
    END LOOP;
END
$$"""
"""Roles are those of the whole server: the environments' outlive their database."""


def migrate_url(url: str) -> None:
    """Bring the database at `url` to the current schema."""

    async def run() -> None:
        store = await open_store(url, role=None)
        try:
            await migrate(store)
        finally:
            await store.close()

    asyncio.run(run())


def administer(url: str, *statements: str) -> None:
    """Run statements on the PostgreSQL server at `url`; `{fast_copy}` in them speeds up copying a template."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        # Copying the files takes a fifth of the time of writing every page to the log (the default since 15).
        fast_copy = "STRATEGY file_copy" if connection.get_server_version().major >= 15 else ""
        try:
            for statement in statements:
                await connection.execute(statement.replace("{fast_copy}", fast_copy))
        finally:
            await connection.close()

    asyncio.run(run())


def at_database(url: str, name: str) -> str:
    """The same server and user, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def postgres_database(server_url: str, template: str | None = None) -> Iterator[str]:
    """The URL of a new database: a copy of `template`, or empty."""
    name = f"test_{secrets.token_hex(6)}"
    copy = f" TEMPLATE {template} {{fast_copy}}" if template else ""
    administer(server_url, f"CREATE DATABASE {name}{copy}")
    try:
        yield at_database(server_url, name)
    finally:
        administer(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", _DROP_ENVIRONMENTS.format(name))


def sqlite_database(directory: Path, template: Path | None = None) -> str:
    """The URL of a new database file in `directory`: a copy of `template`, or not yet there."""
    path = directory / "windtunnel.db"
    if template:
        shutil.copyfile(template, path)
    return f"sqlite:///{path}"
