"""Percentiles of all replications together: those of one are off; and how often their intervals hold the truth."""

from math import inf, log

import numpy as np
import pytest

from windtunnel.domain.experiments import Estimate
from windtunnel.experiments.estimates import NOTHING
from windtunnel.experiments.percentiles import kept_of, paired_percentiles, percentile, thinned
from windtunnel.simulation.portable import Floats

ANY = 1_000_000


def _rows(*rows: list[float]) -> tuple[Floats, Floats]:
    times = np.array(rows)
    known = np.isfinite(times).sum(axis=1).astype(np.float64)
    return thinned(times, known, ANY), known


def _queues(experiments: int, replications: int, tasks: int, load: float, seed: int = 3) -> Floats:
    """Times in M/M/1 with work of 1 each, after a beginning as in the long run: (experiments, replications, tasks)."""
    random = np.random.Generator(np.random.PCG64(seed))
    size = (experiments * replications, tasks)
    between, work = random.exponential(1.0 / load, size), random.exponential(1.0, size)
    stay = random.exponential(1.0 / (1.0 - load), size[0])
    found = np.empty(size)
    for task in range(tasks):
        stay = np.maximum(stay - between[:, task], 0.0) + work[:, task]
        found[:, task] = stay
    return found.reshape(experiments, replications, tasks)


def test_all_tasks_count_alike_wherever_they_are() -> None:
    times, known = _rows([1.0, 2.0, inf, inf], [3.0, 4.0, 5.0, 6.0], [inf] * 4)
    for share in (0.0, 0.3, 0.5, 0.95, 1.0):
        exact = np.quantile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], share)
        assert percentile(times, known, share).found.mean == pytest.approx(exact)


def test_what_always_takes_the_same_has_no_interval() -> None:
    times, known = _rows([7.0, 7.0], [7.0, 7.0])
    assert percentile(times, known, 0.95).found == Estimate(7.0, 7.0, 7.0)
    assert percentile(*_rows([inf], [inf]), 0.5).found == NOTHING
    assert percentile(*_rows([1.0, 2.0]), 0.5).found == Estimate(1.5, 1.5, 1.5)


def test_few_tasks_have_no_upper_end_and_say_so() -> None:
    found = percentile(*_rows([1.0, 2.0, 3.0], [2.0, 3.0, 9.0]), 0.95)
    assert not found.is_bounded
    assert found.found.high >= 9.0
    many = _queues(1, 30, 60, 0.5)[0]
    assert percentile(*_rows(*np.sort(many).tolist()), 0.5).is_bounded


def test_long_replications_are_thinned_evenly() -> None:
    times = np.sort(_queues(1, 40, 2_000, 0.7)[0])
    times[3, 1_000:] = inf
    known = np.isfinite(times).sum(axis=1).astype(np.float64)
    few = thinned(times, known, 100)
    assert few.shape == (40, 100)
    for share in (0.5, 0.95, 0.99):
        one, other = percentile(times, known, share).found, percentile(few, known, share).found
        assert other.mean == pytest.approx(one.mean, rel=0.01)
        assert other.half_width == pytest.approx(one.half_width, rel=0.15)
    assert kept_of(200) * 200 == kept_of(1) == 100_000
    assert kept_of(10_000) == 100


def test_short_replications_do_not_pull_a_percentile_down() -> None:
    """The mean of the percentiles of each is a fifth too low at the same load."""
    times = np.sort(_queues(1, 4_000, 100, 0.8, seed=4)[0])
    truth = log(20.0) / 0.2
    assert np.quantile(times, 0.95, axis=1).mean() < 0.8 * truth
    found = percentile(times, np.full(4_000, 100.0), 0.95).found
    assert found.low <= truth <= found.high
    assert found.half_width < 0.05 * truth


@pytest.mark.parametrize(("load", "share"), [(0.5, 0.5), (0.5, 0.95), (0.8, 0.5), (0.8, 0.95)])
def test_the_interval_holds_the_truth_as_often_as_it_claims(load: float, share: float) -> None:
    truth = -log(1.0 - share) / (1.0 - load)
    held = 0
    for times in np.sort(_queues(200, 40, 200, load)):
        found = percentile(times, np.full(40, 200.0), share).found
        held += found.low <= truth <= found.high
    # 95 % of 200, and chance: three standard deviations are 4.6 points.
    assert 0.90 <= held / 200 <= 0.99


def test_a_paired_difference_holds_the_truth_and_is_narrower() -> None:
    held, narrow = 0, 0
    truth = 0.9 * log(20.0) / 0.3 - log(20.0) / 0.3
    for times in np.sort(_queues(200, 40, 200, 0.7)):
        known = np.full(40, 200.0)
        base, variant = percentile(times, known, 0.95), percentile(0.9 * times, known, 0.95)
        gap = paired_percentiles(base, variant)
        assert gap.mean == pytest.approx(variant.found.mean - base.found.mean, rel=1e-6)
        held += gap.low <= truth <= gap.high
        narrow += gap.half_width < 0.5 * base.found.half_width
    assert held / 200 >= 0.88
    assert narrow == 200


def test_a_side_that_is_the_other_differs_by_nothing() -> None:
    base = percentile(*_rows([1.0, 5.0], [2.0, 3.0]), 0.95)
    assert paired_percentiles(base, base) == NOTHING
