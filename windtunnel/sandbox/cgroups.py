"""A cgroup (v2) per run, where the host lets us make one: exact sums of memory and processes, and an end for all."""

import os
import time
from contextlib import suppress
from pathlib import Path

from windtunnel.domain.confinement import Limit, Limits

CONTROLLERS = frozenset({"memory", "pids", "cpu"})
_GONE_WITHIN_S = 2.0
_CPU = "100000 100000"
"""One core at a time: microseconds in each period of as many."""


def base() -> Path | None:
    """Where cgroups can be made beside or below our own, the one with more controllers; None when nowhere."""
    places = [place for place in _places() if os.access(place, os.W_OK) and os.access(place / "cgroup.procs", os.W_OK)]
    return max(places, key=lambda place: len(controllers(place)), default=None)


def controllers(place: Path) -> frozenset[str]:
    """What cgroups made there can bound."""
    with suppress(OSError):
        return CONTROLLERS & set((place / "cgroup.subtree_control").read_text().split())
    return frozenset()


def make(place: Path, name: str, limits: Limits, tasks: int) -> Path:
    """A cgroup for one run, which bounds what its controllers can. Raises OSError."""
    group = place / name
    group.mkdir()
    for file, value in settings(limits, tasks).items():
        if (group / file).exists():
            (group / file).write_text(value)
    return group


def settings(limits: Limits, tasks: int) -> dict[str, str]:
    """What is written into which file of a cgroup, as far as it has the file."""
    return {
        "memory.max": str(limits.memory_bytes),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": str(tasks),
        "cpu.max": _CPU,
    }


def breach(group: Path) -> Limit | None:
    """The limit that the kernel has held against the run, if any."""
    if _counted(group / "memory.events", "oom_kill"):
        return Limit.MEMORY
    return Limit.PROCESSES if _counted(group / "pids.events", "max") else None


def remove(group: Path) -> None:
    """Kill all that is in it, and remove it. Raises OSError when it does not get empty."""
    until = time.monotonic() + _GONE_WITHIN_S
    while group.exists():
        with suppress(OSError):
            (group / "cgroup.kill").write_text("1")
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:  # what was killed takes a moment to go
            if time.monotonic() > until:
                raise
            time.sleep(0.005)


def _places() -> list[Path]:
    mounted = _mount_point()
    if mounted is None:
        return []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::/"):
            own = Path(f"{mounted}{line[3:]}")
            return [own] if own == mounted else [own, own.parent]
    return []


def _mount_point() -> Path | None:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        head, _, tail = line.partition(" - ")
        if tail.startswith("cgroup2 "):
            return Path(head.split()[4])
    return None


def _counted(file: Path, event: str) -> int:
    with suppress(OSError):
        for line in file.read_text().splitlines():
            name, _, number = line.partition(" ")
            if name == event:
                return int(number)
    return 0
