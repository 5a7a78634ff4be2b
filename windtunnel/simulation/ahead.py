"""What lies ahead of a node: service times, failures and routes, drawn in blocks before they are needed."""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import Flags, NodeStatistics
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Purpose, Streams

BLOCK_MIN = 64
BLOCK_MAX = 4_096


T = TypeVar("T")


class Supply(Generic[T]):
    """Anything that is drawn in blocks, taken one by one. `draw` gets the number of the first and how many."""

    __slots__ = ("_ahead", "_draw", "_drawn")

    def __init__(self, draw: Callable[[int, int], list[T]]) -> None:
        self._draw, self._drawn = draw, 0
        self._ahead: list[T] = []

    def take(self) -> T:
        """The next one."""
        if not self._ahead:
            count = min(max(BLOCK_MIN, self._drawn), BLOCK_MAX)
            self._ahead = self._draw(self._drawn, count)[::-1]
            self._drawn += count
        return self._ahead.pop()


class Ahead:
    """What lies ahead of one node, next one last: service time and failure per attempt, target per success."""

    def __init__(self, network: Network, node: int, streams: Streams) -> None:
        self._network, self._node, self._streams = network, node, streams
        self._attempts = self._routes = 0
        self._busy: list[Floats] = []
        self._failed: list[Flags] = []
        self.durations: list[float] = []
        self.failures: list[int] = []
        self.targets: list[int] = []

    def draw_attempts(self) -> None:
        """Draw the next block of attempts; only when none is left."""
        count = min(max(BLOCK_MIN, self._attempts), BLOCK_MAX)
        durations, failed = self._network.draw_attempts(self._node, self._streams, self._attempts, count)
        self._busy.append(durations)
        self._failed.append(failed)
        self.durations += durations[::-1].tolist()
        self.failures += failed[::-1].astype(np.int8).tolist()
        self._attempts += count

    def draw_targets(self) -> None:
        """Draw the next block of targets; only when none is left."""
        count = min(max(BLOCK_MIN, self._routes), BLOCK_MAX)
        draws = self._streams.uniforms(Purpose.ROUTING, self._network.stream[self._node], self._routes, count)
        self.targets += reversed(self._network.targets(self._node, draws))
        self._routes += count

    def statistics(self, key: str, waited: float, gave_up: int, queue_max: int) -> NodeStatistics:
        """What was consumed; durations are added one after the other, so that the sum does not depend on blocks."""
        made = self._attempts - len(self.durations)
        if not made:
            return NodeStatistics(key, 0, 0, 0, 0.0, 0.0)
        failures = int(np.count_nonzero(np.concatenate(self._failed)[:made]))
        busy = float(np.cumsum(np.concatenate(self._busy)[:made])[-1])
        visits = made - failures + gave_up
        return NodeStatistics(
            key, made, failures, visits, busy, waited, retries=failures - gave_up, queue_max=queue_max
        )
