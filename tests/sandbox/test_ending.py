"""The end of runs: on demand, with their worker, and of those that do not want to."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.house import HOSTS, STUBBORN, named, new_name, sandbox, until
from windtunnel.domain.confinement import Limit
from windtunnel.domain.isolation import Isolation, IsolationLevel
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.outcome import Outcome

ROOT = Path(__file__).parents[2]
POLITE = """
import ctypes, signal, sys
def end(*_):
    print("ended", flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
ctypes.CDLL(None).prctl(15, sys.argv[1].encode())
while True:
    signal.pause()
"""
LEAVE_BOTH = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(2):
    if not os.fork():
        os.setsid()
signal.pause()
"""


def _begin(box: Sandbox, *arguments: str, wall_s: float = 100.0) -> "asyncio.Task[object]":
    return asyncio.create_task(box.run(("python", "-c", STUBBORN, *arguments), wall_s=wall_s))


async def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path, isolation: Isolation) -> None:
    """Its own end is the end of the run, whatever has forked twice and closed its eyes meanwhile."""
    name = new_name()
    box = sandbox(tmp_path / "environment", isolation)
    outcome = await box.run(("python", "-c", STUBBORN, name, "leave"))
    assert outcome.succeeded
    assert (named(name), box.remaining()) == ([], ())


async def test_a_run_that_is_asked_to_end_may_say_a_last_word(tmp_path: Path, isolation: Isolation) -> None:
    name = new_name()
    box = sandbox(tmp_path / "environment", isolation)
    run = asyncio.create_task(box.run(("python", "-c", POLITE, name)))
    await until(lambda: named(name), run)
    os.kill(min(box.remaining()), signal.SIGTERM)
    outcome = await run
    assert (outcome.exit_status, outcome.stdout) == (3, b"ended\n")


async def test_who_ignores_it_is_killed_after_the_grace(tmp_path: Path, isolation: Isolation) -> None:
    name = new_name()
    box = replace(sandbox(tmp_path / "environment", isolation), grace_s=0.3)
    run = _begin(box, name)
    await until(lambda: named(name), run)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (named(name), box.remaining()) == ([], ())


async def test_the_grace_of_a_run_that_is_over_time_is_kept_by_the_warden(tmp_path: Path, watched: Isolation) -> None:
    box = replace(sandbox(tmp_path / "environment", watched), grace_s=0.3)
    outcome = await box.run(("python", "-c", LEAVE_BOTH), wall_s=1.5)
    assert outcome.breach is Limit.WALL
    assert outcome.usage.wall_s >= 1.8
    assert box.remaining() == ()


async def test_a_second_cancellation_does_not_wait_for_the_grace(tmp_path: Path, best: Isolation) -> None:
    name = new_name()
    box = replace(sandbox(tmp_path / "environment", best), grace_s=100.0)
    run = _begin(box, name)
    await until(lambda: named(name), run)
    run.cancel()
    await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (named(name), box.remaining()) == ([], ())


async def test_all_runs_end_on_demand_within_ten_seconds(tmp_path: Path, isolation: Isolation) -> None:
    names = [new_name() for _ in range(3)]
    box = sandbox(tmp_path / "environment", isolation)
    other = sandbox(tmp_path / "other", isolation)
    runs = [_begin(box, name) for name in names]
    left = new_name()
    neighbour = _begin(other, left)
    for name, run in zip([*names, left], [*runs, neighbour], strict=True):
        await until(lambda name=name: named(name), run)  # type: ignore[misc]
    assert box.remaining() != ()
    begun = time.monotonic()
    assert await box.kill_all() >= len(names)
    assert time.monotonic() - begun < 30
    assert [named(name) for name in names] == [[]] * 3
    assert box.remaining() == ()
    assert len(named(left)) == 1  # another environment's
    await asyncio.gather(*runs)
    await other.kill_all()
    await neighbour
    assert named(left) == []


async def test_what_begins_while_a_sandbox_is_removed_ends_or_never_runs(tmp_path: Path, isolation: Isolation) -> None:
    name = new_name()
    box = sandbox(tmp_path / "environment", isolation)
    first = _begin(box, name)
    await until(lambda: named(name), first)
    removing = asyncio.create_task(box.remove())
    late = []
    while not removing.done():
        late.append(_begin(box, name))
        await asyncio.wait([removing], timeout=0.02)
    assert await removing >= 1
    results = await asyncio.gather(first, *late, return_exceptions=True)
    assert not [result for result in results if isinstance(result, Outcome) and result.succeeded]
    assert {type(result) for result in results} <= {Outcome, SandboxError}
    assert SandboxError in map(type, results)
    assert (named(name), box.remaining(), box.root.exists()) == ([], (), False)
    with pytest.raises(SandboxError, match="gone"):
        await box.run(("python", "-c", "pass"))
    assert not box.root.exists()


async def test_ending_nothing_is_quiet(tmp_path: Path, best: Isolation) -> None:
    box = sandbox(tmp_path / "environment", best)
    assert (await box.kill_all(), box.remaining()) == (0, ())


@pytest.mark.parametrize("host", sorted(set(HOSTS) - {"without seccomp"}))
async def test_with_a_worker_that_is_killed_its_runs_end(tmp_path: Path, host: str) -> None:
    """kill -9, which nobody can prepare for; and another worker finds nothing left, and clears up."""
    name = new_name()
    box = sandbox(tmp_path / "environment", Isolation(IsolationLevel.LOGICAL))
    command = [sys.executable, "-m", "tests.sandbox.worker", str(box.root), name, *HOSTS[host]]
    with subprocess.Popen(command, cwd=ROOT, env={"PATH": os.defpath}) as worker:  # noqa: ASYNC220
        await asyncio.to_thread(_wait_for, name, worker)
        assert box.remaining() != ()
        worker.send_signal(signal.SIGKILL)
    await box.kill_all()
    assert (named(name), box.remaining()) == ([], ())
    await box.remove()
    assert not box.root.exists()


async def test_a_warden_that_is_killed_does_not_let_its_run_escape(tmp_path: Path, isolation: Isolation) -> None:
    """Somebody on the host kills what watches the run: with namespaces all ends, without, its home gives it away."""
    name = new_name()
    box = sandbox(tmp_path / "environment", isolation)
    code = STUBBORN.replace("os.environ.clear()", "")
    run = asyncio.create_task(box.run(("python", "-c", code, name), wall_s=100))
    await until(lambda: named(name), run)
    launcher = min(box.remaining())
    os.kill(launcher, signal.SIGKILL)
    outcome = await run
    assert outcome.exit_status is None
    assert (named(name), box.remaining()) == ([], ())


def _wait_for(name: str, worker: "subprocess.Popen[bytes]") -> None:
    while not named(name):
        try:
            worker.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError("the worker has ended")
