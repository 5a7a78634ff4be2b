"""`windtunnel migrate`: bring the database to the current schema revision."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from windtunnel.storage.migrations import Revision


def migrate() -> None:
    """Bring the database to the current schema; safe to run again, and by several processes at once."""
    settings = load_settings()
    applied = asyncio.run(_migrate(settings))
    if applied:
        typer.echo(f"Applied {', '.join(str(revision) for revision in applied)}.")
    else:
        typer.echo("The database is up to date.")


async def _migrate(settings: Settings) -> "Sequence[Revision]":
    from app.wiring.databases import opened_store
    from windtunnel.storage.migrations import migrate as migrate_store

    async with opened_store(settings, None) as store:
        return await migrate_store(store)
