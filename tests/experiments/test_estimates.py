"""Intervals are as wide as the tables say, and hold what they promise."""

import math
from random import Random
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.experiments.estimates import NOTHING, Estimate, estimate, paired, share_estimate
from windtunnel.experiments.student import half_width, t_quantile

# Two-sided 95 and 99 % points: NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2.
TABLE = {1: (12.706, 63.657), 2: (4.303, 9.925), 4: (2.776, 4.604), 9: (2.262, 3.250), 29: (2.045, 2.756)}
TABLE |= {100: (1.984, 2.626)}


@pytest.mark.parametrize("freedom", TABLE)
def test_quantiles_are_those_of_the_tables(freedom: int) -> None:
    found = t_quantile(0.975, freedom), t_quantile(0.995, freedom)
    assert found == pytest.approx(TABLE[freedom], abs=5e-4)


@given(st.floats(0.001, 0.999))
def test_one_and_two_degrees_of_freedom_have_closed_forms(share: float) -> None:
    assert t_quantile(share, 1) == pytest.approx(math.tan(math.pi * (share - 0.5)), rel=1e-9, abs=1e-9)
    exact = (2 * share - 1) / math.sqrt(2 * share * (1 - share))
    assert t_quantile(share, 2) == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_many_degrees_of_freedom_are_the_normal_distribution() -> None:
    assert t_quantile(0.975, 100_000) == pytest.approx(NormalDist().inv_cdf(0.975), rel=1e-4)


@pytest.mark.parametrize(("share", "freedom"), [(0.0, 3), (1.0, 3), (0.5, 0)])
def test_there_is_no_quantile_of_nothing(share: float, freedom: int) -> None:
    with pytest.raises(ValueError, match="No quantile"):
        t_quantile(share, freedom)


def test_an_estimate_is_mean_and_interval() -> None:
    found = estimate([1.0, 2.0, 3.0, 4.0])
    half = half_width(math.sqrt(5 / 3), 4)
    assert found.mean == 2.5
    assert found.low == pytest.approx(2.5 - half, rel=1e-9)
    assert found.half_width == pytest.approx(half, rel=1e-9)


def test_values_that_do_not_exist_are_left_out() -> None:
    assert estimate([math.nan, 2.0, 4.0]) == estimate([2.0, 4.0])
    assert estimate([math.nan]) == NOTHING
    assert estimate([7.0]) == Estimate(7.0, 7.0, 7.0)


def test_shares_stay_shares() -> None:
    found = share_estimate([1.0, 1.0, 0.7], 10)
    assert 0.0 < found.low < found.high < 1.0
    assert found.mean == pytest.approx(0.9)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_never_happened_is_not_certain_never_to_happen(share: float) -> None:
    # Wilson's interval of none of n: up to 3.84 / (n + 3.84).
    found = share_estimate([share] * 20, 150)
    off = 1.0 - found.low if share else found.high
    assert off == pytest.approx(3.8415 / (3_000 + 3.8415), rel=1e-4)
    assert share in {found.low, found.high}
    assert share_estimate([share], 1).half_width > 0.3


def test_two_replications_with_one_failure_each_are_no_certainty() -> None:
    found = share_estimate([0.99, 0.99], 100)
    assert found.low < 0.97
    assert found.high > 0.995


def test_shares_that_hardly_vary_have_narrow_intervals() -> None:
    """A quota lets the same share through each time: independent tasks would vary more."""
    found = share_estimate([0.5, 0.501, 0.499, 0.5], 10_000)
    assert found.half_width == pytest.approx(estimate([0.5, 0.501, 0.499, 0.5]).half_width, rel=1e-3)


def test_rare_failures_are_within_the_interval_as_often_as_it_claims() -> None:
    random = np.random.Generator(np.random.PCG64(2))
    for chance, replications, tasks in ((0.001, 10, 200), (0.01, 5, 100), (0.3, 4, 50)):
        shares = random.binomial(tasks, 1.0 - chance, (600, replications)) / tasks
        found = [share_estimate(row, tasks) for row in shares.tolist()]
        assert sum(one.low <= 1.0 - chance <= one.high for one in found) >= 0.92 * 600


def test_what_both_sides_have_in_common_cancels() -> None:
    base = [10.0, 50.0, 90.0]
    found = paired(base, [value + 1 for value in base])
    assert (found.mean, found.low, found.high) == (1.0, 1.0, 1.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_values_does_not_matter(values: list[float], random: Random) -> None:
    mixed = list(values)
    random.shuffle(mixed)
    assert estimate(mixed) == estimate(values)


def test_ninety_five_of_a_hundred_intervals_hold_the_truth() -> None:
    random = np.random.Generator(np.random.PCG64(1))
    held = 0
    for _ in range(2_000):
        found = estimate(random.exponential(1.0, 30).tolist())
        held += found.low <= 1.0 <= found.high
    # Exponential values are skewed, so 30 of them give slightly less than 95 %.
    assert 0.91 <= held / 2_000 <= 0.96
