"""Estimates: a mean with its 95 % confidence interval, from one value per replication."""

from collections.abc import Sequence
from math import fsum, inf, isfinite, sqrt

from windtunnel.domain.experiments import Estimate
from windtunnel.experiments.student import half_width, t_quantile

__all__ = ["NOTHING", "Estimate", "estimate", "paired", "ratio_estimate", "rounded", "share", "share_estimate"]

_DIGITS = 10
_RARE = 30
_NORMAL = 1.959963984540054


NOTHING = Estimate(0.0, 0.0, 0.0)


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of independent values with its interval (Student's t, n - 1 degrees of freedom).

    Values that are not finite (a replication without a single success has no latency) are left out. Sums are exact,
    so the order of the values does not matter; ten digits are kept, in which all machines agree.
    """
    known = [value for value in values if isfinite(value)]
    if not known:
        return NOTHING
    mean = fsum(known) / len(known)
    if len(known) == 1:
        return Estimate(rounded(mean), rounded(mean), rounded(mean))
    spread = sqrt(fsum((value - mean) ** 2 for value in known) / (len(known) - 1))
    half = half_width(spread, len(known))
    return Estimate(rounded(mean), rounded(mean - half), rounded(mean + half))


def ratio_estimate(parts: Sequence[float], wholes: Sequence[float]) -> Estimate:
    """All parts over all wholes, e.g. time waited over visits, with its interval; 0 when there is no whole at all.

    A mean of ratios would be off by what the wholes vary. The interval is that of the mean of each part's distance from
    its due share (W. G. Cochran, "Sampling Techniques" (1977), 6.4), by Student's t.
    """
    whole = fsum(wholes)
    if not whole:
        return NOTHING
    ratio, usual = fsum(parts) / whole, whole / len(wholes)
    return estimate([ratio + (part - ratio * one) / usual for part, one in zip(parts, wholes, strict=True)])


def share(found: Estimate) -> Estimate:
    """What cannot be below 0 or above 1, nor can its interval."""
    return Estimate(*(min(max(value, 0.0), 1.0) for value in (found.mean, found.low, found.high)))


def share_estimate(values: Sequence[float], tasks: int) -> Estimate:
    """The share of tasks that something is true of, from the share among `tasks` tasks of each replication.

    The interval is that of E. B. Wilson ("Probable inference", J. Amer. Statist. Assoc. 22 (1927)) for as many
    independent tasks as would vary like the replications do, by Student's t: it stays within 0 and 1, and something
    that never happened is not certain never to happen. Where it happened, or failed to happen, less than thirty times,
    the spread between replications is hardly known, and is taken to be no less than that of independent tasks.
    """
    count, mean = len(values), fsum(values) / len(values)
    own = mean * (1.0 - mean) / (count * tasks)
    spread = fsum((value - mean) ** 2 for value in values) / (count - 1) / count if count > 1 else 0.0
    is_rare = min(mean, 1.0 - mean) * count * tasks < _RARE
    if spread > own or (not is_rare and count > 1):
        wide, independent = t_quantile(0.975, count - 1), mean * (1.0 - mean) / spread if spread else inf
    else:
        wide, independent = _NORMAL, float(count * tasks)
    pull = wide**2 / independent
    middle = (mean + pull / 2.0) / (1.0 + pull)
    half = sqrt(pull * mean * (1.0 - mean) + pull**2 / 4.0) / (1.0 + pull)
    # What never, or always, happened is on the border, whatever rounding does.
    low, high = min(middle - half, mean) if mean > 0.0 else 0.0, max(middle + half, mean) if mean < 1.0 else 1.0
    return share(Estimate(rounded(mean), rounded(low), rounded(high)))


def paired(base: Sequence[float], variant: Sequence[float]) -> Estimate:
    """Variant minus base, replication by replication: common random numbers cancel what both have in common."""
    return estimate([other - one for one, other in zip(base, variant, strict=True)])


def rounded(value: float) -> float:
    """So many digits as all machines agree in."""
    return float(f"{value:.{_DIGITS}g}")
