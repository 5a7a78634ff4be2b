"""The one door to the discrete-event core: the compiled kernel when it is ready, else the plain loop; equal results."""

import numpy as np

from windtunnel.simulation import core
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import Batch, Outcome

_PER_NODE = (
    "attempts",
    "failures",
    "visits",
    "busy_ms",
    "wait_ms",
    "retries",
    "throttled",
    "delayed",
    "short_circuited",
    "opened",
    "over_budget",
    "fallbacks",
    "fallback_failures",
    "late",
    "queue_max",
)


def simulate(network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, replication: int = 0) -> Outcome:
    """Run one replication until every token has left; as `core.simulate`, to the last bit."""
    return core.simulate(network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals_per_ms, replication=replication)


def simulate_many(network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, first: int, count: int) -> Batch:
    """Run replications `first` to `first` + `count` - 1. With the kernel the interpreter is free meanwhile."""
    outcomes = [
        simulate(network, seed=seed, tasks=tasks, arrivals_per_ms=arrivals_per_ms, replication=first + number)
        for number in range(count)
    ]
    columns = {
        name: np.array([[getattr(node, name) for node in one.nodes] for one in outcomes]).reshape(count, -1)
        for name in _PER_NODE
    }
    return Batch(
        first=first,
        born_ms=np.array([one.born_ms for one in outcomes]).reshape(count, tasks),
        left_ms=np.array([one.left_ms for one in outcomes]).reshape(count, tasks),
        succeeded=np.array([one.succeeded for one in outcomes]).reshape(count, tasks),
        degraded=np.array([one.degraded for one in outcomes]).reshape(count, tasks),
        steps=np.array([one.steps for one in outcomes]),
        end_ms=np.array([one.end_ms for one in outcomes]),
        **columns,
    )


def kernel_ready() -> bool:
    """Whether replications run on the compiled kernel."""
    return False
