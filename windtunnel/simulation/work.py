"""Work and what can happen to it: tasks, the steps and operations they consist of, faults and how they struck."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Any

from windtunnel.domain.architectures import Link, Tool
from windtunnel.domain.events import StepStatus
from windtunnel.domain.failures import FailureMode, FailureOutcome, Inject


class Origin(StrEnum):
    """Why a fault is there: the plan foresaw it, someone asked for it, or another failure dragged it along."""

    PLANNED = "planned"
    ASKED_FOR = "asked_for"
    CASCADE = "cascade"


class Site(Enum):
    """Where a fault strikes: an agent's own work, a tool call, or a link."""

    WORK = auto()
    TOOL = auto()
    LINK = auto()


@dataclass(slots=True, eq=False)
class Fault:
    """A failure mode that waits for its opportunity. `targets` are agents; a `certain` one must show in the end."""

    mode: FailureMode
    targets: frozenset[int]
    tool: str | None
    site: Site
    from_task: int
    certain: bool
    origin: Origin
    cause: "Occurrence | None" = None


@dataclass(slots=True, eq=False)
class Occurrence:
    """A fault that struck. It stays open until it is recovered from, degraded the result, or proved final."""

    fault: Fault
    name: str
    task: "Task"
    node: int
    tool: str | None
    at_ms: float
    noticed: bool
    outcome: FailureOutcome | None = None
    ending: str = ""

    @property
    def mode(self) -> FailureMode:
        """What struck."""
        return self.fault.mode


@dataclass(slots=True, eq=False)
class Operation:
    """One thing an agent does within a step: its own work (`tool` None) or a tool call, with all its attempts."""

    tool: Tool | None = None
    again: int = 0
    foreign: Inject | None = None
    attempt: int = 0
    first_ms: float = 0.0
    began_ms: float = 0.0
    error: str | None = None
    damage: Inject | None = None
    spoils: int = 0
    retryable: bool = True
    skipped: bool = False
    held: bool = False
    struck: Occurrence | None = None
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True, eq=False)
class Step:
    """One agent working once on one task. `onward` limits where it may lead (None: the agent's own choice)."""

    task: "Task"
    node: int
    visit: int
    flaws: list[Occurrence]
    onward: tuple[Link, ...] | None = None
    forced: Fault | None = None
    operations: list[Operation] = field(default_factory=list)
    place: int = 0
    queued_ms: float = 0.0
    waited_ms: float = 0.0
    started_ms: float | None = None
    status: StepStatus = StepStatus.OK
    error: str | None = None
    degraded: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    retries: list[dict[str, Any]] = field(default_factory=list)
    finished: list[dict[str, Any]] = field(default_factory=list)
    rework: Link | None = None

    @property
    def operation(self) -> Operation:
        """What the agent is doing."""
        return self.operations[self.place]


@dataclass(slots=True, eq=False)
class Gathering:
    """Work that waits at an agent until nothing that may still join it is under way.

    `mask` are the agents it waits for; `future` are those that it may visit afterwards. `called` work came back to
    its caller, who goes on along `onward`; `arrived` is false while only the caller itself waits.
    """

    node: int
    mask: int
    future: int
    flaws: list[Occurrence]
    onward: tuple[Link, ...] | None = None
    called: bool = False
    arrived: bool = True


@dataclass(slots=True, eq=False)
class Task:
    """One piece of work walking through the network."""

    number: int
    entries: tuple[int, ...]
    forced: Fault | None = None
    begun_ms: float = 0.0
    ended_ms: float | None = None
    steps: list[Step] = field(default_factory=list)
    moving: list[int] = field(default_factory=list)
    gatherings: list[Gathering] = field(default_factory=list)
    visits: dict[int, int] = field(default_factory=dict)
    loops: dict[str, int] = field(default_factory=dict)
    delivered: int = 0
    lost: int = 0
    degraded: bool = False
    flaws: list[Occurrence] = field(default_factory=list)

    @property
    def name(self) -> str:
        """How events call it."""
        return f"task-{self.number}"

    @property
    def title(self) -> str:
        """How sentences call it."""
        return f"task {self.number}"
