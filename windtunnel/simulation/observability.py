"""From stored events to what an observer asks for: logs, metric series, spans and a summary."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from windtunnel.domain.events import LOG_LEVELS, EventKind, LogLevel, Signal, SimulationEvent
from windtunnel.domain.observability import (
    LogRecord,
    MetricPoint,
    MetricSeries,
    ObservabilitySummary,
    Span,
    SpanStatus,
)
from windtunnel.domain.prices import ModelPrice
from windtunnel.simulation import semconv


def logs(
    events: Iterable[SimulationEvent],
    *,
    min_level: LogLevel = LogLevel.INFO,
    agent_key: str | None = None,
    after_seq: int = 0,
    first: int | None = None,
) -> list[LogRecord]:
    """The log records of at least this level (of one agent), in order: at most `first` of those after `after_seq`."""
    wanted = LOG_LEVELS[LOG_LEVELS.index(min_level) :]
    found: list[LogRecord] = []
    for event in _observations(events, Signal.LOG):
        if first is not None and len(found) >= first:
            break
        level = LogLevel(event.body["level"])
        if event.seq > after_seq and level in wanted and agent_key in {None, event.agent_key}:
            found.append(
                LogRecord(event.seq, event.at, level, event.agent_key, event.message, event.body["attributes"])
            )
    return found


def metric_series(events: Iterable[SimulationEvent], names: Sequence[str] | None = None) -> list[MetricSeries]:
    """One series per metric and agent, ordered by first appearance; with `names` only those metrics."""
    points: dict[tuple[str, str, str | None], list[MetricPoint]] = {}
    for event in _observations(events, Signal.METRIC):
        name = event.body["name"]
        if names is None or name in names:
            key = (name, event.body["attributes"].get("unit", ""), event.agent_key)
            points.setdefault(key, []).append(MetricPoint(event.at, event.body["value"]))
    return [MetricSeries(name, unit, agent, tuple(found)) for (name, unit, agent), found in points.items()]


def spans(events: Iterable[SimulationEvent], started_at: datetime) -> list[Span]:
    """The spans, ordered by start; `started_at` is the wall clock at which simulated time began."""
    found: list[Span] = []
    for event in _observations(events, Signal.TRACE):
        span = event.body["attributes"]
        found.append(
            Span(
                span_id=span["span_id"],
                parent_span_id=span["parent_span_id"],
                trace_id=span["trace_id"],
                name=event.body["name"],
                agent_key=event.agent_key,
                started_at=started_at + timedelta(milliseconds=span["start_ms"]),
                ended_at=started_at + timedelta(milliseconds=span["end_ms"]),
                status=SpanStatus(span["status"]),
                attributes=span["attributes"],
            )
        )
    # A parent is told after its children; in a listing it belongs before them.
    return sorted(found, key=lambda span: (span.started_at, -span.ended_at.timestamp()))


def summary(events: Iterable[SimulationEvent], price: ModelPrice | None = None) -> ObservabilitySummary:
    """The run in numbers. `failures` counts failure events, `recovered` recoveries; without a price, no cost."""
    counts = dict.fromkeys(EventKind, 0)
    used = {semconv.INPUT_TOKENS: 0, semconv.OUTPUT_TOKENS: 0}
    steps: list[float] = []
    total = 0
    for event in events:
        total += 1
        counts[event.kind] += 1
        if event.kind is EventKind.AGENT_END:
            steps.append(float(event.body["duration_ms"] or 0))
        elif event.kind is EventKind.OBSERVABILITY and event.body["name"] == semconv.TOKEN_USAGE:
            for name in used:
                used[name] += int(event.body["attributes"][name])
    steps.sort()
    return ObservabilitySummary(
        events=total,
        tool_calls=counts[EventKind.TOOL_USED],
        failures=counts[EventKind.FAILURE_EVENT],
        recovered=counts[EventKind.RECOVERY],
        tokens=sum(used.values()),
        cost_usd=price.cost_usd(*used.values()) if price else None,
        p50_step_ms=_quantile(steps, 0.5),
        p95_step_ms=_quantile(steps, 0.95),
    )


def tokens_in(events: Iterable[SimulationEvent]) -> int:
    """How many tokens the models were asked to read and write in these events."""
    used = (
        event.body["attributes"]
        for event in events
        if event.kind is EventKind.OBSERVABILITY and event.body["name"] == semconv.TOKEN_USAGE
    )
    return sum(int(each[semconv.INPUT_TOKENS]) + int(each[semconv.OUTPUT_TOKENS]) for each in used)


def _observations(events: Iterable[SimulationEvent], signal: Signal) -> Iterator[SimulationEvent]:
    for event in events:
        if event.kind is EventKind.OBSERVABILITY and event.body["signal"] == signal:
            yield event


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between the two nearest values; 0 for none."""
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
