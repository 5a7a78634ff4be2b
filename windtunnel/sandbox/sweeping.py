"""What is still alive of an environment's runs, whoever started them; and an end for it."""

import asyncio
import signal
import time
from contextlib import suppress
from pathlib import Path

from windtunnel.sandbox import cgroups, records
from windtunnel.sandbox.launch.record import started_at
from windtunnel.sandbox.launch.warden import KILL
from windtunnel.sandbox.records import Process, Record

_ASKED_FOR_S = 2.0
_GONE_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.01


def remaining(runs: Path, work: Path) -> tuple[int, ...]:
    """The pids of what lives of the runs on record, and of what was started in a directory below `work`."""
    known = {process for path in _live(runs) for process in Record(path).processes() if process.lives()}
    return tuple(sorted(process.pid for process in known | _marked(work)))


async def end_all(runs: Path, work: Path) -> int:
    """End every run at once and forget it; how many there were. Raises TimeoutError when something does not go."""
    live = _live(runs)
    await _send_until_gone(runs, KILL, _ASKED_FOR_S)  # who watches a run ends all of it
    await _send_until_gone(runs, signal.SIGKILL, _GONE_WITHIN_S)
    marked = await end_marked(work)
    if left := _live(runs):
        raise TimeoutError(f"{len(left)} runs do not end")
    for path in _all(runs):
        if group := Record(path).cgroup():
            await asyncio.to_thread(cgroups.remove, group)
        path.unlink(missing_ok=True)
    return len(live) + marked


async def end_marked(work: Path) -> int:
    """End what was started in a directory below `work`, without namespaces; how many there were."""
    return await asyncio.to_thread(_end_marked, work)


async def _send_until_gone(runs: Path, number: int, within_s: float) -> None:
    """Again and again: a run that has only just begun has nobody on record yet."""
    until = time.monotonic() + within_s
    while (live := _live(runs)) and time.monotonic() < until:
        for path in live:
            for process in Record(path).processes():
                process.send(number)
        await asyncio.sleep(_LOOK_EVERY_S)


def _all(runs: Path) -> list[Path]:
    return sorted(runs.iterdir()) if runs.is_dir() else []


def _live(runs: Path) -> list[Path]:
    return [path for path in _all(runs) if records.is_live(path)]


def _end_marked(work: Path) -> int:
    """Kill what lives below `work` until nothing does; how many there were."""
    killed: set[Process] = set()
    until = time.monotonic() + _GONE_WITHIN_S
    while marked := _marked(work):
        if time.monotonic() > until:
            raise TimeoutError(f"{len(marked)} processes do not end")
        for process in marked:
            process.send(signal.SIGKILL)
        killed |= marked
        time.sleep(_LOOK_EVERY_S)
    return len(killed)


def _marked(work: Path) -> set[Process]:
    """Processes whose home is below `work`, which nobody can guess: those that were started without namespaces."""
    mark = f"={work}/".encode()
    found = set()
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with suppress(OSError):  # it is another user's, or has ended
                if mark in (path / "environ").read_bytes():
                    found.add(Process(int(path.name), started_at(int(path.name))))
    return found
