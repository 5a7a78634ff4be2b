""" "A simulation that can be believed": what theory and studies know comes out of experiments, the same everywhere.

In short; docs/accuracy.md has the long form. Other promises of the same: test_opens_in_a_pipeline.py beside this, the
planner on texts by others in tests/planning/test_held_out.py, the what-if of the README in tests/app.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from benchmarks.accuracy import compared, experiment
from benchmarks.anchors import Anchor, anchors
from tests.experiments.test_published_orderings import CHANCE, success_lost
from windtunnel.domain.experiments import Load, findings_to_json
from windtunnel.experiments.conduct import conduct
from windtunnel.experiments.findings import findings_of
from windtunnel.experiments.network_file import read_network
from windtunnel.experiments.study import study_of
from windtunnel.simulation import engine, plain

ROOT = Path(__file__).parents[2]
ANCHORS = {anchor.name: anchor for anchor in anchors()}
SHOP = (ROOT / "examples" / "shop" / "shop.json").read_bytes()
# As wide as an interval of 99.9 %: more than seventy are looked at.
WIDER = 1.7


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    if thread := engine.prepare_kernel():
        thread.join()


@pytest.mark.parametrize("anchor", ANCHORS.values(), ids=list(ANCHORS))
def test_theory_and_littles_law_hold(anchor: Anchor) -> None:
    for measure, exact, found in compared(anchor, replications=40, tasks=4_000):
        assert abs(found.mean - exact) <= max(WIDER * found.half_width, 0.005 * exact), measure
        assert found.half_width <= 0.1 * exact, measure


def test_the_table_of_the_docs_has_all_of_it_and_no_miss() -> None:
    page = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.endswith(("| interval |", "| 0.5 % |", "| **neither** |"))]
    for anchor in ANCHORS.values():
        for truth in anchor.truths:
            assert any(line.startswith(f"| {anchor.name} | {truth.measure} |") for line in rows)
    assert not [line for line in rows if "neither" in line]


def test_intervals_hold_the_truth_as_often_as_they_claim() -> None:
    anchor = ANCHORS["M/M/1, load 0.5"]
    truths = [truth for truth in anchor.truths if "percentile" not in truth.measure and "median" not in truth.measure]
    held = []
    for seed in range(1, 201):
        _, found = experiment(anchor, seed=seed, replications=20, tasks=1_000)
        held += [truth.of(found).low <= truth.exact <= truth.of(found).high for truth in truths]
    assert 0.93 <= sum(held) / len(held) <= 0.97


def test_the_published_order_of_shapes_comes_out() -> None:
    line, debate, iteration = success_lost(CHANCE)
    assert line > debate > iteration > 0


def _answers() -> Iterator[str]:
    load = Load(seed=3, replications=40, tasks=200, arrival_rate=5.0)
    study = study_of(read_network(SHOP), None, load)
    yield findings_to_json(findings_of(study, conduct(study)))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        yield findings_to_json(findings_of(study, conduct(study, processes)))


def test_the_same_seed_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the kernel, without it, and in a pool of processes, which begin without it."""
    assert engine.kernel_ready()
    compiled, pooled = _answers()
    monkeypatch.setattr("windtunnel.experiments.study.simulate_many", plain.simulate_many)
    uncompiled = next(_answers())
    assert compiled == pooled == uncompiled
    assert json.loads(compiled)["base"]["steps"] > 40 * 200
