"""The Python that sandboxes use, and the files that any program needs."""

import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import windtunnel

PYTHON: str = getattr(sys, "_base_executable", None) or sys.executable
"""The interpreter below any virtual environment: packages get the standard library, not what we have installed."""
ISOLATED = (PYTHON, "-I", "-S", "-B")

SOURCE = str(Path(windtunnel.__file__).parents[1])
LAUNCHER = (
    PYTHON,
    *(
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.append({SOURCE!r}); from windtunnel.sandbox.launch.main import main; main()",
    ),
)

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives"),
)


@cache
def system_paths() -> tuple[str, ...]:
    """What programs of this host need to run, the interpreter's home included."""
    homes = (sys.base_prefix, sys.base_exec_prefix, str(Path(PYTHON).parent), str(Path(PYTHON).resolve().parent))
    return outermost(path for path in (*_SYSTEM, *homes) if Path(path).exists())


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths without those that lie below others of them."""
    kept: list[str] = []
    for path in sorted({os.path.normpath(path) for path in paths}):
        if not any(path.startswith(f"{other}/") for other in kept):
            kept.append(path)
    return tuple(kept)
