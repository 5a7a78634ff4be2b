"""`windtunnel package`: build an agent package, check one as the server would, print the schema of the manifest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windtunnel.domain.packages import PackageCheck

package = typer.Typer(help="Build and check agent packages.", no_args_is_help=True)


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
    _show(built.checks)
    typer.echo(f"{built.path}  {built.size_bytes:,} bytes  sha256:{built.digest}")
    if not built.passed:
        raise typer.Exit(1)


@package.command()
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="The package.")]) -> None:
    """Check a package without running anything of it. Exit 1 when a finding keeps it from being deployed."""
    from windtunnel.packages.checking import check_package

    try:
        with file.open("rb") as opened:
            checked = check_package(opened)
    except OSError as error:
        _end(f"{str(file)!r} cannot be read: {(error.strerror or str(error)).lower()}.")
    _show(checked.checks)
    typer.echo(f"{file}  {'passed' if checked.passed else 'refused'}")
    if not checked.passed:
        raise typer.Exit(1)


@package.command()
def schema() -> None:
    """Print the JSON Schema of `agent.json`."""
    from windtunnel.packages.publishing import manifest_schema

    typer.echo(manifest_schema(), nl=False)


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
