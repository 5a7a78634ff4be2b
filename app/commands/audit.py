"""`windtunnel audit verify` and `windtunnel audit export`: on the database, beside a server or without one."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from app.settings import SettingsError, load_settings
from windtunnel.domain.audit_forms import AuditForm

audit = typer.Typer(help="Verify and export the audit log.", no_args_is_help=True)

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

    from app.commands.auditing import verified
    from app.wiring.keys import checkpoint_files

    if not asyncio.run(verified(settings, tenant, checkpoint_files(settings, checkpoints))):
        raise typer.Exit(1)


@audit.command()
def export(
    form: Annotated[AuditForm, typer.Option("--format", help="One JSON object per line, in this form.")],
    tenant: Slug = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there, not to standard output.")] = None,
) -> None:
    """Print every entry, oldest first."""
    settings = load_settings()

    from app.commands.auditing import exported

    with _written_to(out) as file:
        asyncio.run(exported(settings, tenant, form, file))


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
