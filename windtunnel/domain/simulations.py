"""A simulation: one execution of an architecture in simulated time, and its legal states."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.exercises import Exercise
from windtunnel.domain.failures import FailureMode
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.planning import PlannerMode


class SimulationStatus(StrEnum):
    """PLANNING -> QUEUED -> RUNNING -> SUCCEEDED; FAILED and CANCELLED end it from any of them."""

    QUEUED = "QUEUED"
    PLANNING = "PLANNING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


OPEN_STATUSES = frozenset({SimulationStatus.PLANNING, SimulationStatus.QUEUED, SimulationStatus.RUNNING})
WAITING_STATUSES = frozenset({SimulationStatus.PLANNING, SimulationStatus.QUEUED})
FINAL_STATUSES = frozenset(SimulationStatus) - OPEN_STATUSES


class SimulationStage(StrEnum):
    """How far a caller wants to wait."""

    ACCEPTED = "ACCEPTED"
    PLANNED = "PLANNED"
    FINISHED = "FINISHED"


class FailureInjection(StrEnum):
    """Which failures a told simulation meets: planned ones (at least one), none, or only those listed."""

    AUTO = "AUTO"
    NONE = "NONE"
    ONLY_LISTED = "ONLY_LISTED"


@dataclass(frozen=True, slots=True)
class SimulationFailure:
    """Why a simulation FAILED; `stage` is `planning` or `simulating`."""

    code: ErrorCode
    message: str
    stage: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulation as stored. `fence` rises with each new conductor, so that a slow former one cannot write.

    `story_from_seq` is the seq of the last event before the engine's first; 0 until planned. `lease_owner` names who
    plans or conducts it now. `exercise` is None until a package's own code had its turn.
    """

    id: str
    tenant_id: str
    scenario_id: str | None
    architecture_id: str | None
    package_digest: str | None
    status: SimulationStatus
    seed: int
    pace: float
    planner_mode: PlannerMode
    failures: FailureInjection
    inject_failures: tuple[str, ...]
    created_at: datetime
    created_by: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    interpretation: Interpretation | None = None
    narrative: str | None = None
    error: SimulationFailure | None = None
    last_seq: int = 0
    fence: int = 0
    story_from_seq: int = 0
    lease_owner: str | None = None
    environment_id: str | None = None
    exercise: Exercise | None = None

    @property
    def is_over(self) -> bool:
        """True once no further event can follow."""
        return self.status in FINAL_STATUSES


@dataclass(frozen=True, slots=True)
class SimulationFilter:
    """Which simulations are wanted; None: any. `created_after` is exclusive, `created_before` too."""

    scenario_id: str | None = None
    environment_id: str | None = None
    package_digest: str | None = None
    statuses: frozenset[SimulationStatus] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many simulations of a tenant are planned or queued (`waiting`), and how many are `running`."""

    waiting: int
    running: int


@dataclass(frozen=True, slots=True)
class Command:
    """Something a user did to a run under way: inject `mode` at `target` (agent or tool key; None: engine's choice).

    `step` is the engine step before which it takes effect; it is fixed by the conductor in the transaction that
    stores the events of the steps before, so that a later conductor repeats the run exactly. None: not yet fixed.
    """

    number: int
    mode: FailureMode
    target: str | None
    step: int | None
