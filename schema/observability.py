"""Simulated telemetry: logs, metrics, traces and a summary, read from the stored events when asked for."""

from datetime import datetime
from typing import Annotated, Self

import strawberry
from strawberry.scalars import JSON

from resolvers import observability
from schema.fields import resolved
from schema.info import Info, given
from windtunnel.domain import observability as domain
from windtunnel.domain.events import LogLevel
from windtunnel.domain.observability import SpanStatus
from windtunnel.domain.simulations import Simulation


@strawberry.type(description="One log line.")
class LogRecord:
    """Shows `observability.LogRecord`."""

    seq: int = strawberry.field(description="Number of the event that carried it.")
    at: datetime = strawberry.field(description="When that was stored.")
    level: LogLevel = strawberry.field(description="Its severity.")
    agent_key: str | None = strawberry.field(description="The agent that wrote it, where one did.")
    message: str = strawberry.field(description="The line.")
    attributes: JSON = strawberry.field(description="What else is known, in OpenTelemetry's words.")

    @classmethod
    def of(cls, record: domain.LogRecord) -> Self:
        """The record as data."""
        return cls(
            seq=record.seq,
            at=record.at,
            level=record.level,
            agent_key=record.agent_key,
            message=record.message,
            attributes=JSON(record.attributes),
        )


@strawberry.type(description="One measurement.")
class MetricPoint:
    """Shows `observability.MetricPoint`."""

    at: datetime = strawberry.field(description="When it was stored.")
    value: float = strawberry.field(description="The value, in the unit of its series.")


@strawberry.type(description="The measurements of one metric at one agent, in order.")
class MetricSeries:
    """Shows `observability.MetricSeries`."""

    name: str = strawberry.field(description="Name of the metric.")
    unit: str = strawberry.field(description="UCUM unit, e.g. ms.")
    agent_key: str | None = strawberry.field(description="The agent that was measured; null for the whole run.")
    points: list[MetricPoint] = strawberry.field(description="The measurements.")

    @classmethod
    def of(cls, series: domain.MetricSeries) -> Self:
        """The series as data."""
        points = [MetricPoint(at=point.at, value=point.value) for point in series.points]
        return cls(name=series.name, unit=series.unit, agent_key=series.agent_key, points=points)


@strawberry.type(description="OpenTelemetry-shaped span: a timed piece of work.")
class Span:
    """Shows `observability.Span`."""

    span_id: str = strawberry.field(description="Id in its trace, 16 hex digits.")
    parent_span_id: str | None = strawberry.field(description="The span that it is part of; null for the root.")
    trace_id: str = strawberry.field(description="Id of the trace, 32 hex digits.")
    name: str = strawberry.field(description="What was done, and by whom or with what.")
    agent_key: str | None = strawberry.field(description="The agent at work, where there is one.")
    started_at: datetime = strawberry.field(description="Start of the run plus simulated time.")
    ended_at: datetime = strawberry.field(description="Start of the run plus simulated time.")
    status: SpanStatus = strawberry.field(description="How it ended.")
    attributes: JSON = strawberry.field(description="What else is known, in OpenTelemetry's words.")

    @classmethod
    def of(cls, span: domain.Span) -> Self:
        """The span as data."""
        return cls(
            span_id=span.span_id,
            parent_span_id=span.parent_span_id,
            trace_id=span.trace_id,
            name=span.name,
            agent_key=span.agent_key,
            started_at=span.started_at,
            ended_at=span.ended_at,
            status=span.status,
            attributes=JSON(span.attributes),
        )


@strawberry.type(description="The run in numbers.")
class ObservabilitySummary:
    """Shows `observability.ObservabilitySummary`."""

    events: int = strawberry.field(description="Stored events.")
    tool_calls: int = strawberry.field(description="Tool calls.")
    failures: int = strawberry.field(description="Failures that showed.")
    recovered: int = strawberry.field(description="Failures that were dealt with.")
    tokens: int = strawberry.field(description="Tokens in and out of the simulated models.")
    cost_usd: float | None = strawberry.field(description="Null without a price table.")
    p50_step_ms: float = strawberry.field(description="Half of the steps took no longer than this simulated time.")
    p95_step_ms: float = strawberry.field(description="95 % of the steps took no longer than this simulated time.")

    @classmethod
    def of(cls, summary: domain.ObservabilitySummary) -> Self:
        """The summary as data."""
        return cls(
            events=summary.events,
            tool_calls=summary.tool_calls,
            failures=summary.failures,
            recovered=summary.recovered,
            tokens=summary.tokens,
            cost_usd=summary.cost_usd,
            p50_step_ms=summary.p50_step_ms,
            p95_step_ms=summary.p95_step_ms,
        )


@strawberry.type(description="Simulated telemetry of the run.")
class Observability:
    """What one simulation lets you observe."""

    simulation: strawberry.Private[Simulation]

    @resolved("Log records in order.")
    async def logs(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="At most so many, 1 to 1000.")] = 100,
        after_seq: Annotated[int | None, strawberry.argument(description="Only those after this event.")] = 0,
        min_level: Annotated[LogLevel | None, strawberry.argument(description="Only this severe or more.")] = (
            LogLevel.INFO
        ),
        agent_key: Annotated[str | None, strawberry.argument(description="Only those of this agent.")] = (
            strawberry.UNSET
        ),
    ) -> list[LogRecord]:
        """Read page by page until there are enough."""
        records = await observability.logs(
            info.context,
            self.simulation,
            first=100 if first is None else first,
            after_seq=after_seq or 0,
            min_level=min_level or LogLevel.DEBUG,
            agent_key=given(agent_key),
        )
        return [LogRecord.of(record) for record in records]

    @resolved("Measurements, one series per metric and agent.")
    async def metrics(
        self,
        info: Info,
        names: Annotated[list[str] | None, strawberry.argument(description="Only these metrics.")] = strawberry.UNSET,
    ) -> list[MetricSeries]:
        """Read from the whole run."""
        return [
            MetricSeries.of(series)
            for series in await observability.metrics(info.context, self.simulation, given(names))
        ]

    @resolved("Spans of the whole run, in the order in which they start.")
    async def traces(self, info: Info) -> list[Span]:
        """Read from the whole run."""
        return [Span.of(span) for span in await observability.traces(info.context, self.simulation)]

    @resolved("The run in numbers.")
    async def summary(self, info: Info) -> ObservabilitySummary:
        """Read from the whole run."""
        return ObservabilitySummary.of(await observability.summary(info.context, self.simulation))
