"""How far experiments are from queueing theory, as Markdown: `docs/accuracy.md` is what this prints.

    python -m benchmarks.accuracy [--replications 200] [--tasks 20000] > docs/accuracy.md

Networks are read, studied, conducted and concluded as by `windtunnel experiment`. With the default numbers the compiled
kernel needs a few minutes.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import log

import numpy as np

from benchmarks.anchors import Anchor, anchors, slower_and_faster
from windtunnel.domain.experiments import Estimate, ExperimentResult, Load
from windtunnel.experiments.conduct import conduct
from windtunnel.experiments.estimates import estimate
from windtunnel.experiments.findings import findings_of
from windtunnel.experiments.study import Study, study_of
from windtunnel.simulation.engine import prepare_kernel, simulate_many

SEED = 6
NEAR = 0.005
MORE = 4
"""So many times the replications for a busy network, whose numbers vary most."""
EXPERIMENTS = 200
COVERAGE_LOAD = {"replications": 25, "tasks": 5_000}
SHORT = {"replications": 2_000, "tasks": 300}
COVERED = ("M/M/1, load 0.5", "M/M/1, load 0.7", "M/M/1, load 0.8")


def experiment(anchor: Anchor, *, seed: int, replications: int, tasks: int) -> tuple[Study, ExperimentResult]:
    """One experiment, done as the product does it."""
    load = Load(seed, replications, tasks, anchor.per_s)
    study = study_of(anchor.model, None, load, probes=False)
    return study, findings_of(study, conduct(study)).base


def tasks_in_system(anchor: Anchor, study: Study) -> Estimate:
    """The mean over time of how many tasks are in the network: counted, not computed from how long they stay."""
    load, means = study.load, []
    for first in range(0, load.replications, 50):
        batch = simulate_many(
            anchor.model.network,
            seed=load.seed,
            tasks=load.tasks,
            arrivals_per_ms=load.arrival_rate / 1_000.0,
            first=first,
            count=min(50, load.replications - first),
        )
        since, until = batch.born_ms[:, [study.warmup]], batch.born_ms[:, [-1]]
        there = np.minimum(batch.left_ms, until) - np.maximum(batch.born_ms, since)
        means += (np.maximum(there, 0.0).sum(axis=1) / (until - since)[:, 0]).tolist()
    return estimate(means)


def within(found: Estimate, exact: float) -> str:
    """The verdict on an estimate; empty when it is neither inside its interval nor near."""
    if found.low <= exact <= found.high:
        return "interval"
    return "0.5 %" if abs(found.mean - exact) <= NEAR * abs(exact) else ""


def compared(anchor: Anchor, *, replications: int, tasks: int) -> Iterator[tuple[str, float, Estimate]]:
    """What is known of a network beside what an experiment found."""
    study, found = experiment(anchor, seed=SEED, replications=replications, tasks=tasks)
    for truth in anchor.truths:
        yield truth.measure, truth.exact, truth.of(found)
    if anchor.in_system is not None:
        inside = tasks_in_system(anchor, study)
        yield "tasks in the system", anchor.in_system, inside
        product = found.throughput_per_s.mean * found.latency_mean_ms.mean / 1_000.0
        yield "the same, held against throughput times latency", product, inside


def coverage(anchor: Anchor, experiments: int, pool: ThreadPoolExecutor) -> dict[str, list[bool]]:
    """For each thing known, in which experiments its interval held it."""

    def hits(seed: int) -> list[bool]:
        _, found = experiment(anchor, seed=seed, **COVERAGE_LOAD)
        return [truth.of(found).low <= truth.exact <= truth.of(found).high for truth in anchor.truths]

    rows = list(pool.map(hits, range(1, experiments + 1)))
    return {truth.measure: [row[place] for row in rows] for place, truth in enumerate(anchor.truths)}


def paired_coverage(experiments: int, pool: ThreadPoolExecutor) -> list[bool]:
    """In which experiments the interval of the difference between two 95th percentiles held the true one."""
    base, variant = (anchor.model for anchor in slower_and_faster())
    exact = log(20.0) * 100.0 * (0.75 / 0.25 - 0.8 / 0.2)

    def hits(seed: int) -> bool:
        study = study_of(base, variant, Load(seed, arrival_rate=10.0, **COVERAGE_LOAD), probes=False)
        found = findings_of(study, conduct(study)).difference
        return found is not None and found.latency_p95_ms.low <= exact <= found.latency_p95_ms.high

    return list(pool.map(hits, range(1, experiments + 1)))


def main(arguments: list[str] | None = None) -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=20_000)
    options = parser.parse_args(arguments)
    if thread := prepare_kernel():
        thread.join()
    known = {anchor.name: anchor for anchor in anchors()}
    with ThreadPoolExecutor(2) as pool:
        _print_comparison(list(known.values()), options.replications, options.tasks, pool)
        _print_coverage([known[name] for name in COVERED], pool)
        _print_short([known[name] for name in COVERED], pool)


def _print_comparison(known: list[Anchor], replications: int, tasks: int, pool: ThreadPoolExecutor) -> None:
    print(INTRODUCTION.format(replications=replications, tasks=tasks, more=MORE * replications))
    print("| network | measure | theory | experiment | interval (95 %) | off | within |\n|---|---|--:|--:|---|--:|---|")
    tables = pool.map(
        lambda one: list(compared(one, replications=replications * (MORE if one.busy else 1), tasks=tasks)), known
    )
    for anchor, rows in zip(known, tables, strict=True):
        for measure, exact, found in rows:
            print(f"| {anchor.name} | {_row(measure, exact, found)} | {within(found, exact) or '**neither**'} |")


def _print_short(known: list[Anchor], pool: ThreadPoolExecutor) -> None:
    print(SHORT_RUNS.format(**SHORT))
    print("| network | measure | theory | experiment | interval (95 %) | off |\n|---|---|--:|--:|---|--:|")
    tables = pool.map(lambda one: list(compared(one, **SHORT)), known)
    for anchor, rows in zip(known, tables, strict=True):
        for measure, exact, found in rows:
            if "system" not in measure and "the same" not in measure:
                print(f"| {anchor.name} | {_row(measure, exact, found)} |")


def _row(measure: str, exact: float, found: Estimate) -> str:
    off = (found.mean / exact - 1.0) * 100.0
    return f"{measure} | {exact:.5g} | {found.mean:.5g} | {found.low:.5g} to {found.high:.5g} | {off:+.2f} %"


def _print_coverage(known: list[Anchor], pool: ThreadPoolExecutor) -> None:
    print(COVERAGE.format(experiments=EXPERIMENTS, **COVERAGE_LOAD))
    print("| network | measure | intervals that hold the truth |\n|---|---|--:|")
    together: list[bool] = []
    for anchor in known:
        for measure, held in coverage(anchor, EXPERIMENTS, pool).items():
            print(f"| {anchor.name} | {measure} | {_share(held)} |")
            together += held
    held = paired_coverage(EXPERIMENTS, pool)
    print(f"| M/M/1, load 0.8 against 0.75 | difference of the 95th percentiles | {_share(held)} |")
    together += held
    print(f"| all | all | **{_share(together)}** |")


def _share(held: list[bool]) -> str:
    return f"{sum(held) / len(held):.1%}".replace("%", " %")


INTRODUCTION = """# Accuracy
What experiments say beside what queueing theory knows exactly. This page is what `python -m benchmarks.accuracy`
prints. The formulas are written out in `benchmarks/anchors.py`, apart from those of the product, and every number comes
the way that `windtunnel experiment` goes. How each is measured is said in [experiments](experiments.md).

## Against theory
{replications} replications of {tasks:,} tasks each, {more:,} at load 0.8, where numbers vary most. *Within*: the truth
lies in the 95 % interval, or at most 0.5 % away from the mean. Of so many intervals one in twenty misses by chance.
Tasks in the system are counted over time, apart from latencies, and held against throughput times latency as well:
Little's law.
"""
COVERAGE = """
## How often the interval holds the truth
It claims 95 %. {experiments} experiments of {replications} replications of {tasks:,} tasks, seeds 1 to {experiments}:
by chance alone each share may be 3 points off.
"""
SHORT_RUNS = """
## Short replications
{replications:,} replications of {tasks} tasks, so that the narrow interval shows how far such a replication is from the
long run: each begins with an empty network, and the warm-up that is left out is short. Percentiles are those of the
tasks of all replications together; averaged over replications, as they are often taken, the 95th at load 0.8 would be
21 % below the long run and the median 21 % above. What is left is the empty start. At load 0.8 the experiment says so:
"Short replications", and how many tasks it takes. More replications narrow the interval, not this gap.
"""

if __name__ == "__main__":
    main()
