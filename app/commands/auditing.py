"""What `windtunnel audit` does: apart from its options, so that other commands start without a database."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import typer

from app.settings import Settings
from app.wiring.databases import opened_for_reading
from windtunnel.domain.audit_forms import AuditForm
from windtunnel.domain.chains import Verdict
from windtunnel.domain.errors import NotFoundError, UnavailableError
from windtunnel.operations.export_audit import export_audit
from windtunnel.operations.verify_audit import check_chain
from windtunnel.storage.audit_chains import Chain, chains
from windtunnel.storage.store import Store
from windtunnel.vault.checkpoints import CheckpointFiles
from windtunnel.vault.key_files import KeyRefusedError

_ALONE = "the chain agrees with itself; there is no checkpoint to compare it with"


async def verified(settings: Settings, slug: str | None, files: CheckpointFiles) -> bool:
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


async def exported(settings: Settings, slug: str | None, form: AuditForm, file: BinaryIO) -> None:
    """Write every entry. Raises NotFoundError, UnavailableError."""
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
