"""How commands of the main job end: with a code, and at most one line on stderr."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

import typer

from app.commands.scenario_input import InputError
from windtunnel.domain.errors import ValidationError, WindtunnelError


@contextlib.contextmanager
def clean_endings() -> Iterator[None]:
    """Every way to end is a code and at most one line on stderr: 2 bad input, 1 no model, 130 Ctrl-C."""
    try:
        yield
    except (InputError, ValidationError) as error:
        _end(2, str(error))
    except WindtunnelError as error:
        _end(1, error.message)
    except KeyboardInterrupt:
        _end(130, "interrupted.")
    except BrokenPipeError:
        # Whoever read the output has left; what is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None


def _end(code: int, message: str) -> NoReturn:
    from windtunnel.drawing.text import clean  # not needed when all goes well

    typer.echo(f"windtunnel: {clean(message)}", err=True)
    raise typer.Exit(code)
