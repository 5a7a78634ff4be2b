"""Fits against samples whose origin is known, against worked examples, and against nonsense."""

from math import exp, log, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.domain.calibrations import FitQuality
from windtunnel.domain.errors import ValidationError
from windtunnel.telemetry.fitting import ATTEMPTS_MIN, SAMPLES_MIN, fit_failures, fit_latency


def _lognormal(mean: float, cv: float, count: int, seed: int = 1) -> list[float]:
    sigma = sqrt(log(1 + cv * cv))
    random = Random(seed)
    return [random.lognormvariate(log(mean) - sigma * sigma / 2, sigma) for _ in range(count)]


def _exponential(mean: float, count: int, seed: int = 1) -> list[float]:
    random = Random(seed)
    return [random.expovariate(1 / mean) for _ in range(count)]


@pytest.mark.parametrize(("mean", "cv"), [(5.0, 0.2), (1_200.0, 0.8), (60_000.0, 2.0)])
@pytest.mark.parametrize("seed", range(5))
def test_lognormal_samples_give_their_parameters_back(mean: float, cv: float, seed: int) -> None:
    fit = fit_latency(_lognormal(mean, cv, 4_000, seed))
    assert fit.distribution == "lognormal"
    assert fit.mean_ms == pytest.approx(mean, rel=0.12 if cv > 1 else 0.04)
    assert fit.cv == pytest.approx(cv, rel=0.1)
    assert (fit.quality, fit.samples + fit.outliers) == (FitQuality.GOOD, 4_000)
    assert fit.ks_distance < 0.03


@pytest.mark.parametrize("seed", range(10))
def test_exponential_samples_give_their_mean_back(seed: int) -> None:
    fit = fit_latency(_exponential(250.0, 3_000, seed))
    assert (fit.distribution, fit.cv, fit.quality) == ("exponential", 1.0, FitQuality.GOOD)
    assert fit.mean_ms == pytest.approx(250.0, rel=0.06)
    assert fit.outliers <= 3


def test_a_constant_is_deterministic_even_when_clocks_tremble() -> None:
    random = Random(3)
    fit = fit_latency([40.0 + random.uniform(-0.05, 0.05) for _ in range(500)])
    assert (fit.distribution, fit.cv, fit.ks_distance) == ("deterministic", 0.0, 0.0)
    assert fit.mean_ms == pytest.approx(40.0, abs=0.01)


def test_outliers_are_left_out_and_counted() -> None:
    clean = _lognormal(300.0, 0.5, 1_000)
    fit = fit_latency([*clean, 9e9, 8e9, 1e-7])
    assert (fit.outliers, fit.samples) == (3, 1_000)
    assert fit.mean_ms == fit_latency(clean).mean_ms
    steady = fit_latency([20.0] * 99 + [60_000.0])
    assert (steady.distribution, steady.mean_ms, steady.outliers) == ("deterministic", 20.0, 1)


def test_two_modes_are_a_poor_fit_and_say_so() -> None:
    fit = fit_latency([*_lognormal(10.0, 0.1, 500), *_lognormal(2_000.0, 0.1, 500)])
    assert fit.quality is FitQuality.POOR
    assert fit.ks_distance > 0.2


def test_a_fit_by_hand() -> None:
    fit = fit_latency([exp(1.9), exp(2.1)] * 10)
    # The logarithms have mean 2 and standard deviation 0.1.
    assert fit.mean_ms == pytest.approx(exp(2.005), rel=1e-5)
    assert fit.cv == pytest.approx(sqrt(exp(0.01) - 1), rel=1e-5)
    # Half of them lie one standard deviation below, where the normal distribution has come to 0.1587.
    assert fit.ks_distance == pytest.approx(0.5 - 0.1587, abs=1e-4)


@pytest.mark.parametrize(
    ("failures", "attempts", "low", "high"),
    # Wilson's interval, as in Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_of_shares_are_wilsons(failures: int, attempts: int, low: float, high: float) -> None:
    fit = fit_failures(failures, attempts)
    assert fit.probability == pytest.approx(failures / attempts, rel=1e-5)
    assert (fit.low, fit.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(ATTEMPTS_MIN, 10**9), st.data())
def test_an_interval_holds_its_share(attempts: int, data: st.DataObject) -> None:
    fit = fit_failures(data.draw(st.integers(0, attempts)), attempts)
    assert 0 <= fit.low <= fit.probability <= fit.high <= 1


@settings(max_examples=200, deadline=None)
@given(st.floats(1e-9, 1e9), st.lists(st.floats(1.0, 400.0), min_size=SAMPLES_MIN, max_size=80))
def test_whatever_took_time_can_be_fitted(unit: float, factors: list[float]) -> None:
    durations = [unit * factor for factor in factors]
    fit = fit_latency(durations)
    assert min(durations) * 0.99 <= fit.mean_ms <= max(durations) * 100
    assert 0 <= fit.cv < 100
    assert 0 <= fit.ks_distance <= 1
    assert fit.samples + fit.outliers == len(durations)
    assert fit.samples >= len(durations) / 2
    assert fit == fit_latency(durations[::-1])


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_nonsense_is_refused(bad: float) -> None:
    with pytest.raises(ValidationError) as refused:
        fit_latency([1.0] * 50 + [bad])
    assert refused.value.rule == "positive"


def test_durations_of_different_things_are_refused() -> None:
    with pytest.raises(ValidationError) as refused:
        fit_latency([10.0**power for power in range(-6, 9)])
    assert refused.value.rule == "too_wide"


def test_too_little_is_refused() -> None:
    with pytest.raises(ValidationError) as few:
        fit_latency([1.0] * (SAMPLES_MIN - 1))
    assert few.value.rule == "too_few"
    with pytest.raises(ValidationError) as rare:
        fit_failures(1, ATTEMPTS_MIN - 1)
    assert rare.value.rule == "too_few"
    with pytest.raises(ValidationError) as wrong:
        fit_failures(21, 20)
    assert wrong.value.rule == "range"
