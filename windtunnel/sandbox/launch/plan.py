"""The plan of a run: everything that the launcher has to know, as it travels to it."""

import marshal
import os

_HEAD_BYTES = 8

OWN = "own"
BUBBLEWRAP = "bubblewrap"
WITHIN_BUBBLEWRAP = "within-bubblewrap"
NONE = ""


class Plan:
    """What is to be run, behind what, and up to which limits. A plain class: dataclasses take long to import.

    `namespaces` is one of the words above. `user` is the host's user (and group) that code is in own namespaces, -1 for
    who we are. `cgroup` is the inherited file descriptor of the list of processes to be on, -1 for none.
    `scratch` is the run's own directory as it is called inside; `readable` are the host's paths that can be read.
    `tasks` bounds processes and threads by rlimit (0: not at all), `processes` is where the run is ended.
    `record` is the inherited file descriptor of the run's record; `look_every_s` is how often the run is looked at.
    """

    def __init__(
        self,
        *,
        command: tuple[str, ...],
        variables: tuple[tuple[str, str], ...],
        cwd: str,
        scratch: str,
        readable: tuple[str, ...],
        namespaces: str,
        bubblewrap: str,
        landlock: bool,
        seccomp: bool,
        cgroup: int,
        user: int,
        memory_bytes: int,
        cpu_s: float,
        wall_s: float,
        processes: int,
        tasks: int,
        files: int,
        disk_bytes: int,
        grace_s: float,
        parent: int,
        record: int,
        interpreter: tuple[str, ...],
        look_every_s: float,
    ) -> None:
        self.command = command
        self.variables = variables
        self.cwd = cwd
        self.scratch = scratch
        self.readable = readable
        self.namespaces = namespaces
        self.bubblewrap = bubblewrap
        self.landlock = landlock
        self.seccomp = seccomp
        self.cgroup = cgroup
        self.user = user
        self.memory_bytes = memory_bytes
        self.cpu_s = cpu_s
        self.wall_s = wall_s
        self.processes = processes
        self.tasks = tasks
        self.files = files
        self.disk_bytes = disk_bytes
        self.grace_s = grace_s
        self.parent = parent
        self.record = record
        self.interpreter = interpreter
        self.look_every_s = look_every_s

    def to_bytes(self) -> bytes:
        """The plan as `read_plan` takes it, in an interpreter of the same version."""
        body = marshal.dumps(vars(self))
        return len(body).to_bytes(_HEAD_BYTES, "little") + body


def read_plan(descriptor: int) -> Plan:
    """The plan at the beginning of what can be read there; not a byte more is read. Raises EOFError."""
    length = int.from_bytes(_read(descriptor, _HEAD_BYTES), "little")
    return Plan(**marshal.loads(_read(descriptor, length)))  # noqa: S302 - from the process that started this one


def _read(descriptor: int, length: int) -> bytes:
    parts = []
    while length:
        part = os.read(descriptor, length)
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
