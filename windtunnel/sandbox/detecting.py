"""What this host can keep code in with: each mechanism tried alone, by running something and looking from inside."""

import asyncio
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from windtunnel.domain.confinement import Limits
from windtunnel.domain.isolation import Isolation, IsolationLevel, Mechanism, claims, level_of
from windtunnel.sandbox import cgroups, scratch
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.interpreter import ISOLATED
from windtunnel.sandbox.launch import landlock, seccomp
from windtunnel.sandbox.probing import Targets, try_out

_TRIAL = "trial-"
_TRIAL_WALL_S = 10.0
_TRIAL_MAX_S = 600.0
"""No trial takes so long: what is older is left of a process that was killed."""
_TASKS_TRIED = 12
_FORK_MANY = """
import os, signal
children = []
try:
    for _ in range(24):
        if not (child := os.fork()):
            signal.pause()
        children.append(child)
except OSError:
    pass
for child in children:
    os.kill(child, 9)
print(len(children))
"""


async def detect(directory: Path, *, without: frozenset[Mechanism] = frozenset()) -> Isolation:
    """What works here. Trials run below `directory`, which is left as it was; what is in `without` is not even tried.

    Takes as long as a few runs; ask once per process.
    """
    if sys.platform != "linux":
        reason = "Code runs on Linux only."
        return Isolation(IsolationLevel.LOGICAL, details=dict.fromkeys(Mechanism, reason))
    await asyncio.to_thread(_remove_left, directory)
    place = directory / f"{_TRIAL}{secrets.token_hex(8)}"
    place.mkdir(mode=0o700, parents=True)
    try:
        return await _Trials(place, without).all()
    finally:
        await asyncio.to_thread(scratch.remove, place)


def _remove_left(directory: Path) -> None:
    """Remove the trials of processes that were killed in the middle of them."""
    for left in directory.glob(f"{_TRIAL}*"):
        with suppress(OSError):  # somebody else is removing it, too; it does no harm
            if left.lstat().st_mtime < time.time() - _TRIAL_MAX_S:
                scratch.remove(left)


class _MissingError(Exception):
    """The mechanism cannot be relied on; the argument is a sentence that says why."""


class _Trials:
    def __init__(self, place: Path, without: frozenset[Mechanism]) -> None:
        self._place = place
        self._without = without
        self._found = Isolation(
            IsolationLevel.LOGICAL,
            landlock_abi=landlock.version(),
            bubblewrap=shutil.which("bwrap") or "",
            cgroup=str(cgroups.base() or ""),
        )
        self._details: dict[Mechanism, str] = {}

    async def all(self) -> Isolation:
        first = (Mechanism.NAMESPACES, Mechanism.LANDLOCK, Mechanism.SECCOMP, Mechanism.CGROUP)
        await asyncio.gather(*map(self._try, first))
        if not self._has(Mechanism.NAMESPACES):
            await self._try(Mechanism.BUBBLEWRAP)
        else:
            self._details[Mechanism.BUBBLEWRAP] = "Not needed."
        await self._try(Mechanism.TASK_LIMIT)
        found = self._found
        return replace(
            found,
            level=level_of(found.mechanisms),
            details=self._details,
            landlock_abi=found.landlock_abi if self._has(Mechanism.LANDLOCK) else 0,
            bubblewrap=found.bubblewrap if self._has(Mechanism.BUBBLEWRAP) else "",
            cgroup=found.cgroup if self._has(Mechanism.CGROUP) else "",
        )

    def _has(self, mechanism: Mechanism) -> bool:
        return mechanism in self._found.mechanisms

    async def _try(self, mechanism: Mechanism) -> None:
        trials = {Mechanism.CGROUP: self._cgroup, Mechanism.TASK_LIMIT: self._task_limit}
        if mechanism in self._without:
            self._details[mechanism] = "Switched off."
            return
        trial = trials.get(mechanism)
        try:
            self._details[mechanism] = await (trial() if trial else self._wall(mechanism))
        except _MissingError as missing:
            self._details[mechanism] = str(missing)
        except (SandboxError, OSError) as error:
            self._details[mechanism] = f"Refused by the host: {error}."
        else:
            self._found = replace(self._found, mechanisms=self._found.mechanisms | {mechanism})

    async def _wall(self, mechanism: Mechanism) -> str:
        """Try all probes behind this mechanism alone."""
        absent = {
            Mechanism.LANDLOCK: not self._found.landlock_abi and "The kernel has none.",
            Mechanism.SECCOMP: not seccomp.available() and "The system calls of this machine are not known.",
            Mechanism.BUBBLEWRAP: not self._found.bubblewrap and "There is no bwrap on PATH.",
        }.get(mechanism)
        if absent:
            raise _MissingError(absent)
        alone = replace(self._found, mechanisms=frozenset({mechanism}))
        seen = await try_out(Sandbox(self._place / mechanism, (), Limits(), alone), Targets())
        if through := [
            one for one, (succeeded, _) in seen.items() if succeeded and one in claims(mechanism, alone.landlock_abi)
        ]:
            raise _MissingError(f"Holds nothing back: {', '.join(through)}.")
        if mechanism is Mechanism.LANDLOCK:
            return f"Version {alone.landlock_abi} of its ABI."
        return (
            f"By {alone.bubblewrap}." if mechanism is Mechanism.BUBBLEWRAP else "What it denies was tried, and failed."
        )

    async def _cgroup(self) -> str:
        """Put a process into a cgroup, and see it end with it."""
        if not self._found.cgroup:
            raise _MissingError("There is no cgroup (v2) that we may write to.")
        place = Path(self._found.cgroup)
        await asyncio.to_thread(_end_one_by_cgroup, place, self._place.name)
        bounds = ", ".join(sorted(cgroups.controllers(place)))
        return (
            f"Bounds {bounds}." if bounds else "Without controllers: it finds and ends processes, and bounds nothing."
        )

    async def _task_limit(self) -> str:
        """Fork until the kernel says no."""
        found = self._found
        walls = {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP} & found.mechanisms
        counted = self._has(Mechanism.CGROUP) and "pids" in cgroups.controllers(Path(found.cgroup))
        if not walls and not counted:
            raise _MissingError("Without namespaces, the kernel counts all processes of a user together.")
        sandbox = Sandbox(self._place / "tasks", (), Limits(processes=64), found)
        sandbox.prepare()
        plan = sandbox.plan(("python", "-c", _FORK_MANY), cwd=None, env={}, wall_s=_TRIAL_WALL_S)
        plan.tasks = _TASKS_TRIED
        outcome = await sandbox.carry_out(plan, b"")
        forked = outcome.stdout.decode().strip()
        if not outcome.succeeded or int(forked) > _TASKS_TRIED:
            raise _MissingError(f"{forked or 'No'} processes were started where {_TASKS_TRIED} were allowed.")
        return "The kernel starts no more processes than are allowed."


def _end_one_by_cgroup(place: Path, name: str) -> None:
    group = cgroups.make(place, name, Limits(), _TASKS_TRIED)
    try:
        with subprocess.Popen((*ISOLATED, "-c", "input()"), stdin=subprocess.PIPE) as child:  # noqa: S603 - our own
            try:
                (group / "cgroup.procs").write_text(str(child.pid))
                cgroups.remove(group)
            finally:
                child.kill()
    finally:
        cgroups.remove(group)
    if group.exists():
        raise _MissingError("What is in a cgroup does not end with it.")
