"""A run's measurements as OTLP metrics: the conventions' histograms from its spans, and the plan's own metrics."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)

from windtunnel.domain.events import EventKind, Signal, SimulationEvent
from windtunnel.simulation import semconv
from windtunnel.telemetry.conventions import INSTRUMENTS, SCHEMA_URLS, Instrument
from windtunnel.telemetry.traces import known, told
from windtunnel.telemetry.values import About, attributes, resource, scope

_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_OF_SPANS = frozenset({semconv.OPERATION_DURATION, semconv.TOKEN_USAGE})
_NO_NAME = re.compile(r"[^A-Za-z0-9_./-]")

_Key = tuple[tuple[str, Any], ...]
_Spanned = tuple[str, Mapping[str, Any]]


def metrics(events: Iterable[SimulationEvent], about: About) -> MetricsData:
    """Everything measured, as it stands at the end of the run."""
    events = list(events)
    end_ns = about.nanoseconds(max((event.elapsed_ms for event in events), default=0.0))
    spans = list(_measured_spans(events))
    found = [_histogram(each, spans, about, end_ns) for each in INSTRUMENTS[about.profile]]
    standard = ScopeMetrics(
        scope=scope(),
        schema_url=SCHEMA_URLS[about.profile],
        metrics=[metric for metric in found if metric.histogram.data_points],
    )
    planned = ScopeMetrics(scope=scope(), metrics=list(_planned(events, about)))
    kept = [each for each in (standard, planned) if each.metrics]
    return MetricsData(resource_metrics=[ResourceMetrics(resource=resource(about), scope_metrics=kept)] if kept else [])


def _measured_spans(events: Iterable[SimulationEvent]) -> Iterator[_Spanned]:
    """Each span with the name of the agent whose work it is part of."""
    found = [(event.agent_key, event.body["attributes"]) for event in told(events)]
    names = {key: span["attributes"].get(semconv.AGENT_NAME) for key, span in found if _is_agent(span)}
    for key, span in found:
        yield names.get(key) or "", span


def _is_agent(span: Mapping[str, Any]) -> bool:
    return bool(span["attributes"][semconv.OPERATION_NAME] == semconv.INVOKE_AGENT)


def _histogram(
    instrument: Instrument, spans: Iterable[tuple[str, Mapping[str, Any]]], about: About, end_ns: int
) -> Metric:
    series: dict[_Key, list[float]] = {}
    for agent, span in spans:
        if span["attributes"][semconv.OPERATION_NAME] in instrument.operations:
            given = {semconv.AGENT_NAME: agent, **known(span)}
            key = tuple((name, given[name]) for name in instrument.attributes if name in given)
            for more, value in _values(instrument, span, given):
                series.setdefault(key + more, []).append(value)
    points = [_point(key, values, instrument.bounds, about, end_ns) for key, values in series.items()]
    return Metric(
        name=instrument.name,
        description=instrument.description,
        unit=instrument.unit,
        histogram=Histogram(data_points=points, aggregation_temporality=_CUMULATIVE),
    )


def _values(instrument: Instrument, span: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[tuple[_Key, float]]:
    if not instrument.tokens:
        yield (), round(span["end_ms"] - span["start_ms"], 3) / 1_000
        return
    for name, kind in ((semconv.INPUT_TOKENS, "input"), (semconv.OUTPUT_TOKENS, "output")):
        if name in given:
            yield ((semconv.TOKEN_TYPE, kind),), float(given[name])


def _point(key: _Key, values: list[float], bounds: tuple[float, ...], about: About, end_ns: int) -> HistogramDataPoint:
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1  # a bound belongs to the bucket below it
    return HistogramDataPoint(
        attributes=attributes(key),
        start_time_unix_nano=about.nanoseconds(0),
        time_unix_nano=end_ns,
        count=len(values),
        sum=sum(values),
        min=min(values),
        max=max(values),
        explicit_bounds=bounds,
        bucket_counts=counts,
    )


def _planned(events: Iterable[SimulationEvent], about: About) -> Iterator[Metric]:
    """What the narrator planned to measure: counts add up, everything else is a value of its moment."""
    series: dict[tuple[str, str], list[SimulationEvent]] = {}
    for event in events:
        if event.kind is EventKind.OBSERVABILITY and event.body["signal"] == Signal.METRIC:
            name, unit = event.body["name"], event.body["attributes"].get("unit", "")
            if name not in _OF_SPANS:
                series.setdefault((_name(name), unit), []).append(event)
    for (name, unit), measured in series.items():
        points = list(_points(measured, about, adds_up=unit.startswith("{")))
        if unit.startswith("{"):
            total = Sum(data_points=points, aggregation_temporality=_CUMULATIVE, is_monotonic=True)
            yield Metric(name=name, unit=unit, sum=total)
        else:
            yield Metric(name=name, unit=unit, gauge=Gauge(data_points=points))


def _points(measured: Iterable[SimulationEvent], about: About, *, adds_up: bool) -> Iterator[NumberDataPoint]:
    totals: dict[str, float] = {}
    for event in measured:
        agent = str(event.body["attributes"].get(semconv.AGENT_NAME, event.agent_key or ""))
        value = float(event.body["value"])
        if adds_up:
            value = totals[agent] = totals.get(agent, 0.0) + value
        yield NumberDataPoint(
            attributes=attributes({semconv.AGENT_NAME: agent}),
            start_time_unix_nano=about.nanoseconds(0),
            time_unix_nano=about.nanoseconds(event.elapsed_ms),
            as_double=value,
        )


def _name(planned: str) -> str:
    """A name that instruments may have: a letter first, and only what is allowed after it."""
    name = _NO_NAME.sub("_", planned)[:255]
    return name if name[:1].isalpha() else f"m{name}"[:255]
