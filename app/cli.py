"""`windtunnel`: the command line. Bad input and bad settings end with exit code 2 and one line on stderr."""

import sys

import typer

from app.commands.audit import audit
from app.commands.calibrate import calibrate
from app.commands.experiment import experiment
from app.commands.migrate import migrate
from app.commands.package import package
from app.commands.schema import schema
from app.commands.serve import serve
from app.commands.simulate import simulate
from app.commands.token import token
from app.commands.worker import worker
from app.settings import SettingsError
from windtunnel import __version__
from windtunnel.domain.errors import WindtunnelError

cli = typer.Typer(
    name="windtunnel",
    help="A wind tunnel for AI-agent systems: plan an agent network from words, simulate it, ship it safely.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command()(serve)
cli.command()(worker)
cli.command()(migrate)
cli.command()(simulate)
cli.command()(experiment)
cli.command()(calibrate)
cli.command()(schema)
cli.add_typer(audit, name="audit")
cli.add_typer(package, name="package")
cli.add_typer(token, name="token")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@cli.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    del version


def main() -> None:
    """Entry point of the console script."""
    try:
        cli()
    except (SettingsError, WindtunnelError) as error:
        typer.echo(f"windtunnel: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:  # before a command could say so itself
        sys.exit(130)
