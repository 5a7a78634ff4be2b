"""The state of a told simulation, and the few things every part of it does: schedule, emit, look things up."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heappop, heappush
from typing import Any

from windtunnel.domain.architectures import Architecture, Link, NetworkAgent, Tool
from windtunnel.domain.events import EventDraft, EventKind, LogLevel, Signal, StepStatus
from windtunnel.domain.failures import FailureMode, FailureOutcome, Inject
from windtunnel.simulation.dice import Dice
from windtunnel.simulation.graph import Graph, graph_of


class Act(Enum):
    """What the engine does next; `run.py` says who does it."""

    TASK_BEGINS = auto()
    WORK_ARRIVES = auto()
    STEP_QUEUES = auto()
    OPERATION_ENDS = auto()
    STEP_LEAVES = auto()
    SERVER_FREED = auto()
    FOREIGN_DONE = auto()
    MESSAGE_RESENT = auto()
    RUN_CLOSES = auto()


class Site(Enum):
    """Where a fault strikes: an agent's own work, a tool call, or a link."""

    WORK = auto()
    TOOL = auto()
    LINK = auto()


@dataclass(slots=True, eq=False)
class Fault:
    """A failure mode that waits for its opportunity. `targets` are agents; `certain` ones are owed to the user."""

    mode: FailureMode
    targets: frozenset[int]
    tool: str | None
    site: Site
    from_task: int
    certain: bool
    number: int
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


@dataclass(slots=True, eq=False)
class Station:
    """An agent's places for work at once, and the queue before them. A number in the queue is foreign work."""

    servers: int
    busy: int = 0
    queue: deque[Step | float] = field(default_factory=deque)
    waited_ms: float = 0.0
    worked_ms: float = 0.0


@dataclass(eq=False)
class World:
    """Everything that changes while a told simulation runs. `now_ms` is simulated time."""

    architecture: Architecture
    seed: int
    dice: Dice
    graph: Graph
    stations: list[Station]
    now_ms: float = 0.0
    emitted: int = 0
    scheduled: int = 0
    agenda: list[tuple[float, int, Act, Any]] = field(default_factory=list)
    drafts: list[EventDraft] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    armed: int = 0
    occurrences: list[Occurrence] = field(default_factory=list)
    outages: dict[tuple[int | None, str | None], tuple[float, Occurrence]] = field(default_factory=dict)
    breakers: dict[tuple[int, str | None], tuple[float, Occurrence | None]] = field(default_factory=dict)
    cascading: bool = True
    step_ms: list[float] = field(default_factory=list)

    def schedule(self, at_ms: float, act: Act, subject: Any = None) -> None:
        """Have the engine do something at a simulated time; equal times are served in the order of scheduling."""
        self.scheduled += 1
        heappush(self.agenda, (at_ms, self.scheduled, act, subject))

    def next(self) -> tuple[Act, Any]:
        """Take the next thing to do and move simulated time there."""
        self.now_ms, _, act, subject = heappop(self.agenda)
        return act, subject

    def emit(self, kind: EventKind, message: str, body: Mapping[str, Any], agent: int | None = None) -> None:
        """Add an event at the current simulated time."""
        key = None if agent is None else self.graph.agents[agent].key
        self.emitted += 1
        self.drafts.append(EventDraft(kind, message, body, round(self.now_ms, 3), key))

    def observe(
        self,
        signal: Signal,
        message: str,
        name: str,
        *,
        agent: int | None = None,
        level: LogLevel = LogLevel.INFO,
        value: float | None = None,
        attributes: Mapping[str, Any],
    ) -> None:
        """Add an observation at the current simulated time."""
        body = {"signal": signal, "level": level, "name": name, "value": value, "attributes": dict(attributes)}
        self.emit(EventKind.OBSERVABILITY, message, body, agent)

    def agent(self, node: int) -> NetworkAgent:
        """The agent with this number."""
        return self.graph.agents[node]

    def is_crowded(self) -> bool:
        """True once so much was told that no further loop or fan-out may begin."""
        return self.emitted > CROWDED_EVENTS


CROWDED_EVENTS = 6_000
"""Past so many events work only moves on, so that every run stays within 20,000 events."""


def world_of(architecture: Architecture, seed: int) -> World:
    """The state before anything happened."""
    stations = [Station(max(1, agent.policy.concurrency)) for agent in architecture.agents]
    return World(architecture, seed, Dice(seed), graph_of(architecture), stations)
