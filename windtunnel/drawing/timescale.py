"""The time axis of a timeline: linear, or with long idle stretches (people at work) shortened and marked as such."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from windtunnel.drawing.words import duration

TICK_ROOM = 92.0
GAP_SHARE = 0.16
"""How wide a shortened stretch is drawn, as a share of all that is not shortened."""
WORTHWHILE = 2.5
"""Stretches are shortened only when that makes the rest at least so many times wider."""
_STEPS_MS = (
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000, 172_800_000, 604_800_000,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch drawn shorter than it is: where it is drawn, and how long it lasts."""

    left: float
    right: float
    lasts_ms: float


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Simulated milliseconds to pixels, piece by piece."""

    times: Sequence[float]
    places: Sequence[float]
    gaps: Sequence[Gap]
    ticks: Sequence[tuple[float, str]]

    def at(self, time_ms: float) -> float:
        """Where a moment is drawn."""
        piece = min(max(bisect_left(self.times, time_ms), 1), len(self.times) - 1)
        start, end = self.times[piece - 1], self.times[piece]
        left, right = self.places[piece - 1], self.places[piece]
        return left + (right - left) * min(max((time_ms - start) / (end - start), 0.0), 1.0)


def time_scale(moments: Sequence[float], left: float, right: float) -> TimeScale:
    """An axis from 0 to the last of the moments, drawn from `left` to `right`."""
    times = sorted({0.0, *(round(moment, 3) for moment in moments)})
    if len(times) == 1:
        times.append(times[0] + 1.0)
    lengths = [end - start for start, end in pairwise(times)]
    long, short = _shortened(lengths)
    drawn = [short if length >= long else length for length in lengths]
    unit = (right - left) / sum(drawn)
    places = [left]
    for length in drawn:
        places.append(places[-1] + length * unit)
    gaps = [Gap(places[n], places[n + 1], length) for n, length in enumerate(lengths) if length >= long]
    scale = TimeScale(times, places, gaps, [])
    return TimeScale(times, places, gaps, _ticks(scale, unit, right))


def _shortened(lengths: Sequence[float]) -> tuple[float, float]:
    """From which length on stretches are shortened, and to what; from infinity on when there is nothing to shorten.

    Long are the fewest stretches without which no other stands out.
    """
    nothing = (float("inf"), 0.0)
    falling = sorted(lengths, reverse=True)
    for few in range(1, min(max(2, len(falling) // 5), len(falling) - 4) + 1):
        rest = sum(falling[few:])
        if falling[few] > rest / 2:
            continue
        short = rest * min(GAP_SHARE, 0.5 / few)
        is_worthwhile = falling[few - 1] > rest > 0 and sum(falling) > WORTHWHILE * (rest + few * short)
        return (falling[few - 1], short) if is_worthwhile else nothing
    return nothing


def _ticks(scale: TimeScale, unit: float, right: float) -> list[tuple[float, str]]:
    step = next((step for step in _STEPS_MS if step * unit >= TICK_ROOM), _STEPS_MS[-1])
    ticks: list[tuple[float, str]] = [(scale.places[0], "0")]
    for (start, end), (from_x, to_x) in zip(pairwise(scale.times), pairwise(scale.places), strict=True):
        is_shortened = any(gap.left == from_x for gap in scale.gaps)
        moments = [end] if is_shortened else [n * step for n in range(int(start // step) + 1, int(end // step) + 1)]
        for moment in moments:
            x = to_x if is_shortened else scale.at(moment)
            if x - ticks[-1][0] >= TICK_ROOM * 0.75 and x <= right - 4:
                ticks.append((x, duration(moment)))
    return ticks
