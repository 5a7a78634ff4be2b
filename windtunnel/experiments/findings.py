"""From rows of numbers to what people read: estimates per side, loads, bottleneck, impacts, differences."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import fsum
from typing import Any

import numpy as np

from windtunnel.domain.experiments import (
    Estimate,
    ExperimentDifference,
    ExperimentResult,
    FailureImpact,
    Findings,
    NodeLoad,
)
from windtunnel.domain.prices import ModelPrice
from windtunnel.experiments.cautions import cautions_of
from windtunnel.experiments.closed_forks import forked_form
from windtunnel.experiments.closed_forms import closed_form
from windtunnel.experiments.estimates import estimate, paired, ratio_estimate, rounded, share, share_estimate
from windtunnel.experiments.histogram import bins_of
from windtunnel.experiments.measures import Measures, cost_of, tokens_of
from windtunnel.experiments.model import Model
from windtunnel.experiments.percentiles import Percentile, paired_percentiles, percentile
from windtunnel.experiments.study import Purpose, Study
from windtunnel.simulation.portable import Floats

_SPARED_LEAST = 0.05
"""Where a mode strikes nearly every task, chance would be all that is seen of the few that it spares."""

_PERCENTILES = {"50th": 0.5, "95th": 0.95, "99th": 0.99}


def findings_of(study: Study, measures: Sequence[Measures], price: ModelPrice | None = None) -> Findings:
    """What an experiment found: `measures` are those of each side, in the order of the study."""
    sides = list(zip(study.sides, measures, strict=True))
    base, rows = sides[0]
    lost: dict[tuple[Purpose, str], float] = {
        (side.purpose, side.subject): _lost(rows, probe)
        for side, probe in sides
        if side.purpose in {Purpose.NODE_DOWN, Purpose.FAILURE_MODE}
    }
    found = _result(study, base.model, rows, price, lost)
    other = next(((side.model, probe) for side, probe in sides if side.purpose is Purpose.VARIANT), None)
    if other is None:
        return Findings(found)
    model, more = other
    lost = {
        (Purpose.NODE_DOWN, side.subject): _lost(more, probe)
        for side, probe in sides
        if side.purpose is Purpose.VARIANT_NODE_DOWN
    }
    tasks = study.load.tasks
    difference = ExperimentDifference(
        success_rate=_difference(rows, more, "success_rate"),
        latency_p95_ms=paired_percentiles(_percentile(rows, 0.95), _percentile(more, 0.95)),
        cost_usd_per_task=None
        if price is None
        else paired(cost_of(base.model, rows, tasks, price).tolist(), cost_of(model, more, tasks, price).tolist()),
    )
    return Findings(found, _result(study, model, more, price, lost), difference)


def _result(
    study: Study,
    model: Model,
    rows: Measures,
    price: ModelPrice | None,
    lost: Mapping[tuple[Purpose, str], float],
) -> ExperimentResult:
    tasks = study.load.tasks
    nodes = tuple(_load(model, rows, owner, lost.get((Purpose.NODE_DOWN, owner))) for owner in model.owners)
    successes = rows.of("succeeded")
    mean = ratio_estimate((np.nan_to_num(rows.of("mean_ms")) * successes).tolist(), successes.tolist())
    percentiles = {name: _percentile(rows, share) for name, share in _PERCENTILES.items()}
    analytic, counted = _analytic(study, model), tasks - study.warmup
    throughput = _not_negative(ratio_estimate(rows.of("done").tolist(), (_time(rows) / 1_000.0).tolist()))
    busiest = max(nodes, key=lambda node: node.utilisation.mean, default=None)
    return ExperimentResult(
        success_rate=share_estimate(rows.of("success_rate").tolist(), counted),
        latency_mean_ms=_not_negative(mean),
        latency_p50_ms=percentiles["50th"].found,
        latency_p95_ms=percentiles["95th"].found,
        latency_p99_ms=percentiles["99th"].found,
        throughput_per_s=throughput,
        cost_usd_per_task=None if price is None else estimate(cost_of(model, rows, tasks, price).tolist()),
        tokens_per_task=estimate(tokens_of(model, rows, tasks).tolist()),
        degraded_rate=share_estimate(rows.of("degraded_rate").tolist(), counted),
        nodes=nodes,
        analytic=analytic,
        failure_modes=tuple(
            FailureImpact(
                mode.code,
                mode.probability,
                _impact(lost[Purpose.FAILURE_MODE, mode.code], mode.probability),
                mode.provenance,
            )
            for mode in model.modes
            if (Purpose.FAILURE_MODE, mode.code) in lost
        ),
        bottleneck=None if busiest is None or busiest.utilisation.mean == 0.0 else busiest.key,
        steps=int(rows.of("steps").sum()),
        warmup_tasks=study.warmup,
        latencies=bins_of(rows.latencies),
        cautions=cautions_of(
            study.load,
            nodes,
            analytic,
            throughput_per_s=throughput,
            latency=mean,
            drift=estimate((rows.of("late_ms") - rows.of("early_ms")).tolist()),
            unbounded=[name for name, one in percentiles.items() if not one.is_bounded],
        ),
    )


def _load(model: Model, rows: Measures, owner: str, lost: float | None) -> NodeLoad:
    """The load of an agent or tool: its nodes together, each place counted."""
    mine = [number for number, place in enumerate(model.places) if place.owner == owner]
    servers = sum(model.places[number].node.servers for number in mine)
    busy, room = _added(rows.at("busy_ms"), mine), _time(rows) * servers
    wait, visits = _added(rows.at("wait_ms"), mine), _added(rows.at("visits"), mine)

    def total(name: str) -> int:
        return int(rows.at(name)[:, mine].sum())

    return NodeLoad(
        key=owner,
        utilisation=share(ratio_estimate(busy.tolist(), room.tolist())),
        wait_ms=_not_negative(ratio_estimate(wait.tolist(), visits.tolist())),
        attempts=total("attempts"),
        failures=total("failures"),
        retries=total("retries"),
        throttled=total("throttled"),
        short_circuited=total("short_circuited"),
        fallbacks=total("fallbacks"),
        blast_radius=lost,
    )


def _added(values: Floats, nodes: Sequence[int]) -> Floats:
    # Node by node, so that the order of additions is the same everywhere.
    total = np.zeros(len(values))
    for node in nodes:
        total += values[:, node]
    return total


def _time(rows: Measures) -> Floats:
    """How long the time that counts is, in each replication."""
    return rows.at("time_ms")[:, 0]


def _percentile(rows: Measures, share: float) -> Percentile:
    return percentile(rows.times, rows.of("succeeded"), share)


def _not_negative(found: Estimate) -> Estimate:
    return Estimate(found.mean, max(found.low, 0.0), found.high)


def _difference(base: Measures, variant: Measures, name: str) -> Estimate:
    return paired(base.of(name).tolist(), variant.of(name).tolist())


def _lost(base: Measures, probe: Measures) -> float:
    """The success lost against the same replications of the base, 0 to 1."""
    before, after = base.of("success_rate")[: len(probe)].tolist(), probe.of("success_rate").tolist()
    return rounded(max(0.0, (fsum(before) - fsum(after)) / len(probe)))


def _impact(lost: float, probability: float) -> float:
    """The success lost by tasks that a mode strikes, against tasks that it spares.

    `lost` is against the base, of whose tasks it already strikes its share.
    """
    return rounded(min(1.0, lost / max(1.0 - probability, _SPARED_LEAST)))


def _analytic(study: Study, model: Model) -> Mapping[str, Any] | None:
    arrivals = study.load.arrival_rate / 1_000.0
    found = closed_form(model.network, arrivals) or forked_form(model.network, arrivals)
    return None if found is None else _rounded(asdict(found))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return rounded(value) if isinstance(value, float) else value
