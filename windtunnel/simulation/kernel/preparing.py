"""Compile the kernel, or find it compiled on disk."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

from windtunnel.domain.architectures import ServiceTime
from windtunnel.simulation.kernel.batch import simulate_many
from windtunnel.simulation.kernel.compiling import source_digest
from windtunnel.simulation.kernel.replications import replicate
from windtunnel.simulation.network import Node, compile_network


def prepare() -> None:
    """Have the kernel in this process. Compiling takes seconds, so that another process does it, and this one reads.

    Where nothing can be kept on disk, this process compiles; so it does where what is there cannot be read.
    """
    if (folder := _folder()) and not _kept(folder):
        # Its success shows in what it leaves; without that, this process compiles after all.
        command = [sys.executable, "-m", __name__]
        with subprocess.Popen(  # noqa: S603 - our own
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as compiling:
            compiling.wait()
    try:
        load()
    except Exception:  # noqa: BLE001 (whatever numba says of it)
        for file in _kept(folder) if folder else []:
            file.unlink(missing_ok=True)
        load()


def _folder() -> str | None:
    """Where numba keeps what it compiled, if anywhere."""
    # mypy sees the function as it is written, not numba's object around it.
    folder: str | None = replicate.stats.cache_path  # type: ignore[attr-defined]
    return folder


def _kept(folder: str) -> list[Path]:
    """What is kept there of these sources, if whoever compiled came to the end."""
    indexes = list(Path(folder).glob(f"*{source_digest()}*.nbi"))
    return [*indexes, *Path(folder).glob(f"*{source_digest()}*.nbc")] if indexes else []


def load() -> None:
    """Run the kernel once: from then on it is there."""
    network = compile_network([Node("a", ServiceTime(1.0))], [], ["a"])
    simulate_many(network, seed=0, tasks=1, arrivals_per_ms=1.0, first=0, count=1)


def _end_with_parent() -> None:
    """Whoever wants the kernel holds the other end: it ends with that process, however that ends."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    Thread(target=_end_with_parent, name="parent", daemon=True).start()
    load()
    os._exit(0)  # without waiting for that thread's hold on the standard input
