"""One attempt at a node, by formula: how long it takes and how likely it fails, with its time limit."""

from dataclasses import dataclass
from math import exp, inf, isinf, log
from statistics import NormalDist

from windtunnel.domain.architectures import Distribution
from windtunnel.simulation.network import Network

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Moments of an attempt's time in milliseconds (bounded by the time limit), and the chance that it fails.

    `success_ms` and `failure_ms` are the mean times of attempts that succeed and of those that fail.
    """

    mean_ms: float
    square_ms: float
    failure: float
    success_ms: float
    failure_ms: float


def attempt_at(network: Network, node: int) -> Attempt:
    """The attempt at a node: it fails by its own chance, or because its time limit ends it."""
    level, spread, limit = network.level[node], network.spread[node], network.timeout[node]
    if network.distribution[node] is Distribution.EXPONENTIAL:
        mean, square, late = _exponential(level, limit)
    elif network.distribution[node] is Distribution.DETERMINISTIC or spread == 0.0:
        mean, square, late = min(level, limit), min(level, limit) ** 2, float(level > limit)
    else:
        mean, square, late = _lognormal(level, spread, limit)
    in_time = 1.0 - late
    failure = 1.0 - (1.0 - network.failure[node]) * in_time
    # Those that keep their time limit take the rest of the mean, whether they fail by themselves or not.
    success = (mean - (limit * late if late else 0.0)) / in_time if in_time else 0.0
    failed = (mean - (1.0 - failure) * success) / failure if failure else 0.0
    return Attempt(mean, square, failure, success, failed)


def _exponential(mean: float, limit: float) -> tuple[float, float, float]:
    if isinf(limit) or mean == 0.0:
        return mean, 2.0 * mean * mean, 0.0
    late = exp(-limit / mean)
    return mean * (1.0 - late), 2.0 * mean * mean * (1.0 - late * (1.0 + limit / mean)), late


def _lognormal(level: float, spread: float, limit: float) -> tuple[float, float, float]:
    whole = exp(level + spread * spread / 2.0)
    whole_square = exp(2.0 * level + 2.0 * spread * spread)
    if limit == inf:
        return whole, whole_square, 0.0
    reach = (log(limit) - level) / spread
    late = 1.0 - _NORMAL.cdf(reach)
    mean = whole * _NORMAL.cdf(reach - spread) + limit * late
    square = whole_square * _NORMAL.cdf(reach - 2.0 * spread) + limit * limit * late
    return mean, square, late
