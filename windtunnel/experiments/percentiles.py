"""Percentiles of the tasks of all replications together, with intervals that know that tasks of one are alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np
from numpy.typing import NDArray

from windtunnel.domain.experiments import Estimate
from windtunnel.experiments.estimates import NOTHING, estimate, rounded
from windtunnel.experiments.student import half_width
from windtunnel.simulation.portable import Floats

KEPT = 100_000
"""Of all replications of a side together so many times are kept, chosen by rank where there are more."""
KEPT_LEAST = 100
"""Of each replication at least so many."""


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile, and how far each replication pulls it from that of all: `pulls` add up to nothing.

    `is_bounded` unless too few tasks were seen for the upper end of its interval.
    """

    found: Estimate
    pulls: tuple[float, ...]
    is_bounded: bool = True


def kept_of(replications: int) -> int:
    """How many times of each of so many replications are kept, at most."""
    return max(KEPT // replications, KEPT_LEAST)


def thinned(times_ms: Floats, known: Floats, kept: int) -> Floats:
    """Of each row, sorted, the first `known` values, or `kept` of them: the middle one of as many groups of ranks.

    What is left of a row is infinite.
    """
    edges = _edges(known, min(kept, times_ms.shape[1]))
    middle = np.maximum(edges[:, :-1] + edges[:, 1:] - 1, 0) // 2
    chosen = np.take_along_axis(times_ms, middle, axis=1)
    return np.where(edges[:, :-1] < edges[:, 1:], chosen, np.inf)


def _edges(known: Floats, width: int) -> NDArray[np.int64]:
    """Where the groups of each row begin and end: half of them are for the slowest tenth, which says most."""
    count = known.astype(np.int64)[:, None]
    groups = np.minimum(count, width)
    calm = count * 9 // 10
    upper = np.minimum(groups // 2, count - calm)
    lower = groups - upper
    place = np.minimum(np.arange(width + 1)[None, :], groups)
    edges: NDArray[np.int64] = np.where(
        place < lower,
        place * calm // np.maximum(lower, 1),
        count - (groups - place) * (count - calm) // np.maximum(upper, 1),
    )
    return edges


def percentile(times_ms: Floats, known: Floats, share: float) -> Percentile:
    """The time that a `share` of the tasks of all replications together does not exceed.

    `times_ms` are the rows that `thinned` made, `known` says how many tasks each stands for. The mean of the
    percentiles of short replications would be off, however many there are: busy times come in long stretches, which
    are in few of them. The interval is that of the share of tasks below the percentile, whose spread is that between
    replications (a ratio, by Student's t), carried over to times by the percentiles at its ends (R. S. Woodruff,
    "Confidence intervals for medians and other position measures", J. Amer. Statist. Assoc. 47 (1952)). Where too few
    tasks were seen for its upper end, that is the longest time, or as far from the percentile as the lower one.
    """
    pool = _Pool.of(times_ms, known)
    if pool is None:
        return Percentile(NOTHING, (0.0,) * len(known))
    found = pool.at(share)
    off = pool.off(found)
    if len(off) == 1:
        return Percentile(Estimate(rounded(found), rounded(found), rounded(found)), (0.0,))
    half = half_width(sqrt(fsum(one * one for one in off) / (len(off) - 1)), len(off))
    low, high = pool.at(max(share - half, 0.0)), pool.at(min(share + half, 1.0))
    width = min(share + half, 1.0) - max(share - half, 0.0)
    steep = (high - low) / width if width else 0.0
    is_bounded = share + half <= 1.0
    if not is_bounded:
        high = max(high, 2.0 * found - low)
    pulls = tuple(-steep * one if one else 0.0 for one in off)
    return Percentile(Estimate(rounded(found), rounded(low), rounded(high)), pulls, is_bounded)


def paired_percentiles(base: Percentile, variant: Percentile) -> Estimate:
    """Variant minus base: what pulls both in the same replications cancels."""
    gap = variant.found.mean - base.found.mean
    return estimate([gap + (other - one) for one, other in zip(base.pulls, variant.pulls, strict=True)])


@dataclass(frozen=True, slots=True)
class _Pool:
    """Times of all replications: sorted, and up to the middle of how many tasks each is; rows and what they stand for.

    A time stands for so many tasks as `each` says at its place.
    """

    times: Floats
    middles: Floats
    tasks: float
    rows: Floats
    each: NDArray[np.int64]
    known: Floats

    @classmethod
    def of(cls, rows: Floats, known: Floats) -> "_Pool | None":
        each = np.diff(_edges(known, rows.shape[1]), axis=1)
        times, weights = rows[each > 0], each[each > 0]
        if not len(times):
            return None
        order = np.argsort(times, kind="stable")
        weights = weights[order]
        middles = np.cumsum(weights) - weights / 2.0
        return cls(times[order], middles, float(weights.sum()), rows, each, known)

    def at(self, share: float) -> float:
        """The time at a share of the tasks, linear between neighbours."""
        target = share * (self.tasks - 1.0) + 0.5
        after = int(np.searchsorted(self.middles, target, side="right"))
        if after in {0, len(self.times)}:
            return float(self.times[max(after - 1, 0)])
        low, high = float(self.times[after - 1]), float(self.times[after])
        begin, end = float(self.middles[after - 1]), float(self.middles[after])
        return low + (high - low) * ((target - begin) / (end - begin))

    def off(self, time: float) -> Sequence[float]:
        """How much of each replication is below a time, beyond its due share, in shares of a usual replication."""
        below = np.where(self.rows <= time, self.each, 0).sum(axis=1)
        due = float(below.sum()) / self.tasks
        usual = self.tasks / len(self.known)
        off: list[float] = ((below - due * self.known) / usual).tolist()
        return off
