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
    return tuple(sorted(process.pid for process in known | _marked(f"{work}/")))


async def end_all(runs: Path, work: Path) -> int:
    """End every run at once and forget it; how many there were. Raises TimeoutError when something does not go."""
    live = _live(runs)
    await _send_until_gone(runs, KILL, _ASKED_FOR_S)  # who watches a run ends all of it
    await _send_until_gone(runs, signal.SIGKILL, _GONE_WITHIN_S)
    marked = await end_marked(f"{work}/")
    if left := _live(runs):
        raise TimeoutError(f"{len(left)} runs do not end")
    for path in _all(runs):
        if group := Record(path).cgroup():
            await asyncio.to_thread(cgroups.remove, group)
        path.unlink(missing_ok=True)
    return len(live) + marked


async def end_marked(home: str) -> int:
    """End what was started without namespaces, in a directory whose path begins so; how many there were."""
    return await asyncio.to_thread(_end_marked, home)


async def until_gone(record: Path) -> None:
    """Wait, within reason, for the end of a run whose launcher was killed: the kernel takes a moment for the rest."""
    until = time.monotonic() + _GONE_WITHIN_S
    while records.is_live(record) and time.monotonic() < until:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(_LOOK_EVERY_S)


async def _send_until_gone(runs: Path, number: int, within_s: float) -> None:
    """Again and again: a run that has only just begun has nobody on record yet."""
    until = time.monotonic() + within_s
    while (live := _live(runs)) and time.monotonic() < until:
        for path in live:
            for process in Record(path).processes():
                process.send(number)
        await asyncio.sleep(_LOOK_EVERY_S)


def _all(runs: Path) -> list[Path]:
    return sorted(path for path in runs.iterdir() if path.suffix != records.UNLOCKED) if runs.is_dir() else []


def _live(runs: Path) -> list[Path]:
    return [path for path in _all(runs) if records.is_live(path)]


def _end_marked(home: str) -> int:
    killed: set[Process] = set()
    until = time.monotonic() + _GONE_WITHIN_S
    while marked := _marked(home):
        if time.monotonic() > until:
            raise TimeoutError(f"{len(marked)} processes do not end")
        for process in marked:
            process.send(signal.SIGKILL)
        killed |= marked
        time.sleep(_LOOK_EVERY_S)
    return len(killed)


def _marked(home: str) -> set[Process]:
    """Processes whose home begins so, which nobody can guess."""
    mark = f"={home}".encode()
    found = set()
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with suppress(OSError):  # it is another user's, or has ended
                if mark in (path / "environ").read_bytes():
                    found.add(Process(int(path.name), started_at(int(path.name))))
    return found
