"""When tasks arrive, and at which entry."""

import numpy as np

from windtunnel.simulation import portable
from windtunnel.simulation.network import Network
from windtunnel.simulation.outcome import Counts
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Purpose, Streams


def draw_arrivals(network: Network, streams: Streams, tasks: int, arrivals_per_ms: float) -> tuple[Floats, Counts]:
    """Moments of a Poisson process in milliseconds, and for each the number of an entry node, each as likely."""
    gaps = streams.uniforms(Purpose.ARRIVALS, 0, 0, tasks)
    born = np.cumsum(portable.log(1.0 - gaps) * (-1.0 / arrivals_per_ms))
    doors = streams.uniforms(Purpose.ARRIVALS, 1, 0, tasks)
    return born, np.array(network.entry, dtype=np.int64)[(doors * len(network.entry)).astype(np.int64)]
