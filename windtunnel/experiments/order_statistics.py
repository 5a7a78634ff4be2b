"""The time until k of n independent branches have come through, by formula.

H. A. David, H. N. Nagaraja, "Order Statistics" (2003), 5.2 for branches that differ. The integral of the chance that
too few have come is taken piece by piece by the rule of Gauss and Legendre, right to about ten digits.
"""

from itertools import pairwise
from math import erf, exp, inf, log, sqrt

import numpy as np

from windtunnel.domain.architectures import Distribution
from windtunnel.experiments.traffic import Traffic
from windtunnel.simulation.network import Network
from windtunnel.simulation.service import is_constant

_FINE, _PIECES = 1e-13, 48
_POINTS: list[float]
_WEIGHTS: list[float]
_POINTS, _WEIGHTS = (values.tolist() for values in np.polynomial.legendre.leggauss(16))
_LONGEST = 700.0
"""So many mean times are as good as for ever."""
_WORK = 2_000_000
"""More steps than this take more than a second or so: then there is no answer."""


class Branch:
    """How likely one branch has come through by a time."""

    def __init__(
        self, ways: list[tuple[float, float, int]], service: tuple[Distribution | None, float, float], limit: float
    ) -> None:
        # Each way: its chance, the time it takes at least, and how many services it takes beyond that.
        self.ways, self.service, self.limit = ways, service, limit

    @classmethod
    def of(cls, network: Network, traffic: Traffic, node: int) -> "Branch | None":
        """None where several attempts have a sum of times that no formula gives."""
        kind, level, spread = network.distribution[node], network.level[node], network.spread[node]
        failure, limit = network.failure[node], network.timeout[node]
        once = network.attempts[node] == 1 or traffic.attempt[node].failure == 0.0
        if is_constant(kind, spread) or not traffic.attempt[node].mean_ms:
            fails = traffic.attempt[node].failure
            each = min(level, limit)
            ways = [
                (fails**tried * (1.0 - fails), (tried + 1) * each + network.backoff[node] * (2.0**tried - 1.0), 0)
                for tried in range(network.attempts[node])
            ]
            return cls(ways, (None, 0.0, 0.0), inf)
        if once:
            return cls([(1.0 - failure, 0.0, 1)], (kind, level, spread), limit)
        if kind is Distribution.EXPONENTIAL and limit == inf:
            ways = [
                (failure**tried * (1.0 - failure), network.backoff[node] * (2.0**tried - 1.0), tried + 1)
                for tried in range(network.attempts[node])
            ]
            return cls(ways, (kind, level, spread), inf)
        return None

    @property
    def borders(self) -> list[float]:
        """Where the chance jumps or bends."""
        return [least for _, least, _ in self.ways] + ([] if self.limit == inf else [self.limit])

    def by(self, time: float) -> float:
        """The chance."""
        return sum(chance * self._served(min(time, self.limit) - least, times) for chance, least, times in self.ways)

    def _served(self, time: float, times: int) -> float:
        kind, level, spread = self.service
        if time < 0.0 or (time == 0.0 and times):
            return 0.0
        if not times or time == inf:
            return 1.0
        if kind is Distribution.LOGNORMAL:
            return (1.0 + erf((log(time) - level) / spread / sqrt(2.0))) / 2.0
        if time > _LONGEST * level:
            return 1.0
        # Erlang's distribution: so many exponential services, one after the other.
        term, rest = 1.0, 0.0
        for number in range(times):
            rest += term
            term *= time / level / (number + 1)
        return 1.0 - exp(-time / level) * rest


def order_statistic(quorum: int, branches: list[Branch]) -> float | None:
    """The mean time until so many branches have come through, of those times when so many do.

    None where that would take long, or comes to nothing.
    """
    in_the_end = at_least(quorum, [one.by(inf) for one in branches])

    def left(time: float) -> float:
        return in_the_end - at_least(quorum, [one.by(time) for one in branches])

    borders = sorted({0.0, *(border for one in branches for border in one.borders)})
    steps = sum(1 + times for one in branches for _, _, times in one.ways) + len(branches) ** 2
    last = max(borders[-1], 1.0)
    while last < inf and left(last) > _FINE * in_the_end:
        last *= 2.0
    if len(borders) * _PIECES * len(_POINTS) * steps > _WORK or not in_the_end or last == inf:
        return None
    grid = {0.0} | {last * 2.0**-step for step in range(_PIECES)} | {border for border in borders if border < last}
    grid |= {border + (last - border) * 2.0**-step for border in borders for step in range(_PIECES)}
    total = 0.0
    for low, high in pairwise(sorted(grid)):
        half = (high - low) / 2.0
        total += half * sum(
            weight * left(low + half * (1.0 + point)) for point, weight in zip(_POINTS, _WEIGHTS, strict=True)
        )
    return total / in_the_end


def at_least(quorum: int, chances: list[float]) -> float:
    """The chance that at least so many of independent things happen."""
    many = [1.0] + [0.0] * len(chances)
    for chance in chances:
        for place in range(len(chances), 0, -1):
            many[place] = many[place] * (1.0 - chance) + many[place - 1] * chance
        many[0] *= 1.0 - chance
    return sum(many[quorum:])
