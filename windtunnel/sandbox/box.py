"""The sandbox of an environment: runs commands behind what the host has, and ends all of them on demand."""

import asyncio
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from windtunnel.domain.confinement import Limits
from windtunnel.domain.isolation import Isolation, Mechanism, Probe, claimed
from windtunnel.sandbox import cgroups, scratch, sweeping
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.identity import own_user
from windtunnel.sandbox.interpreter import LAUNCHER, PYTHON, SOURCE, outermost, system_paths
from windtunnel.sandbox.launch.plan import BUBBLEWRAP, NONE, OWN, Plan
from windtunnel.sandbox.outcome import Outcome
from windtunnel.sandbox.running import OpenStreams, carry_out
from windtunnel.sandbox.streams import Streams

HOME_INSIDE = "/sandbox"
_TASKS_BEYOND = 8
"""The kernel refuses further processes a little beyond where the run is ended for it."""
_LOOK_EVERY_S = 0.03
_BESIDE = (PYTHON, "-E", "-s", "-S", "-B")
"""As isolated as can be for a script that imports what lies beside it."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where the code of one environment runs. All of its state is below `root`, a directory of its own: see `prepare`.

    `ro_paths` can be read and executed inside, under the names that they have outside; as root, they have to be
    readable by others, but the directories above them need not. Each run has a directory of its own to write in,
    its HOME and TMPDIR, which is gone when the run is. `grace_s` is between being asked to end and being killed.
    """

    root: Path
    ro_paths: tuple[Path, ...]
    limits: Limits
    isolation: Isolation
    grace_s: float = 5.0

    async def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        wall_s: float = 60.0,
    ) -> Outcome:
        """Run the command to its end, or to that of its limits; `python` is the interpreter of the sandbox.

        Nothing of a run outlives it. Cancelling stops the run, with a grace. Raises SandboxError when nothing was run.
        """
        self.demand_isolation()
        plan = self.plan(command, cwd=cwd, env=env or {}, wall_s=wall_s)
        return await self.carry_out(plan, stdin)

    def demand_isolation(self) -> None:
        """Raise SandboxError where nothing may be run at all."""
        if sys.platform != "linux":
            raise SandboxError("isolation", "code runs on Linux only")
        if not self._holds_root():
            raise SandboxError("isolation", "as root, without namespaces or a recent Landlock, code would own the host")

    def prepare(self) -> None:
        """Make the directories of the sandbox, unless they are there. Nothing runs without them.

        The directory that `root` is in is there. Raises OSError.
        """
        for directory in (self.root, self._runs, self._work):
            directory.mkdir(mode=0o700, exist_ok=True)

    def plan(self, command: Sequence[str], *, cwd: Path | None, env: Mapping[str, str], wall_s: float) -> Plan:
        """What `carry_out` does for `run`."""
        limits, has = self.limits, self.isolation.mechanisms
        namespaces = OWN if Mechanism.NAMESPACES in has else BUBBLEWRAP if Mechanism.BUBBLEWRAP in has else NONE
        home = HOME_INSIDE if namespaces else str(self._work / secrets.token_hex(16))
        variables = {
            "PATH": f"{Path(PYTHON).parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **env,
            "HOME": home,
            "TMPDIR": home,
        }
        readable = [*system_paths(), *map(str, self.ro_paths)]
        if namespaces == BUBBLEWRAP:
            readable.append(f"{SOURCE}/windtunnel")
        return Plan(
            command=(*_BESIDE, *command[1:]) if command[0] in {"python", "python3"} else tuple(command),
            variables=tuple(variables.items()),
            cwd=str(cwd) if cwd else home,
            scratch=home,
            readable=outermost(readable),
            namespaces=namespaces,
            bubblewrap=self.isolation.bubblewrap,
            landlock=Mechanism.LANDLOCK in has,
            seccomp=Mechanism.SECCOMP in has,
            cgroup=-1,
            user=own_user() if namespaces == OWN else -1,
            memory_bytes=limits.memory_bytes,
            cpu_s=limits.cpu_s,
            wall_s=wall_s,
            processes=limits.processes,
            tasks=limits.processes + _TASKS_BEYOND,
            files=limits.files,
            disk_bytes=limits.disk_bytes,
            grace_s=self.grace_s,
            parent=os.getpid(),
            record=-1,
            interpreter=LAUNCHER,
            look_every_s=_LOOK_EVERY_S,
        )

    async def carry_out(self, plan: Plan, stdin: bytes, streams: OpenStreams = Streams) -> Outcome:
        """Carry out a plan of this sandbox, whatever it is; `streams` are what it is spoken to through."""
        name = secrets.token_hex(16)
        home = Path(plan.scratch) if plan.namespaces == NONE else None
        if not self._work.is_dir():
            raise SandboxError("sandbox", "it is gone")
        if home:
            home.mkdir(mode=0o700)
        group = self._cgroup(name, plan)
        try:
            outcome = await carry_out(
                plan,
                self._runs / name,
                stdin,
                self.limits.output_bytes,
                group,
                closed=self._closed.exists,
                open_streams=streams,
            )
            if outcome.exit_status is None and home:  # the warden was killed before it could end what it watched
                await sweeping.end_marked(str(home))
            breach = outcome.breach or (cgroups.breach(group) if group else None)
            return replace(outcome, breach=breach)
        finally:
            if group:
                await asyncio.to_thread(cgroups.remove, group)
            if home:
                await asyncio.to_thread(scratch.remove, home)

    def remaining(self) -> tuple[int, ...]:
        """The pids of what is alive of this sandbox, also of what a process that is dead by now has started."""
        return sweeping.remaining(self._runs, self._work)

    async def kill_all(self) -> int:
        """End every run at once, whoever started it; how many there were. Nothing of them is left when this returns.

        Raises TimeoutError when something cannot be ended.
        """
        ended = await sweeping.end_all(self._runs, self._work)
        if self._work.is_dir():
            for home in await asyncio.to_thread(lambda: list(self._work.iterdir())):
                await asyncio.to_thread(scratch.remove, home)
        return ended

    async def remove(self) -> int:
        """End every run, let no other begin, and remove all of `root`; how many runs there were.

        Whoever is just starting one has it on record before looking whether the sandbox is closed, which it is before
        the records are looked through: either that one sees it, or the run is ended. Raises TimeoutError, OSError.
        """
        with suppress(FileNotFoundError):
            self._closed.touch()
        ended = await self.kill_all()
        for directory in (self._runs, self._work, self.root):  # in this order: it is closed to the end
            await asyncio.to_thread(scratch.remove, directory)
        return ended

    @property
    def _closed(self) -> Path:
        return self.root / "closed"

    @property
    def _runs(self) -> Path:
        return self.root / "runs"

    @property
    def _work(self) -> Path:
        return self.root / "work"

    def _holds_root(self) -> bool:
        """Whether code that is run as root can neither change the host's files nor end its processes."""
        has = self.isolation.mechanisms
        lands = Mechanism.LANDLOCK in has and Probe.SIGNAL_PARENT in claimed(self.isolation)
        return os.geteuid() != 0 or lands or bool(has & {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP})

    def _cgroup(self, name: str, plan: Plan) -> Path | None:
        """A cgroup for the run, where it helps: namespaces end everything by themselves."""
        place = Path(self.isolation.cgroup)
        if Mechanism.CGROUP in self.isolation.mechanisms and (plan.namespaces == NONE or cgroups.controllers(place)):
            return cgroups.make(place, name, self.limits, plan.tasks)
        return None
