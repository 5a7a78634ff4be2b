"""What a simulation lets you observe: log records, metric series, spans and a summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from windtunnel.domain.events import LogLevel


class SpanStatus(StrEnum):
    """How a span ended, in OpenTelemetry's words."""

    UNSET = "UNSET"
    OK = "OK"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log line. `seq` is the number of the event that carried it, `at` the wall clock when it was stored."""

    seq: int
    at: datetime
    level: LogLevel
    agent_key: str | None
    message: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One measurement, in the unit of its series."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """The measurements of one metric at one agent, in the order they were stored. `unit` is a UCUM unit."""

    name: str
    unit: str
    agent_key: str | None
    points: tuple[MetricPoint, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A timed piece of work. Its times are the start of the simulation plus simulated time."""

    span_id: str
    parent_span_id: str | None
    trace_id: str
    name: str
    agent_key: str | None
    started_at: datetime
    ended_at: datetime
    status: SpanStatus
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ObservabilitySummary:
    """The run in numbers. `failures` and `recovered` count events; step durations are simulated milliseconds."""

    events: int
    tool_calls: int
    failures: int
    recovered: int
    tokens: int
    cost_usd: float | None
    p50_step_ms: float
    p95_step_ms: float
