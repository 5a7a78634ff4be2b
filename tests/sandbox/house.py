"""What tests of sandboxes share: code to run inside, and eyes for what is left of it outside."""

import asyncio
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from windtunnel.domain.confinement import Limits
from windtunnel.domain.isolation import Isolation, Mechanism
from windtunnel.sandbox.box import Sandbox

MIB = 1024 * 1024

HOSTS = {
    "as it is": frozenset[Mechanism](),
    "without namespaces": frozenset({Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP}),
    "without seccomp": frozenset({Mechanism.SECCOMP}),
    "with landlock alone": frozenset(set(Mechanism) - {Mechanism.LANDLOCK}),
}
"""Hosts that have less than this one, by what is forced off."""
if shutil.which("bwrap"):
    HOSTS["without namespaces of our own"] = frozenset({Mechanism.NAMESPACES})

STUBBORN = """
import ctypes, os, signal, sys
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork():
    os._exit(0) if sys.argv[2:] else signal.pause()
os.setsid()
if os.fork():
    os._exit(0)
os.environ.clear()
ctypes.CDLL(None).prctl(15, sys.argv[1].encode())
while True:
    signal.pause()
"""
"""Forks twice, ignores what asks it to end, and takes the name in its argument; with a second one, its parent goes."""


def sandbox(root: Path, isolation: Isolation, *packages: Path, **limits: float) -> Sandbox:
    """A sandbox with small limits, ready to be used."""
    small = {"memory_bytes": 64 * MIB, "cpu_s": 10, "processes": 8, "files": 100, "disk_bytes": 4 * MIB}
    box = Sandbox(root, packages, Limits(**{**small, **limits}), isolation)  # type: ignore[arg-type]
    box.prepare()
    return box


def package(directory: Path, **files: str) -> Path:
    """A directory with these modules, for everybody to read."""
    directory.mkdir(mode=0o755)
    for name, text in files.items():
        (directory / f"{name}.py").write_text(text, "utf-8")
    return directory


def new_name() -> str:
    """A name for a process that nobody else has."""
    return f"wt{secrets.token_hex(6)}"


def named(name: str) -> list[int]:
    """The pids of the processes with this name, in whatever namespace."""
    found = []
    for path in Path("/proc").iterdir():
        with suppress(OSError):
            if path.name.isdecimal() and (path / "comm").read_text().strip() == name and _lives(path):
                found.append(int(path.name))
    return found


def _lives(path: Path) -> bool:
    return (path / "stat").read_text().rpartition(")")[2].split()[0] != "Z"


async def until(condition: Callable[[], object], run: "asyncio.Task[object]") -> None:
    """Wait for something that the run brings about."""
    while not condition():
        ended, _ = await asyncio.wait([run], timeout=0.01)
        assert not ended, run.result()


def open_files() -> list[str]:
    """What this process has open."""
    found = []
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(path.readlink()))
    return found
