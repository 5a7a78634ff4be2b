"""`windtunnel audit verify` and `windtunnel audit export`: on the database, beside a server or without one."""

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from app.settings import Settings, SettingsError, load_settings
from app.wiring import checkpoint_files, opened_for_reading
from windtunnel.domain.audit_forms import AuditForm
from windtunnel.domain.chains import Verdict
from windtunnel.domain.errors import NotFoundError, UnavailableError
from windtunnel.operations.export_audit import export_audit
from windtunnel.operations.verify_audit import check_chain
from windtunnel.storage.audit_chains import Chain, chains
from windtunnel.storage.store import Store
from windtunnel.vault.checkpoints import CheckpointFiles
from windtunnel.vault.key_files import KeyRefusedError

audit = typer.Typer(help="Verify and export the audit log.", no_args_is_help=True)

_ALONE = "the chain agrees with itself; there is no checkpoint to compare it with"

Slug = Annotated[str | None, typer.Option("--tenant", metavar="SLUG", help="Only this tenant; all when absent.")]


@audit.command()
def verify(
    tenant: Slug = None,
    checkpoints: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Checkpoints that were kept elsewhere (default DATA_DIR/audit).")
    ] = None,
) -> None:
    """Compute every chain again and compare it with the checkpoints; exit code 1 when something was tampered with."""
    settings = load_settings()
    if checkpoints is not None and not checkpoints.is_dir():
        raise SettingsError(f"--checkpoints {str(checkpoints)!r} is refused: there is no such directory.")
    if not asyncio.run(_verify(settings, tenant, checkpoint_files(settings, checkpoints))):
        raise typer.Exit(1)


@audit.command()
def export(
    form: Annotated[AuditForm, typer.Option("--format", help="One JSON object per line, in this form.")],
    tenant: Slug = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there, not to standard output.")] = None,
) -> None:
    """Print every entry, oldest first."""
    settings = load_settings()
    with _written_to(out) as file:
        asyncio.run(_export(settings, tenant, form, file))


async def _verify(settings: Settings, slug: str | None, files: CheckpointFiles) -> bool:
    """Whether nothing was tampered with; says what was found of each chain."""
    async with opened_for_reading(settings) as store:
        found = await _chains(store, slug)
        named = {chain.tenant_id: chain.slug for chain in found}
        if slug is None:  # a tenant that has checkpoints had entries, even if the database knows nothing of it
            with _readable_checkpoints("all tenants"):
                kept = await asyncio.to_thread(files.tenants)
            named |= {tenant_id: tenant_id for tenant_id in sorted(kept - set(named))}
        verdicts = []
        for tenant_id, name in named.items():
            with _readable_checkpoints(name):
                verdicts.append(await check_chain(store, files, tenant_id))
            _tell(name, verdicts[-1])
    return all(verdict.valid for verdict in verdicts)


async def _export(settings: Settings, slug: str | None, form: AuditForm, file: BinaryIO) -> None:
    async with opened_for_reading(settings) as store:
        async for lines in export_audit(store, await _chains(store, slug), form):
            file.write(lines)


async def _chains(store: Store, slug: str | None) -> Sequence[Chain]:
    found = [chain for chain in await chains(store) if slug in {None, chain.slug}]
    if slug is not None and not found:
        raise NotFoundError(f"--tenant {slug!r} is refused: there is no tenant of this slug.")
    return found


def _tell(name: str, verdict: Verdict) -> None:
    if verdict.broken:
        typer.echo(
            f"windtunnel: the audit log of tenant {name} was tampered with: "
            f"entry {verdict.broken.seq} {verdict.broken.reason}.",
            err=True,
        )
        return
    head = f", head {verdict.head}" if verdict.head else ""
    entries = _counted(verdict.entries, "entry", "entries")
    checkpoints = _counted(verdict.checkpoints, "checkpoint", "checkpoints")
    typer.echo(f"{name}: {entries}{head}, {checkpoints}: {'intact' if verdict.checkpoints else _ALONE}.")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


@contextmanager
def _readable_checkpoints(whose: str) -> Iterator[None]:
    try:
        yield
    except (OSError, KeyRefusedError) as error:
        raise UnavailableError(f"The checkpoints of {whose} cannot be read: {error}") from None


@contextmanager
def _written_to(path: Path | None) -> Iterator[BinaryIO]:
    """The file to write to; a reader that has gone away is no failure of ours to tell."""
    try:
        if path is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        with path.open("wb") as file:
            yield file
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered must not fail at exit
        raise typer.Exit(1) from None
    except OSError as error:
        raise SettingsError(f"--out {str(path)!r} cannot be written: {error.strerror}.") from None
