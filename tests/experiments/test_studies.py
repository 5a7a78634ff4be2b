"""Studies: the same numbers wherever the work is done, and findings that say what was built in."""

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from math import hypot
from multiprocessing import get_context

import numpy as np
import pytest

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.experiments import Findings, Load, findings_from_json, findings_to_json
from windtunnel.domain.prices import ModelPrice
from windtunnel.experiments.conduct import conduct
from windtunnel.experiments.findings import findings_of
from windtunnel.experiments.loads import check_load
from windtunnel.experiments.measures import measured, packed, unpacked
from windtunnel.experiments.model import Mode, Model
from windtunnel.experiments.network_file import read_network
from windtunnel.experiments.overrides import overridden
from windtunnel.experiments.percentiles import percentile
from windtunnel.experiments.study import Purpose, study_of
from windtunnel.experiments.warmup import warmup_tasks
from windtunnel.simulation.engine import simulate_many

LOAD = Load(seed=10, replications=20, tasks=200, arrival_rate=8.0)


def _model(**second: object) -> Model:
    nodes = [
        {"key": "a", "service": {"dist": "exponential", "mean_ms": 50}, "input_tokens": 100, "output_tokens": 10},
        {"key": "b", "service": {"dist": "exponential", "mean_ms": 100}, "failure_probability": 0.1, **second},
    ]
    file = {"nodes": nodes, "links": [{"source": "a", "target": "b", "probability": 0.5}], "entry": ["a"]}
    return read_network(json.dumps(file))


def _findings(base: Model, variant: Model | None = None, load: Load = LOAD) -> Findings:
    study = study_of(base, variant, load)
    return findings_of(study, conduct(study), ModelPrice(input=1.0, output=10.0))


def test_findings_say_what_was_built_in() -> None:
    found = _findings(_model()).base
    assert found.success_rate.low <= 0.95 <= found.success_rate.high
    assert found.tokens_per_task.mean == 110
    assert found.cost_usd_per_task is not None
    assert found.cost_usd_per_task.mean == pytest.approx(110e-6 + 90e-6)
    first, second = found.nodes
    assert first.utilisation.low <= 0.4 <= first.utilisation.high
    assert (first.attempts, first.failures) == (20 * 200, 0)
    assert first.blast_radius == pytest.approx(found.success_rate.mean, abs=0.02)
    assert second.blast_radius == pytest.approx(0.45, abs=0.04)
    assert found.steps == first.attempts + second.attempts
    assert found.analytic is not None
    assert found.analytic["success_rate"] == pytest.approx(0.95)


def test_the_busiest_place_is_the_bottleneck() -> None:
    assert _findings(_model(service={"dist": "exponential", "mean_ms": 50})).base.bottleneck == "a"
    assert _findings(_model(service={"dist": "exponential", "mean_ms": 200})).base.bottleneck == "b"


def test_a_paired_difference_is_narrower_than_one_of_strangers() -> None:
    base = _model(max_attempts=1)
    found = _findings(base, overridden(base, {"nodes": {"b": {"max_attempts": 2}}}))
    assert found.variant is not None
    assert found.difference is not None
    gap = found.difference.success_rate
    assert gap.mean == pytest.approx(found.variant.success_rate.mean - found.base.success_rate.mean, abs=1e-9)
    assert gap.low > 0
    sides = (found.base.latency_p95_ms.half_width, found.variant.latency_p95_ms.half_width)
    assert found.difference.latency_p95_ms.half_width < hypot(*sides)


def test_whoever_is_down_costs_a_variant_what_it_has() -> None:
    base = _model()
    found = _findings(base, overridden(base, {"nodes": {"b": {"fallback": True}}}))
    assert found.variant is not None
    lost = [node.blast_radius for node in found.variant.nodes]
    assert lost == pytest.approx([found.variant.success_rate.mean, 0.0], abs=0.02)
    assert found.base.nodes[1].blast_radius == pytest.approx(0.45, abs=0.04)


def test_a_variant_that_changes_nothing_differs_by_nothing() -> None:
    found = _findings(_model(), _model())
    assert found.difference is not None
    for gap in (found.difference.success_rate, found.difference.latency_p95_ms, found.difference.cost_usd_per_task):
        assert gap is not None
        assert (gap.mean, gap.low, gap.high) == (0, 0, 0)


def test_failure_modes_are_forced_to_say_what_they_cost() -> None:
    model = _model()
    struck = replace(model.places[1].node, failure_probability=1.0)
    found = _findings(replace(model, modes=(Mode("b_is_down", 0.01, "our prior", (struck,)),))).base
    (impact,) = found.failure_modes
    assert (impact.code, impact.probability, impact.provenance) == ("b_is_down", 0.01, "our prior")
    assert impact.impact == pytest.approx(0.45, abs=0.04)


def test_what_a_mode_costs_is_against_tasks_that_it_spares() -> None:
    model = _model(failure_probability=0.6)
    struck = replace(model.places[1].node, failure_probability=1.0)
    found = _findings(replace(model, modes=(Mode("b_is_down", 0.6, "our prior", (struck,)),))).base
    (impact,) = found.failure_modes
    assert impact.impact == pytest.approx(0.5, abs=0.04)  # half of the tasks come to b, which the base mostly loses
    assert impact.probability * impact.impact == pytest.approx(1.0 - found.success_rate.mean, abs=0.03)


