"""An environment: an isolated, expiring copy of production's configuration, in which simulations run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from windtunnel.domain.isolation import IsolationLevel, ProbeResult
from windtunnel.domain.production import Snapshot


class EnvironmentStatus(StrEnum):
    """PROVISIONING -> READY <-> PAUSED -> EXPIRING -> DELETING <-> DELETE_STUCK; DELETING -> DELETED.

    What cannot be made, or has lost what it is made of, is FAILED, and then DELETING by itself. A person may delete any
    that is not on its way out already.
    """

    PROVISIONING = "PROVISIONING"
    READY = "READY"
    PAUSED = "PAUSED"
    FAILED = "FAILED"
    EXPIRING = "EXPIRING"
    DELETING = "DELETING"
    DELETE_STUCK = "DELETE_STUCK"
    DELETED = "DELETED"


LIVE_STATUSES = frozenset({EnvironmentStatus.PROVISIONING, EnvironmentStatus.READY, EnvironmentStatus.PAUSED})
"""What is not on its way out."""
USABLE_STATUSES = frozenset({EnvironmentStatus.READY, EnvironmentStatus.PAUSED})
"""What has a database that can be read."""


class Ending(StrEnum):
    """Why an environment ends: somebody deleted it, its time was over, or it could not be made or kept."""

    PERSON = "PERSON"
    EXPIRY = "EXPIRY"
    FAILURE = "FAILURE"


class ResourceKind(StrEnum):
    """What an environment is made of."""

    DIRECTORY = "DIRECTORY"
    DATABASE = "DATABASE"
    CHANNEL = "CHANNEL"
    PACKAGE = "PACKAGE"


class ResourceStatus(StrEnum):
    """INTENDED before it is made, CREATED once it is there, REMOVED once it is seen to be absent."""

    INTENDED = "INTENDED"
    CREATED = "CREATED"
    REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that an environment is made of. `locator` says where it is, in its kind's terms."""

    key: str
    kind: ResourceKind
    locator: str
    status: ResourceStatus
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentKey:
    """What opens what belongs to an environment; `password` is empty where none is needed."""

    namespace: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class EnvironmentLimits:
    """What may be used: `cpu` cores by one run of code, memory by one run, storage by the environment, runs at once."""

    cpu: float = 1.0
    memory_mb: int = 512
    storage_mb: int = 256
    max_simulations: int = 5


@dataclass(frozen=True, slots=True)
class IsolationReport:
    """How well code is kept in, as it was seen when the environment was made; `minimum` is what the tenant wants.

    `not_enforced` are the limits that the host cannot hold exactly. Code runs only where `level` suffices.
    """

    level: IsolationLevel
    minimum: IsolationLevel
    verified_at: datetime
    probes: tuple[ProbeResult, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    not_enforced: tuple[str, ...] = ()

    @property
    def allows_code(self) -> bool:
        """Whether package code may run here."""
        return self.level.suffices(self.minimum)


@dataclass(frozen=True, slots=True)
class EnvironmentUsage:
    """What was used so far: simulations finished, model tokens in them, CPU of code, bytes kept at the last look."""

    simulations: int = 0
    tokens: int = 0
    cpu_ms: int = 0
    storage_bytes: int = 0


@dataclass(frozen=True, slots=True)
class TotalUsage:
    """What all environments of a tenant have used, over the time that they were there, added up."""

    existed: timedelta
    used: EnvironmentUsage


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment as stored. `fence` rises with each process that works on it, so that a slow one cannot write.

    `namespace` names everything that belongs to it. `work_seq` rises when something is to be done in it, `worked_seq`
    follows when nothing is left to do. `remaining` is what could not be removed yet, `receipt` the proof (JSON) that
    nothing remains. `due_at` is when a process should look at it again.
    """

    id: str
    tenant_id: str
    slot: int
    namespace: str
    name: str
    status: EnvironmentStatus
    created_at: datetime
    created_by: str
    request_id: str
    provision_by: datetime
    expires_at: datetime
    limits: EnvironmentLimits
    snapshot: Snapshot
    snapshot_digest: str
    due_at: datetime
    ready_at: datetime | None = None
    isolation: IsolationReport | None = None
    sealed_password: str | None = None
    failure: str | None = None
    usage: EnvironmentUsage = EnvironmentUsage()
    ended_by: Ending | None = None
    cleanup_started_at: datetime | None = None
    remaining: Sequence[str] = ()
    deleted_at: datetime | None = None
    receipt: str | None = None
    receipt_digest: str | None = None
    attempts: int = 0
    work_seq: int = 0
    worked_seq: int = 0
    last_seq: int = 0
    fence: int = 0
    lease_owner: str | None = None

    @property
    def is_over(self) -> bool:
        """True once no further event can follow."""
        return self.status is EnvironmentStatus.DELETED

    def existed(self, now: datetime) -> timedelta:
        """For how long it has been there by `now`, or was: from the request until nothing remained."""
        return (self.deleted_at or now) - self.created_at


@dataclass(frozen=True, slots=True)
class EnvironmentFilter:
    """Which environments are wanted; None: any."""

    statuses: frozenset[EnvironmentStatus] | None = None
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentEventDraft:
    """An event before it has a number. `progress` is 0 to 1, of what is being done: making it, or taking it away."""

    status: EnvironmentStatus
    step: str
    message: str
    progress: float


@dataclass(frozen=True, slots=True)
class EnvironmentEvent:
    """Something that happened to an environment, numbered without gaps."""

    environment_id: str
    seq: int
    at: datetime
    status: EnvironmentStatus
    step: str
    message: str
    progress: float
