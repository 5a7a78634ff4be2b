"""A queueing network, and its compiled form: flat arrays by node number, ready for the discrete-event core."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from windtunnel.domain.architectures import Distribution, ServiceTime
from windtunnel.simulation import portable
from windtunnel.simulation.portable import Floats

LEAVES = -1
"""The node number that means: out of the network."""


@dataclass(frozen=True, slots=True)
class Node:
    """A place of service: `servers` at once, the rest in line. Times are milliseconds, `timeout_ms` bounds an attempt.

    A failed attempt takes its full service time, then backs off without a server (`backoff_ms`, doubling) and queues
    anew, at most `max_attempts` times.
    """

    key: str
    service: ServiceTime
    servers: int = 1
    failure_probability: float = 0.0
    timeout_ms: float | None = None
    max_attempts: int = 1
    backoff_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where work goes after a success: the shares of a node sum to at most 1, and the rest leaves."""

    source: str
    target: str
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Network:
    """Nodes as parallel columns, routes in compressed sparse rows: those of node n are start[n] to start[n + 1].

    `spread` is the sigma of a lognormal service time and `level` its mu; for the others `level` is the mean.
    """

    keys: tuple[str, ...]
    servers: tuple[int, ...]
    distribution: tuple[Distribution, ...]
    level: tuple[float, ...]
    spread: tuple[float, ...]
    failure: tuple[float, ...]
    timeout: tuple[float, ...]
    attempts: tuple[int, ...]
    backoff: tuple[float, ...]
    start: tuple[int, ...]
    share: Floats = field(compare=False)
    target: tuple[int, ...]
    entry: tuple[int, ...]

    def durations(self, node: int, draws: Floats) -> Floats:
        """Service times for uniform numbers, not yet bounded by the time limit."""
        level, spread = self.level[node], self.spread[node]
        if self.distribution[node] is Distribution.EXPONENTIAL:
            return portable.log(1.0 - draws) * -level
        if self.distribution[node] is Distribution.DETERMINISTIC or spread == 0.0:
            return np.full_like(draws, level)
        return portable.exp(portable.normal_quantile(draws) * spread + level)

    def targets(self, node: int, draws: Floats) -> list[int]:
        """Where work goes for uniform numbers; LEAVES for out of the network."""
        first, last = self.start[node], self.start[node + 1]
        places = np.searchsorted(self.share[first:last], draws, side="right")
        choice = (*self.target[first:last], LEAVES)
        return [choice[place] for place in places.tolist()]


def compile_network(nodes: Sequence[Node], routes: Sequence[Route], entry: Sequence[str]) -> Network:
    """Number the nodes in their order and lay everything out flat. Raises KeyError for a route to an unknown node."""
    number = {node.key: place for place, node in enumerate(nodes)}
    start, shares, targets = [0], [], []
    for node in nodes:
        total = 0.0
        for route in routes:
            if route.source == node.key:
                total += route.probability
                # Shares that sum to one but for rounding leave nobody over.
                shares.append(1.0 if total > 1.0 - 1e-9 else total)
                targets.append(number[route.target])
        start.append(len(targets))
    levels = [_level_and_spread(node.service) for node in nodes]
    return Network(
        keys=tuple(number),
        servers=tuple(node.servers for node in nodes),
        distribution=tuple(node.service.distribution for node in nodes),
        level=tuple(level for level, _ in levels),
        spread=tuple(spread for _, spread in levels),
        failure=tuple(node.failure_probability for node in nodes),
        timeout=tuple(inf if node.timeout_ms is None else float(node.timeout_ms) for node in nodes),
        attempts=tuple(node.max_attempts for node in nodes),
        backoff=tuple(node.backoff_ms for node in nodes),
        start=tuple(start),
        share=np.array(shares, dtype=np.float64),
        target=tuple(targets),
        entry=tuple(number[key] for key in entry),
    )


def _level_and_spread(service: ServiceTime) -> tuple[float, float]:
    if service.distribution is not Distribution.LOGNORMAL or service.cv <= 0 or service.mean_ms <= 0:
        return service.mean_ms, 0.0
    variance = portable.log(np.array([1.0 + service.cv * service.cv]))
    level = portable.log(np.array([service.mean_ms])) - variance / 2.0
    return float(level[0]), float(np.sqrt(variance)[0])
