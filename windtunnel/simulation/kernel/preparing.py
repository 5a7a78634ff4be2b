"""Compile the kernel, or find it compiled on disk."""

import subprocess
import sys
from pathlib import Path

from windtunnel.domain.architectures import ServiceTime
from windtunnel.simulation.kernel.batch import simulate_many
from windtunnel.simulation.kernel.compiling import source_digest
from windtunnel.simulation.kernel.replications import replicate
from windtunnel.simulation.network import Node, compile_network


def prepare() -> None:
    """Have the kernel in this process. Compiling takes seconds, so that another process does it, and this one reads.

    Where nothing can be kept on disk, this process compiles.
    """
    # mypy sees the function as it is written, not numba's object around it.
    folder: str | None = replicate.stats.cache_path  # type: ignore[attr-defined]
    if folder and not any(Path(folder).glob(f"*{source_digest()}*.nbi")):
        # Its success shows in what it leaves; without that, this process compiles after all.
        subprocess.run([sys.executable, "-m", __name__], check=False, capture_output=True)  # noqa: S603 - our own
    load()


def load() -> None:
    """Run the kernel once: from then on it is there."""
    network = compile_network([Node("a", ServiceTime(1.0))], [], ["a"])
    simulate_many(network, seed=0, tasks=1, arrivals_per_ms=1.0, first=0, count=1)


if __name__ == "__main__":
    load()
