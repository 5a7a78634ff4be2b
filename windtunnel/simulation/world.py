"""The state of a told simulation, and the few things every part of it does: schedule, emit, look things up."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heappop, heappush
from typing import Any

from windtunnel.domain.architectures import Architecture, NetworkAgent
from windtunnel.domain.events import EventDraft, EventKind, LogLevel, Signal
from windtunnel.simulation.dice import Dice
from windtunnel.simulation.graph import Graph, graph_of
from windtunnel.simulation.work import Fault, Occurrence, Step, Task


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
