"""Student's t distribution: how wide an interval must be when the spread is estimated from few values."""

from functools import lru_cache
from math import exp, inf, lgamma, log, sqrt
from statistics import NormalDist

_TINY = 1e-300
_STEPS = 60


@lru_cache(maxsize=4_096)
def t_quantile(share: float, freedom: int) -> float:
    """The point below which Student's t with so many degrees of freedom (at least 1) stays with chance `share`.

    `share` is within (0, 1). Found by bisection of the distribution function, which is an incomplete beta function
    (NIST Handbook of Mathematical Functions, 8.17.22 for the continued fraction); right to about 12 digits.
    """
    if not 0 < share < 1 or freedom < 1:
        raise ValueError(f"No quantile {share} of Student's t with {freedom} degrees of freedom.")
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    low, high = 0.0, max(2.0, 2 * NormalDist().inv_cdf(share))
    while _distribution(high, freedom) < share:
        low, high = high, high * 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _distribution(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _distribution(t: float, freedom: int) -> float:
    return 1 - _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, from the front (Lentz)."""
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value, before = d, inf
    step = 0
    while abs(value - before) > 1e-15 * abs(value):
        before = value
        step += 1
        for term in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def half_width(spread: float, count: int) -> float:
    """Half the width of the 95 % interval of a mean of `count` values (at least 2) with this standard deviation."""
    return t_quantile(0.975, count - 1) * spread / sqrt(count)
