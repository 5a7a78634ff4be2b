"""Isolation: what keeps package code in, what that is said to deny, and what was seen of it from inside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class IsolationLevel(StrEnum):
    """How well package code is kept in on a host.

    - FULL: namespaces of its own (files, processes, network, users, IPC) and Landlock.
    - LANDLOCK: the kernel's rules for files, TCP and signals.
    - LOGICAL: data and limits of its own only.
    """

    FULL = "FULL"
    LANDLOCK = "LANDLOCK"
    LOGICAL = "LOGICAL"

    def suffices(self, minimum: "IsolationLevel") -> bool:
        """Whether this is at least as much as `minimum`."""
        levels = list(IsolationLevel)
        return levels.index(self) <= levels.index(minimum)


class Mechanism(StrEnum):
    """One thing that keeps code in or bounds it; each is tried before it is relied on, and can be forced off."""

    NAMESPACES = "namespaces"
    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"
    CGROUP = "cgroup"
    TASK_LIMIT = "task-limit"


class Probe(StrEnum):
    """What is tried from inside, and must not succeed."""

    READ_OTHER_ENVIRONMENT = "read-other-environment"
    READ_PRODUCTION = "read-production"
    WRITE_OUTSIDE = "write-outside"
    LIST_PROCESSES = "list-processes"
    READ_PARENT_ENVIRONMENT = "read-parent-environment"
    SIGNAL_PARENT = "signal-parent"
    REACH_API = "reach-api"
    REACH_ADDRESS = "reach-address"
    SEND_DATAGRAM = "send-datagram"
    BIND_PORT = "bind-port"
    REACH_HOST_IPC = "reach-host-ipc"
    GAIN_PRIVILEGES = "gain-privileges"


class ProbeOutcome(StrEnum):
    """What became of a probe: DENIED, ALLOWED although it is said to be denied, or not said to be denied here."""

    DENIED = "DENIED"
    ALLOWED = "ALLOWED"
    NOT_ENFORCED = "NOT_ENFORCED"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one probe met; `detail` is one short sentence."""

    probe: Probe
    outcome: ProbeOutcome
    detail: str


@dataclass(frozen=True, slots=True)
class Isolation:
    """What was found to work on this host. `details` has a sentence per mechanism: how it works, or why it does not.

    `landlock_abi` is 0 without Landlock; `bubblewrap` and `cgroup` are paths, empty without.
    """

    level: IsolationLevel
    mechanisms: frozenset[Mechanism] = frozenset()
    details: Mapping[Mechanism, str] = field(default_factory=dict)
    landlock_abi: int = 0
    bubblewrap: str = ""
    cgroup: str = ""


_FILES = frozenset({Probe.READ_OTHER_ENVIRONMENT, Probe.READ_PRODUCTION})
_PROCESSES = frozenset({Probe.LIST_PROCESSES, Probe.READ_PARENT_ENVIRONMENT})
_STREAMS = frozenset({Probe.REACH_API, Probe.REACH_ADDRESS, Probe.BIND_PORT})
_NAMESPACES = (
    _FILES
    | _PROCESSES
    | _STREAMS
    | {Probe.WRITE_OUTSIDE, Probe.SIGNAL_PARENT, Probe.SEND_DATAGRAM, Probe.REACH_HOST_IPC}
)


def claims(mechanism: Mechanism, landlock_abi: int = 0) -> frozenset[Probe]:
    """What the mechanism alone is said to deny; Landlock by the version of its ABI."""
    if mechanism in {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP}:
        return _NAMESPACES
    if mechanism is Mechanism.SECCOMP:
        return _STREAMS | {Probe.SEND_DATAGRAM, Probe.REACH_HOST_IPC, Probe.GAIN_PRIVILEGES}
    if mechanism is Mechanism.LANDLOCK and landlock_abi:
        denied = _FILES | _PROCESSES | {Probe.GAIN_PRIVILEGES}
        if landlock_abi >= 3:  # before, files could be emptied
            denied |= {Probe.WRITE_OUTSIDE}
        if landlock_abi >= 4:
            denied |= _STREAMS
        if landlock_abi >= 6:  # abstract sockets, too, but not those in directories
            denied |= {Probe.SIGNAL_PARENT}
        return denied
    return frozenset()


def claimed(isolation: Isolation) -> frozenset[Probe]:
    """What is said to be denied on this host: at FULL everything, below what its mechanisms deny together."""
    if isolation.level is IsolationLevel.FULL:
        return frozenset(Probe)
    every = (claims(mechanism, isolation.landlock_abi) for mechanism in isolation.mechanisms)
    return frozenset[Probe]().union(*every)


def level_of(mechanisms: frozenset[Mechanism]) -> IsolationLevel:
    """The level that these mechanisms make up. Namespaces without Landlock are not enough for FULL."""
    if Mechanism.LANDLOCK not in mechanisms:
        return IsolationLevel.LOGICAL
    if mechanisms & {Mechanism.NAMESPACES, Mechanism.BUBBLEWRAP}:
        return IsolationLevel.FULL
    return IsolationLevel.LANDLOCK


def judge(isolation: Isolation, probe: Probe, *, succeeded: bool, detail: str) -> ProbeResult:
    """What it means that the probe succeeded, or did not, under this isolation."""
    if not succeeded:
        outcome = ProbeOutcome.DENIED
    elif probe in claimed(isolation):
        outcome = ProbeOutcome.ALLOWED
    else:
        outcome = ProbeOutcome.NOT_ENFORCED
    return ProbeResult(probe, outcome, detail)
