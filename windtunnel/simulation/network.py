"""A queueing network, compiled: flat columns by node number, ready for the discrete-event core."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from windtunnel.domain.architectures import Distribution
from windtunnel.simulation.extras import BEGINS_MS, Extras, compile_extras
from windtunnel.simulation.nodes import Node, Route
from windtunnel.simulation.outcome import Counts, Flags
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Purpose
from windtunnel.simulation.resilience import Quota
from windtunnel.simulation.service import is_constant, level_and_spread, service_times

__all__ = ["LEAVES", "Network", "Node", "Route", "compile_network"]

LEAVES = -1
"""The node number that means: out of the network."""

Uniforms = Callable[[Purpose], Floats]
"""Draws as many numbers in (0, 1) as are needed, for a purpose."""


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

    def draw_attempts(self, node: int, uniforms: Uniforms, count: int) -> tuple[Floats, Flags]:
        """How long so many attempts of a node take, and which of them fail, by chance or by the time limit."""
        distribution, level, spread = self.distribution[node], self.level[node], self.spread[node]
        if is_constant(distribution, spread):
            durations = np.full(count, level)
        else:
            durations = service_times(distribution, level, spread, uniforms(Purpose.SERVICE))
        failed = durations > self.timeout[node]
        if self.failure[node]:
            failed |= uniforms(Purpose.FAILURE) < self.failure[node]
        return np.minimum(durations, self.timeout[node]), failed

    def draw_targets(self, node: int, uniforms: Uniforms, count: int) -> Counts:
        """Where work goes after so many successes; LEAVES for out of the network."""
        first, last = self.start[node], self.start[node + 1]
        choice = np.array([*self.target[first:last], LEAVES])
        if first == last or self.share[first] >= 1.0:
            # What goes one way only needs no numbers.
            return np.full(count, choice[0])
        return choice[np.searchsorted(self.share[first:last], uniforms(Purpose.ROUTING), side="right")]


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
