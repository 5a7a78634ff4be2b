"""Fitting service times and failure probabilities to what was observed: maximum likelihood, and how good it is."""

from collections.abc import Sequence
from math import erfc, exp, expm1, fsum, isfinite, log, pi, sqrt
from statistics import median

from windtunnel.domain.architectures import Distribution
from windtunnel.domain.calibrations import FitQuality, FittedFailures, FittedLatency
from windtunnel.domain.errors import ValidationError

SAMPLES_MIN = 10
"""Fewer durations than this say nothing about a shape."""
ATTEMPTS_MIN = 20
"""Fewer attempts than this say too little about a probability."""

_CONSTANT_CV = 0.005
_WIDEST = 3.0
_OUTLIERS_FROM = 20
_TOO_SLOW, _TOO_FAST = 6.0, 8.0
_SAME_FACTOR = 10.0
_GOOD, _FAIR = 0.05, 0.10
_KS_95 = 1.36
_Z_95 = 1.959963984540054
_DIGITS = 6


def fit_latency(durations_ms: Sequence[float]) -> FittedLatency:
    """The service time that explains the durations best: deterministic, exponential or lognormal.

    Each is fitted by maximum likelihood; of the last two, the one with the lower information criterion (AIC) is
    taken, so that a second parameter must earn its place. Durations so far off that no shape explains them (beyond
    six robust standard deviations of the logarithm above, eight below) are left out and counted. The result is
    rounded, so that the last bits of two machines' logarithms do not matter.

    Raises ValidationError for fewer than SAMPLES_MIN durations, one that is not a positive number, and durations that
    spread over so many orders of magnitude that they cannot be of one thing.
    """
    if not all(isfinite(each) and each > 0 for each in durations_ms):
        raise ValidationError("Every duration must be a positive number of milliseconds.", rule="positive")
    if len(durations_ms) < SAMPLES_MIN:
        raise ValidationError(
            f"{len(durations_ms)} durations are too few to fit; at least {SAMPLES_MIN} are needed.", rule="too_few"
        )
    kept = _without_outliers(sorted(durations_ms))
    count = len(kept)
    mean = fsum(kept) / count
    spread = sqrt(fsum((each - mean) ** 2 for each in kept) / count)
    if spread <= _CONSTANT_CV * mean:
        # A constant has no distribution function to compare with; the tolerance makes up for it.
        return _fitted(Distribution.DETERMINISTIC, (mean, 0.0), kept, len(durations_ms), 0.0)
    logs = [log(each) for each in kept]
    mu = fsum(logs) / count
    sigma = sqrt(fsum((each - mu) ** 2 for each in logs) / count)
    if sigma > _WIDEST:
        raise ValidationError("The durations differ so much that they cannot be of one thing.", rule="too_wide")
    as_exponential = 2.0 * count * (log(mean) + 1.0) + 2.0
    as_lognormal = 2.0 * (fsum(logs) + count * (log(sigma) + 0.5 * log(2.0 * pi) + 0.5)) + 4.0
    if as_exponential <= as_lognormal:
        distance = _ks_distance([1.0 - exp(-value / mean) for value in kept])
        return _fitted(Distribution.EXPONENTIAL, (mean, 1.0), kept, len(durations_ms), distance)
    distance = _ks_distance([0.5 * erfc((mu - each) / (sigma * sqrt(2.0))) for each in logs])
    moments = exp(mu + sigma * sigma / 2.0), sqrt(expm1(sigma * sigma))
    return _fitted(Distribution.LOGNORMAL, moments, kept, len(durations_ms), distance)


def fit_failures(failures: int, attempts: int) -> FittedFailures:
    """The share of attempts that failed, with Wilson's 95 % interval, which holds for rare failures and none as well.

    Raises ValidationError for fewer than ATTEMPTS_MIN attempts, or more failures than attempts.
    """
    if not 0 <= failures <= attempts:
        raise ValidationError("There cannot be more failures than attempts, or fewer than none.", rule="range")
    if attempts < ATTEMPTS_MIN:
        raise ValidationError(
            f"{attempts} attempts are too few to say how often they fail; at least {ATTEMPTS_MIN} are needed.",
            rule="too_few",
        )
    share = failures / attempts
    weight = _Z_95 * _Z_95 / attempts
    middle = (share + weight / 2.0) / (1.0 + weight)
    reach = _Z_95 * sqrt(share * (1.0 - share) / attempts + weight / (4.0 * attempts)) / (1.0 + weight)
    low = 0.0 if failures == 0 else middle - reach
    high = 1.0 if failures == attempts else middle + reach
    return FittedFailures(attempts, failures, _rounded(share), _rounded(low), _rounded(high))


def _without_outliers(ordered: list[float]) -> list[float]:
    """The durations that one shape may explain; all of them when there are too few to tell."""
    if len(ordered) < _OUTLIERS_FROM:
        return ordered
    logs = [log(each) for each in ordered]
    middle = median(logs)
    robust = 1.4826 * median(abs(each - middle) for each in logs)
    # More than half of them equal: whatever is not of their order of magnitude is something else.
    slow, fast = (_TOO_SLOW * robust, _TOO_FAST * robust) if robust > 0 else (log(_SAME_FACTOR),) * 2
    return [value for value, each in zip(ordered, logs, strict=True) if middle - fast <= each <= middle + slow]


def _fitted(
    distribution: Distribution, moments: tuple[float, float], kept: Sequence[float], given: int, distance: float
) -> FittedLatency:
    """`moments` are mean and coefficient of variation; `given` durations there were, with the outliers."""
    count = len(kept)
    if distance <= max(_GOOD, _KS_95 / sqrt(count)):
        quality = FitQuality.GOOD
    else:
        quality = FitQuality.FAIR if distance <= _FAIR else FitQuality.POOR
    return FittedLatency(
        distribution.value,
        _rounded(moments[0]),
        _rounded(moments[1]),
        count,
        given - count,
        round(distance, 4),
        quality,
    )


def _ks_distance(below: Sequence[float]) -> float:
    """The largest distance of two distribution functions: the sample's, and the fitted one at each of its values."""
    count = len(below)
    return max(max((place + 1) / count - share, share - place / count) for place, share in enumerate(below))


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
