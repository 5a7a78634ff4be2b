"""Records of runs: one small file each, locked as long as the run lives, whoever started it."""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from windtunnel.domain.confinement import Limit, Usage
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.launch.record import fields_of

UNLOCKED = ".new"
"""The suffix of a record that is not locked yet."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process for good: pids are used again, a pid with the time of its start is not."""

    pid: int
    started: int

    def lives(self) -> bool:
        """Whether it is still there, and more than a name that nobody has taken note of."""
        try:
            state, *_, started = fields_of(self.pid)[:20]
        except OSError:
            return False
        return int(started) == self.started and state not in {b"Z", b"X"}

    def send(self, number: int) -> None:
        """Send it the signal, if it is still there."""
        if self.lives():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass(frozen=True, slots=True)
class Ending:
    """What the warden saw of a run, up to its end."""

    exit_status: int
    breach: Limit | None
    usage: Usage


class Record:
    """What is on record of one run."""

    def __init__(self, path: Path) -> None:
        text = ""
        with suppress(FileNotFoundError):  # whoever ended all runs has cleared it away
            text = path.read_text("utf-8")
        self._lines = [line.split(" ") for line in text.splitlines()]

    def processes(self) -> list[Process]:
        """Those that everything of the run ends with."""
        return [Process(int(line[1]), int(line[2])) for line in self._lines if line[0] in {"launcher", "first"}]

    def cgroup(self) -> Path | None:
        """The cgroup that the run is in, if it has one."""
        return next((Path(" ".join(line[1:])) for line in self._lines if line[0] == "cgroup"), None)

    def failure(self) -> SandboxError | None:
        """Why nothing was run, if so."""
        for line in self._lines:
            if line[0] == "failed":
                return SandboxError(line[1], " ".join(line[2:]))
        return None

    def ending(self) -> Ending | None:
        """How the run ended, if it has come to an end of its own."""
        for line in self._lines:
            if line[0] == "ended":
                status, breach, cpu, memory, wall, disk, processes = line[1:]
                usage = Usage(
                    cpu_s=float(cpu),
                    max_rss_bytes=int(memory),
                    wall_s=float(wall),
                    disk_bytes=int(disk),
                    processes=int(processes),
                )
                return Ending(int(status), None if breach == "-" else Limit(breach), usage)
        return None


def create(path: Path) -> int:
    """A new record, locked: its file descriptor, which every process that may close the run inherits."""
    unlocked = path.with_suffix(UNLOCKED)
    descriptor = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unlocked.rename(path)  # nobody sees it before, and takes it for one of a run that has ended
    return descriptor


def is_live(path: Path) -> bool:
    """Whether the run of this record still lives, in whatever process, container or namespace of this host."""
    return any(process.lives() for process in Record(path).processes()) or _is_locked(path)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
