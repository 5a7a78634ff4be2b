"""Many replications on the plain loops."""

import numpy as np

from windtunnel.simulation.ahead import FirstBlocks
from windtunnel.simulation.arrivals import draw_arrivals
from windtunnel.simulation.core import Ran, run
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import COLUMNS, TIMES, Batch
from windtunnel.simulation.randomness import ManyStreams, Streams
from windtunnel.simulation.resilient import simulate_resilient

_TOGETHER = 64
"""Replications whose first numbers are drawn at once."""
_OF_NODES = tuple(name for name in COLUMNS if name in Ran._fields)


def simulate_many(
    network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, first: int, count: int, warmup: int = 0
) -> Batch:
    """Run replications `first` to `first` + `count` - 1."""
    batch = _empty(first, count, tasks, len(network.keys))
    for start in range(0, count, _TOGETHER):
        rows = range(start, min(start + _TOGETHER, count))
        streams = [Streams(seed, first + row) for row in rows]
        batch.born_ms[rows.start : rows.stop], entries = draw_arrivals(
            network, ManyStreams(streams), tasks, arrivals_per_ms
        )
        blocks = FirstBlocks(network, streams, tasks)
        for row in rows:
            place = row - start
            if network.extras:
                born, first_blocks = batch.born_ms[row], blocks.lists(place)
                batch.put(
                    row,
                    simulate_resilient(
                        network,
                        network.extras,
                        streams[place],
                        born,
                        entries[place],
                        first=first_blocks,
                        warmup=warmup,
                    ),
                )
                continue
            ahead = blocks.of(place)
            ran = run(network, batch.born_ms[row].tolist(), entries[place].tolist(), ahead, warmup=warmup, log=None)
            batch.left_ms[row], batch.succeeded[row] = ran.left_ms, ran.succeeded
            batch.steps[row], batch.end_ms[row] = ran.steps, ran.end_ms
            for name in _OF_NODES:
                getattr(batch, name)[row] = getattr(ran, name)
            batch.failures[row] = [one.attempts - one.successes for one in ahead]
            batch.retries[row] = batch.attempts[row] - batch.visits[row]
            batch.delivered[row] = batch.succeeded[row]
    return batch


def _empty(first: int, count: int, tasks: int, nodes: int) -> Batch:
    return Batch(
        first=first,
        born_ms=np.zeros((count, tasks)),
        left_ms=np.zeros((count, tasks)),
        succeeded=np.zeros((count, tasks), dtype=np.bool_),
        delivered=np.zeros((count, tasks), dtype=np.bool_),
        degraded=np.zeros((count, tasks), dtype=np.bool_),
        steps=np.zeros(count, dtype=np.int64),
        end_ms=np.zeros(count),
        busy_ms=np.zeros((count, nodes)),
        wait_ms=np.zeros((count, nodes)),
        counted_busy_ms=np.zeros((count, nodes)),
        counted_wait_ms=np.zeros((count, nodes)),
        **{name: np.zeros((count, nodes), dtype=np.int64) for name in COLUMNS if name not in TIMES},
    )
