"""What the workers of a cluster run: work of this very version, so that the same bytes come back."""

import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from windtunnel import __version__
from windtunnel.experiments.crew import done_or_told
from windtunnel.simulation.engine import prepare_kernel

T = TypeVar("T")

_PACKAGES = ("domain", "simulation", "experiments")
"""What the numbers depend on."""


class OtherVersionError(Exception):
    """A worker has other sources than whoever gave it work: it might find other numbers."""


@cache
def version() -> str:
    """Names this Windtunnel: its version, its sources as far as numbers depend on them, and the Python it runs on."""
    product = Path(__file__).parents[1]
    sources = [file for package in _PACKAGES for file in sorted((product / package).rglob("*.py"))]
    digest = sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    return f"Windtunnel {__version__} ({digest}) on Python {sys.version_info.major}.{sys.version_info.minor}"


def do_elsewhere(wanted: str, function: Callable[..., T], arguments: tuple[object, ...]) -> T:
    """What the function returns, if the version here is the one that is `wanted`.

    Raises OtherVersionError, and CrewError for whatever the function raises. The kernel is made ready beside it.
    """
    if wanted != version():
        raise OtherVersionError(f"a worker has {version()}, and this is {wanted}")
    prepare_kernel()
    return done_or_told(function, arguments)
