"""When tasks arrive, and at which entry."""

import numpy as np

from windtunnel.simulation import portable
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import Counts
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import ManyStreams, Purpose


def draw_arrivals(network: Network, streams: ManyStreams, tasks: int, arrivals_per_ms: float) -> tuple[Floats, Counts]:
    """Moments of Poisson processes in milliseconds, and for each the number of an entry node, [replication, task]."""
    gaps = portable.log(1.0 - streams.uniforms(Purpose.ARRIVALS, 0, 0, tasks)) * (-1.0 / arrivals_per_ms)
    doors = streams.uniforms(Purpose.ARRIVALS, 1, 0, tasks)
    entries = np.array(network.entry, dtype=np.int64)[(doors * len(network.entry)).astype(np.int64)]
    shape = (streams.count, tasks)
    return np.cumsum(gaps.reshape(shape), axis=1), entries.reshape(shape)
