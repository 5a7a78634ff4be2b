"""What lies ahead of a node: service times, failures and routes, drawn in blocks before they are needed."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

import numpy as np

from windtunnel.simulation.network import Network, Uniforms
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import ManyStreams, Streams

BLOCK_MIN = 64
BLOCK_MAX = 4_096


Block = tuple[list[float], list[int], list[int]]
"""How long attempts of a node take, which of them fail, and where work goes after successes."""

T = TypeVar("T")


class Supply(Generic[T]):
    """Anything that is drawn in blocks, taken one by one. `draw` gets the number of the first and how many."""

    __slots__ = ("_ahead", "_draw", "_drawn")

    def __init__(self, draw: Callable[[int, int], list[T]], ahead: list[T] | None = None) -> None:
        self._draw = draw
        # What was drawn elsewhere already, the last one first.
        self._ahead: list[T] = ahead or []
        self._drawn = len(self._ahead)

    def take(self) -> T:
        """The next one."""
        if not self._ahead:
            count = min(max(BLOCK_MIN, self._drawn), BLOCK_MAX)
            self._ahead = self._draw(self._drawn, count)[::-1]
            self._drawn += count
        return self._ahead.pop()


class Ahead:
    """What lies ahead of one node, next one last: service time and failure per attempt, target per success."""

    __slots__ = ("_attempts", "_network", "_node", "_routes", "_streams", "_times", "durations", "failures", "targets")

    def __init__(self, network: Network, node: int, streams: Streams) -> None:
        self._network, self._node, self._streams = network, node, streams
        self._attempts = self._routes = 0
        self._times: list[Floats] = []
        self.durations: list[float] = []
        self.failures: list[int] = []
        self.targets: list[int] = []

    def draw_attempts(self) -> None:
        """Draw the next block of attempts; only when none is left."""
        start, count = self._attempts, min(max(BLOCK_MIN, self._attempts), BLOCK_MAX)
        durations, failed = self._network.draw_attempts(self._node, self._uniforms(start, count), count)
        self.put_attempts(durations, durations[::-1].tolist(), failed[::-1].astype(np.int8).tolist())

    def put_attempts(self, times: Floats, durations: list[float], failures: list[int]) -> None:
        """Take a block of attempts that was drawn elsewhere; the lists begin with the last one."""
        self._times.append(times)
        self.durations += durations
        self.failures += failures
        self._attempts += len(durations)

    def draw_targets(self) -> None:
        """Draw the next block of targets; only when none is left."""
        start, count = self._routes, min(max(BLOCK_MIN, self._routes), BLOCK_MAX)
        self.put_targets(self._network.draw_targets(self._node, self._uniforms(start, count), count)[::-1].tolist())

    def put_targets(self, targets: list[int]) -> None:
        """Take a block of targets that was drawn elsewhere, which begins with the last one."""
        self.targets += targets
        self._routes += len(targets)

    def _uniforms(self, start: int, count: int) -> Uniforms:
        stream = self._network.stream[self._node]
        return lambda purpose: self._streams.uniforms(purpose, stream, start, count)

    @property
    def attempts(self) -> int:
        """How many were taken."""
        return self._attempts - len(self.durations)

    @property
    def successes(self) -> int:
        """How many targets were taken, which is how many attempts succeeded."""
        return self._routes - len(self.targets)

    def busy_ms(self, *counts: int) -> list[float]:
        """What so many of the first attempts took, added one after the other, so that no sum depends on blocks."""
        sums = np.cumsum(np.concatenate(self._times)[: max(counts)]) if max(counts) else None
        return [0.0 if sums is None or not count else float(sums[count - 1]) for count in counts]


class FirstBlocks:
    """The first blocks of every node of several replications, drawn at once: calls of numpy cost more than numbers."""

    def __init__(self, network: Network, streams: Sequence[Streams], tasks: int) -> None:
        self._network, self._streams = network, streams
        many = ManyStreams(streams)
        self._times: list[Floats] = []
        self._lists: list[tuple[list[list[float]], list[list[int]], list[list[int]]]] = []
        for node, count in enumerate(_sizes(network, tasks)):
            size, shape = count * len(streams), (len(streams), count)
            uniforms = partial(many.uniforms, node=network.stream[node], start=0, count=count)
            durations, failed = network.draw_attempts(node, uniforms, size)
            times = durations.reshape(shape)
            failures = failed.astype(np.int8).reshape(shape)
            targets = network.draw_targets(node, uniforms, size).reshape(shape)
            self._times.append(times)
            self._lists.append((times[:, ::-1].tolist(), failures[:, ::-1].tolist(), targets[:, ::-1].tolist()))

    def of(self, row: int) -> list[Ahead]:
        """What lies ahead of each node in one of the replications."""
        ahead = [Ahead(self._network, node, self._streams[row]) for node in range(len(self._times))]
        for one, times, (durations, failures, targets) in zip(ahead, self._times, self.lists(row), strict=True):
            one.put_attempts(times[row], durations, failures)
            one.put_targets(targets)
        return ahead

    def lists(self, row: int) -> list[Block]:
        """The blocks of each node in one of the replications, the last number first."""
        return [(durations[row], failures[row], targets[row]) for durations, failures, targets in self._lists]


def _sizes(network: Network, tasks: int) -> list[int]:
    """About how many attempts each node makes, and a few more; blocks of any size give the same results."""
    nodes = len(network.keys)
    visits = np.zeros(nodes)
    np.add.at(visits, list(network.entry), tasks / len(network.entry))
    coming, total = visits, visits.copy()
    # A few rounds tell enough; work that goes round more often is drawn later.
    for _ in range(8):
        going = np.zeros(nodes)
        for node in range(nodes):
            share = 0.0
            for place in range(network.start[node], network.start[node + 1]):
                going[network.target[place]] += coming[node] * (network.share[place] - share)
                share = network.share[place]
        coming = going
        total += coming
    failure, most = np.array(network.failure), np.array(network.attempts)
    attempts = total * np.where(failure < 1.0, (1.0 - failure**most) / np.maximum(1.0 - failure, 1e-9), most)
    sizes: list[int] = np.clip(attempts + 2.0 * np.sqrt(attempts) + 4.0, 8, BLOCK_MAX).astype(np.int64).tolist()
    return sizes
