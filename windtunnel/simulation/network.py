"""A queueing network, compiled: flat columns by node number, ready for the discrete-event core."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from windtunnel.domain.architectures import Distribution
from windtunnel.simulation.extras import BEGINS_MS, Extras, compile_extras
from windtunnel.simulation.nodes import Node, Route
from windtunnel.simulation.outcome import Flags
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Purpose, Streams
from windtunnel.simulation.resilience import Quota
from windtunnel.simulation.service import level_and_spread, service_times

__all__ = ["LEAVES", "Network", "Node", "Route", "compile_network"]

LEAVES = -1
"""The node number that means: out of the network."""


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
    stream: tuple[int, ...]
    """What keys the random numbers of each node."""
    extras: Extras | None = None
    """What the plain loop does not know; None when no node uses any of it."""

    def durations(self, node: int, draws: Floats) -> Floats:
        """Service times for uniform numbers, not yet bounded by the time limit."""
        return service_times(self.distribution[node], self.level[node], self.spread[node], draws)

    def draw_attempts(self, node: int, streams: Streams, start: int, count: int) -> tuple[Floats, Flags]:
        """How long attempts of a node take, and which of them fail, by chance or by the time limit."""
        durations = self.durations(node, streams.uniforms(Purpose.SERVICE, self.stream[node], start, count))
        chances = streams.uniforms(Purpose.FAILURE, self.stream[node], start, count)
        failed = (durations > self.timeout[node]) | (chances < self.failure[node])
        return np.minimum(durations, self.timeout[node]), failed

    def targets(self, node: int, draws: Floats) -> list[int]:
        """Where work goes for uniform numbers; LEAVES for out of the network."""
        first, last = self.start[node], self.start[node + 1]
        places = np.searchsorted(self.share[first:last], draws, side="right")
        choice = (*self.target[first:last], LEAVES)
        return [choice[place] for place in places.tolist()]


def compile_network(
    nodes: Sequence[Node],
    routes: Sequence[Route],
    entry: Sequence[str],
    *,
    quotas: Sequence[Quota] = (),
    begins_ms: float = BEGINS_MS,
) -> Network:
    """Number the nodes in their order and lay everything out flat; time begins `begins_ms` after Monday, 0:00.

    Raises KeyError for a route or rework to an unknown node and for an unknown quota, ValueError for hours that
    never open.
    """
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
    levels = [level_and_spread(node.service) for node in nodes]
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
        stream=tuple(place if node.stream is None else node.stream for place, node in enumerate(nodes)),
        extras=compile_extras(nodes, quotas, begins_ms),
    )
