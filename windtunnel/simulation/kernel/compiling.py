"""The one place that touches numba: functions of this package are compiled when they are first called."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

# The modules outside of this package whose constants are compiled in.
_CONSTANTS = ("network", "portable", "randomness", "resilience", "safeguards", "tokens")

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile for the use of other compiled functions.

    What runs at every event is handed arrays, never a tuple of them: each array in it would be counted up and down.
    Arithmetic stays as it is written: no reordering, no fused operations, so that the bits are those of the plain loop.
    """
    # Without a wrapper each it takes half the time to compile.
    return _compile(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile into the functions that call it."""
    return _compile(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def entrance(function: Callable[P, R]) -> Callable[P, R]:
    """Compile for Python to call: runs without the interpreter's lock, and is kept on disk with all that it calls.

    numba looks only at the file of the function itself to see whether what it kept is still right; so the name of the
    function, and with it that of what is kept, says what all sources were.
    """
    function.__qualname__ += f"_{source_digest()}"
    try:
        return _compile(function, nogil=True, cache=True)
    except RuntimeError:  # there is no folder to keep anything in
        return _compile(function, nogil=True)


@cache
def source_digest() -> str:
    """Names the content of every source file that the kernel is compiled from."""
    here = Path(__file__).parent
    files = [*sorted(here.glob("*.py")), *(here.parent / f"{name}.py" for name in _CONSTANTS)]
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _compile(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    return cast("Callable[P, R]", numba.njit(error_model="numpy", **options)(function))
