"""Simulation events: what happened, numbered from 1 without gaps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What kind of thing happened. The body of each kind is fixed; see `EventDraft`."""

    SIMULATION_STARTED = "SIMULATION_STARTED"
    PLANNER_STEP = "PLANNER_STEP"
    ARCHITECTURE_PLANNED = "ARCHITECTURE_PLANNED"
    AGENT_START = "AGENT_START"
    AGENT_END = "AGENT_END"
    TOOL_USED = "TOOL_USED"
    DATA_FLOW = "DATA_FLOW"
    FAILURE_EVENT = "FAILURE_EVENT"
    RECOVERY = "RECOVERY"
    OBSERVABILITY = "OBSERVABILITY"
    NARRATIVE = "NARRATIVE"
    SIMULATION_FINISHED = "SIMULATION_FINISHED"


class StepStatus(StrEnum):
    """How a step stands."""

    STARTED = "STARTED"
    OK = "OK"
    FAILED = "FAILED"
    RETRIED = "RETRIED"
    SKIPPED = "SKIPPED"


class Signal(StrEnum):
    """Which of the three telemetry signals an observation is."""

    LOG = "LOG"
    METRIC = "METRIC"
    TRACE = "TRACE"


class LogLevel(StrEnum):
    """Severity of a log record, in rising order."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


LOG_LEVELS = tuple(LogLevel)


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before it is stored: everything but its number and its wall-clock time.

    Bodies by kind (JSON values, snake_case keys):

    - SIMULATION_STARTED, SIMULATION_FINISHED: `status`
    - PLANNER_STEP: `planner`, `status`, `duration_ms`
    - ARCHITECTURE_PLANNED: `architecture_id`
    - AGENT_START, AGENT_END: `task`, `status`, `duration_ms` (None at the start)
    - TOOL_USED: `tool_key`, `input`, `output`, `status`, `latency_ms`
    - DATA_FLOW: `link_key`, `source_key`, `target_key`, `payload`, `bytes`
    - FAILURE_EVENT, RECOVERY: `failure_key`, `code`, `severity`, `outcome`, `detail`
    - OBSERVABILITY: `signal`, `level`, `name`, `value`, `attributes`
    - NARRATIVE: `text`
    """

    kind: EventKind
    message: str
    body: Mapping[str, Any] = field(default_factory=dict)
    elapsed_ms: float = 0.0
    agent_key: str | None = None


@dataclass(frozen=True, slots=True)
class SimulationEvent:
    """A stored event. `at` is the wall clock when it was stored, `elapsed_ms` simulated time since the start."""

    simulation_id: str
    seq: int
    kind: EventKind
    at: datetime
    elapsed_ms: float
    agent_key: str | None
    message: str
    body: Mapping[str, Any]
