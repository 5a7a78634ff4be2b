"""How long tasks took, counted in fixed buckets: the counts of two pieces of work simply add up."""

import numpy as np
from numpy.typing import NDArray

from windtunnel.domain.experiments import LatencyBin
from windtunnel.simulation.portable import Floats

PER_DECADE = 20
_FIRST, _LAST = -1, 10
EDGES: Floats = np.array(
    [float(f"{10.0 ** ((step + 0.5) / PER_DECADE):.6g}") for step in range(_FIRST * PER_DECADE, _LAST * PER_DECADE)]
)
"""The borders between buckets in milliseconds, evenly spaced on a logarithmic scale, from 0.1 ms to 120 days.

None is a round number: times that are always the same are round, and a border there would split them by rounding.
"""
BUCKETS = len(EDGES) + 1
"""The first takes what is shorter than all borders, the last what is longer."""

Counts = NDArray[np.int64]


def counted(times_ms: Floats) -> Counts:
    """How many of the times fall into each bucket; those that are not finite fall into none."""
    known = times_ms[np.isfinite(times_ms)]
    found: Counts = np.bincount(np.searchsorted(EDGES, known, side="right"), minlength=BUCKETS).astype(np.int64)
    return found


def bins_of(counts: Counts) -> tuple[LatencyBin, ...]:
    """The buckets from the first to the last that have any tasks."""
    filled = np.flatnonzero(counts)
    if not len(filled):
        return ()
    edges = [0.0, *EDGES.tolist(), float(f"{10.0 ** (_LAST + 1):.6g}")]
    return tuple(
        LatencyBin(edges[place], edges[place + 1], int(counts[place])) for place in range(filled[0], filled[-1] + 1)
    )
