"""What stands between a token and an attempt: a node's breaker and retry budget, and the buckets of the quotas."""

from collections import deque
from enum import IntEnum
from math import inf

from windtunnel.simulation.resilience import RETRY_BURST

ALMOST_ONE = 1.0 - 1e-9
"""A whole retry, for the budget: ten tenths add up to a little less than one."""


class CircuitState(IntEnum):
    """Of a circuit breaker; half open while its probe is under way."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


class Circuit:
    """A circuit breaker at work. The rules are those of `resilience.Breaker`."""

    __slots__ = ("_failures", "_limit", "_open_ms", "_results", "_until", "_window", "opened", "state")

    def __init__(self, window: int, limit: int, open_ms: float) -> None:
        self._window, self._limit, self._open_ms = window, limit, open_ms
        self._results: deque[bool] = deque()
        self._failures = 0
        self._until = 0.0
        self.state = CircuitState.CLOSED
        self.opened = 0

    def refuses(self, now: float) -> bool:
        """Whether an attempt that would begin now is short-circuited."""
        if self.state is CircuitState.OPEN:
            return now < self._until
        return self.state is CircuitState.HALF_OPEN

    def begin(self) -> int:
        """An attempt that was not refused begins; the answer is what `end` asks for."""
        if self.state is CircuitState.OPEN:
            self.state = CircuitState.HALF_OPEN
        return self.opened

    def end(self, begun: int, now: float, *, failed: bool) -> None:
        """An attempt ended; one that began before the breaker last opened counts for nothing."""
        if begun != self.opened:
            return
        if self.state is CircuitState.HALF_OPEN:
            self.state = CircuitState.CLOSED
            if failed:
                self._open(now)
            return
        if len(self._results) == self._window:
            self._failures -= self._results.popleft()
        self._results.append(failed)
        self._failures += failed
        if len(self._results) == self._window and self._failures >= self._limit:
            self._open(now)

    def _open(self, now: float) -> None:
        self.state = CircuitState.OPEN
        self._until = now + self._open_ms
        self.opened += 1
        self._results.clear()
        self._failures = 0


class Budget:
    """The retries that a node may still make."""

    __slots__ = ("_left", "_share")

    def __init__(self, share: float) -> None:
        self._share, self._left = share, RETRY_BURST

    def earn(self) -> None:
        """A visit begins."""
        self._left = min(RETRY_BURST, self._left + self._share)

    def spend(self) -> bool:
        """Take a retry, if there is one."""
        if self._left < ALMOST_ONE:
            return False
        self._left -= 1.0
        return True


class Bucket:
    """The tokens of one quota, `rate` of which come each millisecond."""

    __slots__ = ("_burst", "_level", "_rate", "_since", "_waits")

    def __init__(self, rate: float, burst: float, *, waits: bool) -> None:
        self._rate, self._burst, self._waits = rate, burst, waits
        self._level, self._since = burst, 0.0

    def take(self, tokens: float, now: float) -> float:
        """When the tokens are there: now; later, if the quota waits; else never (infinity), and none are taken."""
        self._level = min(self._burst, self._level + (now - self._since) * self._rate)
        self._since = now
        if self._level >= tokens:
            self._level -= tokens
            return now
        if not self._waits:
            return inf
        come = now + (tokens - self._level) / self._rate
        self._level -= tokens
        return come
