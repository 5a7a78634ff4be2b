"""How many of the first tasks to leave out: those that met a network that was still filling."""

import numpy as np

from windtunnel.simulation.outcome import Batch

PILOTS = 20
"""So many replications, the first ones, say how long the network fills."""
_GROUP = 5
_LEAST = 100
_SHARE = 10


def warmup_tasks(pilot: Batch) -> int:
    """The truncation point of MSER-5, at least a tenth and at most half of the tasks; 0 for less than 100 tasks.

    The mean latency of the n-th task over the pilot replications is averaged in groups of five; left out is what makes
    the standard error of the rest least (K. P. White, "An effective truncation heuristic for bias reduction in
    simulation output", Simulation 69 (1997)). Few pilots often do not show a beginning that is there, and intervals
    would hold the truth less often than they claim: hence the tenth.
    """
    tasks: int = pilot.succeeded.shape[1]
    if tasks < _LEAST:
        return 0
    stay = np.where(pilot.succeeded, pilot.left_ms - pilot.born_ms, 0.0).sum(axis=0)
    known = pilot.succeeded.sum(axis=0)
    groups = tasks // _GROUP
    sums = stay[: groups * _GROUP].reshape(groups, _GROUP).sum(axis=1)
    counts = known[: groups * _GROUP].reshape(groups, _GROUP).sum(axis=1)
    if not counts.all():
        # Where hardly anything succeeds there is no latency whose start could mislead.
        return 0
    means = sums / counts
    errors = [float(np.var(means[cut:])) / (groups - cut) for cut in range(groups // 2 + 1)]
    return max(int(np.argmin(errors)) * _GROUP, tasks // _SHARE)