def test_the_answer_is_the_same_wherever_it_is_computed() -> None:
    study = study_of(_model(), _model(max_attempts=2), LOAD)
    here = findings_to_json(findings_of(study, conduct(study)))
    with ThreadPoolExecutor(2) as threads:
        assert findings_to_json(findings_of(study, conduct(study, threads))) == here
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert findings_to_json(findings_of(study, conduct(study, processes))) == here


def test_the_answer_does_not_depend_on_how_the_work_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of(_model(), None, LOAD)
    whole = findings_of(study, conduct(study))
    monkeypatch.setattr("windtunnel.experiments.study.CHUNK_TASKS", 3 * LOAD.tasks)
    cut = study_of(_model(), None, LOAD)
    assert len(cut.chunks) > 5
    assert findings_of(cut, conduct(cut)) == whole


def test_progress_goes_from_nothing_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.experiments.study.CHUNK_TASKS", 5 * LOAD.tasks)
    told: list[float] = []
    conduct(study_of(_model(), None, LOAD, probes=False), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) == 4


def test_findings_survive_being_stored() -> None:
    found = _findings(_model(), _model(max_attempts=2))
    assert findings_from_json(findings_to_json(found)) == found


def test_rows_survive_being_stored() -> None:
    batch = simulate_many(_model().network, seed=1, tasks=50, arrivals_per_ms=0.01, first=0, count=3)
    for kept in (0, 7, 1_000):
        rows = measured(batch, 10, kept)
        again = unpacked(packed(rows), 3)
        np.testing.assert_array_equal(again.overall, rows.overall)
        np.testing.assert_array_equal(again.nodes, rows.nodes)
        np.testing.assert_array_equal(again.latencies, rows.latencies)
        np.testing.assert_array_equal(again.times, rows.times)


def test_percentiles_are_those_of_the_tasks_that_succeeded() -> None:
    batch = simulate_many(_model().network, seed=1, tasks=60, arrivals_per_ms=0.01, first=0, count=4)
    rows = measured(batch, 10)
    kept = (batch.left_ms - batch.born_ms)[:, 10:]
    means = [stay[known].mean() for stay, known in zip(kept, batch.succeeded[:, 10:], strict=True)]
    assert rows.of("mean_ms").tolist() == pytest.approx(means)
    assert rows.of("early_ms")[0] == pytest.approx(kept[0, :25][batch.succeeded[0, 10:35]].mean())
    assert rows.of("late_ms")[0] == pytest.approx(kept[0, 25:][batch.succeeded[0, 35:]].mean())
    for share in (0.5, 0.95, 0.99):
        exact = np.quantile(kept[batch.succeeded[:, 10:]], share)
        assert percentile(rows.times, rows.of("succeeded"), share).found.mean == pytest.approx(exact)


def test_where_nothing_succeeds_there_is_no_latency() -> None:
    found = _findings(_model(failure_probability=1.0).without("a")).base
    assert (found.success_rate.mean, found.latency_p95_ms.mean) == (0, 0)
    rows = measured(
        simulate_many(_model().without("a").network, seed=1, tasks=9, arrivals_per_ms=1, first=0, count=2), 0
    )
    assert np.isnan(rows.of("mean_ms")).all()


def test_a_network_that_fills_loses_its_first_tasks() -> None:
    full = read_network(
        json.dumps({"nodes": [{"key": "a", "service": {"dist": "exponential", "mean_ms": 95}}], "entry": ["a"]})
    )
    batch = simulate_many(full.network, seed=3, tasks=1_000, arrivals_per_ms=0.01, first=0, count=20)
    assert 20 <= warmup_tasks(batch) <= 500
    assert warmup_tasks(simulate_many(full.network, seed=3, tasks=50, arrivals_per_ms=0.01, first=0, count=9)) == 0


def test_probes_come_only_when_they_are_asked_for() -> None:
    purposes = [side.purpose for side in study_of(_model(), None, LOAD).sides]
    assert purposes == [Purpose.BASE, Purpose.NODE_DOWN, Purpose.NODE_DOWN]
    assert [side.purpose for side in study_of(_model(), None, LOAD, probes=False).sides] == [Purpose.BASE]


@pytest.mark.parametrize(
    ("load", "name"),
    [
        (Load(1, 0), "replications"),
        (Load(1, 10_001), "replications"),
        (Load(1, 1, 0), "tasks"),
        (Load(1, 1, 100_001), "tasks"),
        (Load(1, 10_000, 10_000), "replications"),
        (Load(1, arrival_rate=0.0), "arrival_rate"),
        (Load(1, arrival_rate=5e-324), "arrival_rate"),
        (Load(1, arrival_rate=9e-7), "arrival_rate"),
        (Load(1, arrival_rate=float("nan")), "arrival_rate"),
        (Load(1, arrival_rate=float("inf")), "arrival_rate"),
        (Load(2**31), "seed"),
    ],
)
def test_loads_have_bounds(load: Load, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_load(load)
    assert refused.value.path == ("input", name)
