"""How a replication begins in compiled code."""

from windtunnel.simulation.kernel.blocks import begin_streams, draw_arrivals
from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.kernel.sequence import Words
from windtunnel.simulation.kernel.tables import Tables
from windtunnel.simulation.kernel.workspace import BLOCK, Results, Workspace
from windtunnel.simulation.resilience import RETRY_BURST


@compiled
def begin(t: Tables, work: Workspace, results: Results, origin: Words, rate: float, row: int) -> None:
    """Put everything as it is before the first event."""
    ahead, places = work.ahead, work.places
    begin_streams(t.jumps, origin, ahead.states)
    draw_arrivals(t, ahead, origin, rate, results.born[row], work.tokens.entries)
    # Loops, because assigning to slices takes long to compile.
    for node in range(t.servers.size):
        for kind in range(ahead.used.shape[0]):
            ahead.used[kind, node] = BLOCK
        for column in range(places.circuits.shape[1]):
            places.circuits[node, column] = 0
        places.busy[node], places.head[node], places.in_line[node] = 0, -1, 0
        places.budget[node], places.until[node] = RETRY_BURST, 0.0
    for quota in range(t.rate.size):
        places.level[quota], places.filled[quota] = t.burst[quota], 0.0
