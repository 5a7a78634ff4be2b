"""Simulated telemetry, computed from the stored events."""

from collections.abc import Sequence

from resolvers.context import Context
from resolvers.loaders import Stretch
from resolvers.runs import Reading
from resolvers.simulations import check_after, check_first
from windtunnel.domain.events import EventKind, LogLevel
from windtunnel.domain.observability import LogRecord, MetricSeries, ObservabilitySummary, Span
from windtunnel.domain.policy import EVENTS_PAGE_MAX
from windtunnel.domain.simulations import Simulation
from windtunnel.simulation import observability

OBSERVATIONS = frozenset({EventKind.OBSERVABILITY})


async def logs(
    context: Context, simulation: Simulation, *, first: int, after_seq: int, min_level: LogLevel, agent_key: str | None
) -> list[LogRecord]:
    """At most `first` log records after an event, this severe or more, of one agent or all."""
    check_first(first)
    check_after(after_seq, "afterSeq")
    found: list[LogRecord] = []
    while True:
        stretch = Stretch(after_seq, EVENTS_PAGE_MAX, OBSERVATIONS)
        events = await context.loaders.events.load(simulation.id, stretch)
        found += observability.logs(events, min_level=min_level, agent_key=agent_key, first=first - len(found))
        if len(found) >= first or len(events) < EVENTS_PAGE_MAX:
            return found
        after_seq = events[-1].seq


async def metrics(context: Context, simulation: Simulation, names: Sequence[str] | None) -> list[MetricSeries]:
    """One series per metric and agent; only those of these names when given."""
    wanted = None if names is None else tuple(names)
    reading = Reading("metrics", (wanted,), lambda events: observability.metric_series(events, wanted))
    return await context.loaders.runs.read(simulation, reading)


async def traces(context: Context, simulation: Simulation) -> list[Span]:
    """The spans of the whole run; none before it has started."""
    started = simulation.started_at
    if started is None:
        return []
    reading = Reading("spans", (), lambda events: observability.spans(events, started))
    return await context.loaders.runs.read(simulation, reading)


async def summary(context: Context, simulation: Simulation) -> ObservabilitySummary:
    """The run in numbers, so far."""
    price = context.services.price
    reading = Reading("summary", (), lambda events: observability.summary(events, price))
    return await context.loaders.runs.read(simulation, reading)
