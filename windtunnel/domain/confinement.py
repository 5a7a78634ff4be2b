"""Confinement: how much package code may use, what it used, and which of its limits a host cannot hold."""

from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.isolation import Isolation, Mechanism


class Limit(StrEnum):
    """What a run can break; the run ends, and says which one it was."""

    MEMORY = "memory"
    CPU = "cpu"
    WALL = "wall"
    FILES = "files"
    OUTPUT = "output"
    PROCESSES = "processes"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use, all of its processes together; each run has a wall time besides.

    `processes` counts threads too. `files` and `disk_bytes` are what there is in its own directory at a time.
    """

    memory_bytes: int = 256 * 1024 * 1024
    cpu_s: float = 30.0
    processes: int = 32
    files: int = 1_000
    disk_bytes: int = 64 * 1024 * 1024
    output_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run used. `max_rss_bytes` and `processes` are the most that were seen at a time."""

    cpu_s: float = 0.0
    max_rss_bytes: int = 0
    wall_s: float = 0.0
    output_bytes: int = 0
    disk_bytes: int = 0
    processes: int = 0


def not_enforced(isolation: Isolation) -> frozenset[Limit]:
    """The limits that this host cannot hold exactly.

    They are watched all the same, and a run that is seen to break one ends; but between two looks it can get further.
    """
    loose = set()
    if Mechanism.NAMESPACES not in isolation.mechanisms:
        loose.add(Limit.FILES)
        if Mechanism.BUBBLEWRAP not in isolation.mechanisms:
            loose.add(Limit.DISK)  # no file system of a fixed size
    if Mechanism.TASK_LIMIT not in isolation.mechanisms:
        loose.add(Limit.PROCESSES)
    return frozenset(loose)
