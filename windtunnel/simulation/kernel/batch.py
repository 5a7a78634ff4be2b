"""Many replications on the kernel."""

import numpy as np

from windtunnel.simulation.kernel.replications import replicate
from windtunnel.simulation.kernel.sequence import MULTIPLIER, Words
from windtunnel.simulation.kernel.tables import halves, tabulate
from windtunnel.simulation.kernel.workspace import COUNTS, make_results, make_workspace
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import Batch
from windtunnel.simulation.randomness import PERIOD, seeds
from windtunnel.simulation.tokens import ENDLESS, tokens_max


def simulate_many(
    network: Network, *, seed: int, tasks: int, arrivals_per_ms: float, first: int, count: int, warmup: int = 0
) -> Batch:
    """Run replications `first` to `first` + `count` - 1, without the interpreter's lock."""
    tables, nodes = tabulate(network), len(network.keys)
    origins = _origins(seed, first, count)
    results = make_results(count, nodes, tasks)
    # Without forks there are never more tokens than tasks; with them, try until they have room.
    most = tokens_max(tasks)
    room = 4 * tasks + 64 if tables.fork.any() else tasks
    done = 0
    while done < count:
        work = make_workspace(tables, tasks, room)
        done, made = replicate(tables, work, results, origins, arrivals_per_ms, warmup, most, done)
        if made > most:
            raise ValueError(ENDLESS)
        if made:
            room = min(2 * room, most)
            for column in results:
                column[done] = 0
    return Batch(
        first=first,
        born_ms=results.born,
        left_ms=results.left,
        succeeded=results.succeeded,
        delivered=results.delivered,
        degraded=results.degraded,
        steps=results.steps,
        end_ms=results.ends,
        busy_ms=results.sums[:, 0],
        wait_ms=results.sums[:, 1],
        counted_busy_ms=results.sums[:, 2],
        counted_wait_ms=results.sums[:, 3],
        **{name: results.counts[:, place] for place, name in enumerate(COUNTS)},
    )


def _origins(seed: int, first: int, count: int) -> Words:
    """State and step of the sequence of each replication, in halves: those of `randomness.generator`, sooner."""
    origins = np.empty((count, 4), dtype=np.uint64)
    for place in range(count):
        high, low, step_high, step_low = seeds(seed, first + place).generate_state(4, np.uint64).tolist()
        step = ((step_high << 64 | step_low) << 1 | 1) % PERIOD
        state = ((step + (high << 64 | low)) * MULTIPLIER + step) % PERIOD
        origins[place] = halves(state) + halves(step)
    return origins
