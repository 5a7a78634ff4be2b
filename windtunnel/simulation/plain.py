"""Many replications on the plain loop."""

import numpy as np

from windtunnel.simulation.core import simulate
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import COLUMNS, Batch


def simulate_many(network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, first: int, count: int) -> Batch:
    """Run replications `first` to `first` + `count` - 1."""
    nodes = len(network.keys)
    outcomes = [
        simulate(network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals_per_ms, replication=first + number)
        for number in range(count)
    ]
    return Batch(
        first=first,
        born_ms=np.array([one.born_ms for one in outcomes], dtype=np.float64).reshape(count, tasks),
        left_ms=np.array([one.left_ms for one in outcomes], dtype=np.float64).reshape(count, tasks),
        succeeded=np.array([one.succeeded for one in outcomes], dtype=np.bool_).reshape(count, tasks),
        delivered=np.array([one.delivered for one in outcomes], dtype=np.bool_).reshape(count, tasks),
        degraded=np.array([one.degraded for one in outcomes], dtype=np.bool_).reshape(count, tasks),
        steps=np.array([one.steps for one in outcomes], dtype=np.int64),
        end_ms=np.array([one.end_ms for one in outcomes], dtype=np.float64),
        **{
            name: np.array([[getattr(node, name) for node in one.nodes] for one in outcomes]).reshape(count, nodes)
            for name in COLUMNS
        },
    )
