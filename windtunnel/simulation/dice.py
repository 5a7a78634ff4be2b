"""Keyed random numbers of a told simulation: the same seed and key give the same number, whatever else happens."""

from collections.abc import Sequence
from hashlib import blake2b
from math import exp, expm1, log, log1p, sqrt
from statistics import NormalDist
from typing import TypeVar

from windtunnel.domain.architectures import Distribution, ServiceTime

T = TypeVar("T")
Key = str | int

_STANDARD_NORMAL = NormalDist()
_TINY = 2.0**-60
_LONGEST_MS = 365 * 86_400_000.0
_WIDEST = 100.0


class Dice:
    """Draws that depend on (seed, key) alone, so that one more fault leaves every other draw as it was."""

    __slots__ = ("_seed",)

    def __init__(self, seed: int) -> None:
        self._seed = seed.to_bytes(16, "big", signed=True)

    def uniform(self, *key: Key) -> float:
        """A number in [0, 1)."""
        return (int.from_bytes(self._digest(8, key), "big") >> 11) * 2.0**-53

    def between(self, low: float, high: float, *key: Key) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.uniform(*key)

    def whole(self, low: int, high: int, *key: Key) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.uniform(*key) * (high - low + 1))

    def pick(self, options: Sequence[T], *key: Key) -> T:
        """One of the options, each with the same chance."""
        return options[int(self.uniform(*key) * len(options))]

    def sample(self, options: Sequence[T], count: int, *key: Key) -> list[T]:
        """`count` of the options in their own order; all of them when there are no more."""
        if len(options) <= count:
            return list(options)
        ranked = sorted(range(len(options)), key=lambda place: self.uniform(*key, place))
        return [options[place] for place in sorted(ranked[:count])]

    def hex(self, digits: int, *key: Key) -> str:
        """An identifier of so many hexadecimal digits (an even number)."""
        return self._digest(digits // 2, key).hex()

    def duration(self, service: ServiceTime, *key: Key, limit_ms: float | None = None) -> float:
        """Simulated milliseconds that one step takes, to the microsecond; with `limit_ms`, given that it is kept.

        The inverse of the distribution function is used, so a larger draw is always a longer step. Rounding hides
        the last bits, in which the mathematical libraries of two machines may differ.
        """
        draw = self.uniform(*key)
        mean, sigma = min(service.mean_ms, _LONGEST_MS), sqrt(log1p(min(service.cv, _WIDEST) ** 2))
        if mean <= 0:
            return 0.0
        limit = _LONGEST_MS if limit_ms is None else min(limit_ms * 0.95, _LONGEST_MS)
        if service.distribution is Distribution.EXPONENTIAL:
            found = -mean * log1p(-draw * -expm1(-limit / mean))
        elif service.distribution is Distribution.DETERMINISTIC or sigma == 0:
            found = mean
        else:
            middle = log(mean) - sigma**2 / 2
            below = _STANDARD_NORMAL.cdf((log(limit) - middle) / sigma)
            found = exp(middle + sigma * _STANDARD_NORMAL.inv_cdf(max(draw * below, _TINY)))
        return round(min(found, limit), 3)

    def _digest(self, size: int, key: Sequence[Key]) -> bytes:
        return blake2b("\x1f".join(map(str, key)).encode(), digest_size=size, key=self._seed).digest()
