"""`windtunnel package`: build an agent package, check one as the server would, submit it, print its schema."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windtunnel.domain.packages import PackageCheck
    from windtunnel.packages.checking import CheckedPackage

package = typer.Typer(help="Build, check and submit agent packages.", no_args_is_help=True)


@package.command()
def build(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The directory with `agent.json` in it.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: NAME-VERSION.agent.zip.")
    ] = None,
) -> None:
    """Pack a directory; the same files give the same bytes on every machine. Exit 1 when it would be refused."""
    from windtunnel.packages.building import BuildError, build_package

    try:
        built = build_package(directory, output)
    except BuildError as error:
        _end(str(error))
    for path in built.left_out:
        typer.echo(f"left out  {path}", err=True)
    checked = _looked_into(built.path)
    _show(checked.checks)
    typer.echo(f"{built.path}  {built.size_bytes:,} bytes  sha256:{built.digest}")
    if not checked.passed:
        raise typer.Exit(1)


@package.command()
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="The package.")]) -> None:
    """Check a package without running anything of it. Exit 1 when a finding keeps it from being deployed.

    Whose it is, whether its version is free, and who has signed it, only the server knows.
    """
    checked = _looked_into(file)
    _show(checked.checks)
    typer.echo(f"{file}  {'passed' if checked.passed else 'refused'}")
    if not checked.passed:
        raise typer.Exit(1)


@package.command()
def submit(  # noqa: PLR0917 - options, by name
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The package.")],
    signature: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its signature, a DSSE envelope in a file of its own.")
    ] = None,
    changelog: Annotated[str | None, typer.Option(metavar="TEXT", help="What is new, for the reviewers.")] = None,
    evidence: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A simulation that ran this very package; may be repeated.")
    ] = None,
    register: Annotated[bool, typer.Option("--register", help="Register the agent when there is none.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait for the validation, and show what it found.")] = True,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="An idempotency key: submitted again with it, nothing is new.")
    ] = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="Default: WINDTUNNEL_SERVER.")] = None,
) -> None:
    """Upload a package to a server and submit it for review, signed in with WINDTUNNEL_TOKEN. Exit 1 when refused."""
    from app.client import RefusedError, UnreachableServerError, opened
    from app.commands.submitting import Submission, submitted, validated
    from app.settings import load_settings
    from windtunnel.domain.words import counted

    wanted = Submission(file, signature, changelog, tuple(evidence or ()), register, key)
    try:
        with opened(load_settings(server=server)) as client:
            deployment_id = submitted(client, wanted, typer.echo)
            found = validated(client, deployment_id) if wait else None
    except OSError as error:
        _end(f"{error.filename or str(file)!r} cannot be read: {(error.strerror or str(error)).lower()}.")
    except UnreachableServerError as error:
        _end(str(error))
    except RefusedError as error:
        typer.echo(f"windtunnel: {error}", err=True)
        raise typer.Exit(1) from None
    if found is None:
        return
    _show(found.checks)
    typer.echo(f"validated  {found.status}")
    if found.review is not None:
        needed = counted(found.review["requiredApprovals"], "approval")
        typer.echo(f"           Waits for {needed}, by others than you, until {found.review['expiresAt']}.")
        typer.echo(f"           {found.review['expectedBasis']}")
    if found.status == "INVALID":
        raise typer.Exit(1)


@package.command()
def schema() -> None:
    """Print the JSON Schema of `agent.json`."""
    from windtunnel.packages.publishing import manifest_schema

    typer.echo(manifest_schema(), nl=False)


def _looked_into(file: Path) -> "CheckedPackage":
    """All that the server would find in it."""
    from windtunnel.packages.inspecting import Inspector

    inspector = Inspector()
    try:
        with file.open("rb") as opened:
            return asyncio.run(inspector.inspect(opened))
    except OSError as error:
        _end(f"{str(file)!r} cannot be read: {(error.strerror or str(error)).lower()}.")
    finally:
        inspector.close()


def _show(checks: "Iterable[PackageCheck]") -> None:
    for each in checks:
        where = (
            f"{each.path}: " if each.path and each.line is None else f"{each.path}:{each.line}: " if each.path else ""
        )
        verdict = "ok" if each.passed else each.severity.value
        typer.echo(f"{verdict:<9} {each.code}  {where}{each.detail or ''}")
        if not each.passed and each.remediation:
            typer.echo(f"{'':<9} {each.remediation}")


def _end(message: str) -> NoReturn:
    typer.echo(f"windtunnel: {message}", err=True)
    raise typer.Exit(2)
