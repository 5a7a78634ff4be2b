"""Watching a run: what all of its processes use together, and the first limit that they break."""

import os
import resource
import stat
import time

from windtunnel.sandbox.launch.plan import NONE, Plan
from windtunnel.sandbox.launch.record import fields_of

MEMORY = "memory"
CPU = "cpu"
WALL = "wall"
FILES = "files"
PROCESSES = "processes"
DISK = "disk"

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_WALK_EVERY = 2


class Watch:
    """What has been seen of a run so far."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._begun = time.monotonic()
        self._looks = 0
        self.breach = ""
        self.cpu_s = 0.0
        self.memory_bytes = 0
        self.processes = 0
        self.disk_bytes = 0
        self.files = 0

    @property
    def wall_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begun

    def look(self, members: list[int]) -> None:
        """Measure the processes of the run and its directory; note the first limit that is broken."""
        self._look_at_processes(members)
        if self._plan.namespaces != NONE or self._looks % _WALK_EVERY == 0:
            self._look_at_directory()
        self._looks += 1
        self._compare()

    def conclude(self) -> None:
        """Measure what is left when all processes have ended."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu_s = max(self.cpu_s, ended.ru_utime + ended.ru_stime)
        self.memory_bytes = max(self.memory_bytes, ended.ru_maxrss * 1024)
        self._look_at_directory()
        self._compare(memory=False)

    def _look_at_processes(self, members: list[int]) -> None:
        tasks = ticks = pages = 0
        for pid in members:
            try:
                fields = fields_of(pid)
            except OSError:  # it has ended since
                continue
            if fields[0] != b"Z":
                tasks += int(fields[17])
                pages += int(fields[21])
            ticks += sum(int(field) for field in fields[11:15])
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu_s = max(self.cpu_s, ended.ru_utime + ended.ru_stime + ticks / _TICKS_PER_S)
        self.processes = max(self.processes, tasks)
        memory = pages * _PAGE_BYTES
        if memory > self._plan.memory_bytes:  # pages that processes share were counted once for each
            memory = sum(_proportional_bytes(pid) for pid in members)
        self.memory_bytes = max(self.memory_bytes, memory)

    def _look_at_directory(self) -> None:
        if self._plan.namespaces != NONE:
            used = os.statvfs(self._plan.scratch)
            self.disk_bytes = max(self.disk_bytes, (used.f_blocks - used.f_bfree) * used.f_frsize)
            self.files = max(self.files, used.f_files - used.f_ffree - 1)
        else:
            disk, files = _walk(self._plan.scratch, self._plan.files)
            self.disk_bytes = max(self.disk_bytes, disk)
            self.files = max(self.files, files)

    def _compare(self, *, memory: bool = True) -> None:
        plan = self._plan
        broken = (
            (PROCESSES, self.processes > plan.processes),
            (MEMORY, memory and self.memory_bytes > plan.memory_bytes),
            (CPU, self.cpu_s >= plan.cpu_s),
            (DISK, self.disk_bytes > plan.disk_bytes),
            (FILES, self.files > plan.files),
        )
        for limit, is_broken in broken:
            if is_broken and not self.breach:
                self.breach = limit


def _proportional_bytes(pid: int) -> int:
    """Memory of a process, its share of what it shares; as long as it lets itself be asked, else all of it."""
    try:
        descriptor = os.open(f"/proc/{pid}/smaps_rollup", os.O_RDONLY)
    except OSError:
        return _own_bytes(pid)
    try:
        lines = os.read(descriptor, 8192).splitlines()
    except OSError:
        return 0
    finally:
        os.close(descriptor)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:"))


def _own_bytes(pid: int) -> int:
    try:
        descriptor = os.open(f"/proc/{pid}/status", os.O_RDONLY)
    except OSError:
        return 0
    try:
        lines = os.read(descriptor, 8192).splitlines()
    finally:
        os.close(descriptor)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith((b"RssAnon:", b"RssShmem:")))


def _walk(top: str, files_max: int) -> tuple[int, int]:
    """Bytes and number of the files below `top`. What cannot be measured counts as more than is allowed."""
    disk = files = 0
    waiting = [top]
    while waiting and files <= files_max:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    files += 1
                    disk += _bytes_of(entry)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:  # removed since
            continue
        except OSError:  # made unreadable, or nested too deep
            return disk, files_max + 1
    return disk, files


def _bytes_of(entry: "os.DirEntry[str]") -> int:
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    return 0 if stat.S_ISDIR(found.st_mode) else found.st_blocks * 512
