"""A `windtunnel serve` of the benchmark's own, and the figures that all benchmarks print."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

START_TIMEOUT_S = 30.0
TEXT = (
    "Customers email us about billing problems, bugs and ideas. Each message goes to the right specialist, who looks "
    "the customer up, fixes the issue or issues a refund. Refunds over $200 need a manager to sign off."
)


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: where it is, its process, and how long it took from its start to its first 200 on /readyz."""

    port: int
    process: subprocess.Popen[bytes]
    ready_s: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"


@contextmanager
def served() -> Iterator[Served]:
    """`windtunnel serve` with the embedded defaults in a fresh directory; ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="windtunnel-bench-") as directory:
        environment = {**os.environ, "WINDTUNNEL_DATA_DIR": directory, "WINDTUNNEL_LOG_LEVEL": "error"}
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield Served(port, process, _until_ready(port, begin))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(START_TIMEOUT_S)


def _until_ready(port: int, begin: float) -> float:
    while time.perf_counter() - begin < START_TIMEOUT_S:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=1).status_code == 200:
                return time.perf_counter() - begin
        except httpx.TransportError:
            time.sleep(0.01)
    raise TimeoutError(f"no answer on port {port} in {START_TIMEOUT_S:.0f} s")


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; `share` is 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def print_row(what: str, *figures: str) -> None:
    """One line of the report."""
    print(f"{what:<58}" + "".join(f"{figure:>20}" for figure in figures), flush=True)


def ms(seconds: float) -> str:
    """Seconds as milliseconds for print_row."""
    return f"{seconds * 1000:.1f} ms"
