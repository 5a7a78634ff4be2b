"""A run in the sandbox beside a bare subprocess that does the same; a call of a function; the probes; detection."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from benchmarks.server import ms, percentile, print_row
from windtunnel.domain.confinement import Limits
from windtunnel.domain.isolation import Isolation, Mechanism
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.calling import Answer, call
from windtunnel.sandbox.detecting import detect
from windtunnel.sandbox.interpreter import ISOLATED
from windtunnel.sandbox.probing import Targets, probe

ROUNDS = 30
AT_ONCE = 8
NOTHING = (*ISOLATED, "-c", "pass")
SLEEP = (*ISOLATED, "-c", "import signal; signal.pause()")


async def bare() -> None:
    await asyncio.to_thread(subprocess.run, NOTHING, env={}, capture_output=True, check=True)


async def timed(what: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> list[float]:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        await what()
        times.append(time.perf_counter() - begin)
    return times


def show(what: str, times: list[float]) -> None:
    print_row(what, f"p50 {ms(percentile(times, 0.5))}", f"p95 {ms(percentile(times, 0.95))}", f"min {ms(min(times))}")


async def measure(top: Path) -> None:
    """One thing after the other, on this host as it is and without namespaces."""
    package = top / "package"
    package.mkdir(mode=0o755)
    (package / "tool.py").write_text("def run(given): return given")
    show("bare subprocess: python -I -S -c pass", await timed(bare))
    for without in (frozenset[Mechanism](), frozenset({Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP})):
        isolation = await detect(top, without=without)
        box = Sandbox(top / "environment", (package,), Limits(), isolation)
        box.prepare()
        show(f"{isolation.level}: the same in the sandbox", await timed(lambda box=box: box.run(NOTHING)))  # type: ignore[misc]
        show(f"{isolation.level}: a call of run(input)", await timed(lambda box=box: answered(box, package)))  # type: ignore[misc]
        show(f"{isolation.level}: the twelve probes", await timed(lambda box=box: probe(box, Targets()), 10))  # type: ignore[misc]
        show(f"{isolation.level}: ending all runs of a sandbox", await ended(box))
        show(f"{isolation.level}: detection", await timed(lambda without=without: detect(top, without=without), 5))  # type: ignore[misc]
        await many(isolation, box)
        await box.remove()


async def answered(box: Sandbox, package: Path) -> None:
    assert isinstance(await call(box, package, "tool:run", {"a": 1}, wall_s=10), Answer)


async def ended(box: Sandbox) -> list[float]:
    times = []
    for _ in range(10):
        run = asyncio.create_task(box.run(SLEEP))
        while not box.remaining():
            await asyncio.wait([run], timeout=0.01)
        times += await timed(box.kill_all, 1)
        await run
    return times


async def many(isolation: Isolation, box: Sandbox) -> None:
    begin = time.perf_counter()
    for _ in range(3):
        await asyncio.gather(*(box.run(NOTHING) for _ in range(AT_ONCE)))
    each = (time.perf_counter() - begin) / (3 * AT_ONCE)
    print_row(f"{isolation.level}: {AT_ONCE} runs at once", f"{1 / each:.0f} runs/s")


def main() -> None:
    """Measure below a directory of our own."""
    with tempfile.TemporaryDirectory() as directory:
        uvloop.run(measure(Path(directory)))


if __name__ == "__main__":
    main()
