"""What is counted after the warm-up, in compiled code: sums at the end of that time less those at its beginning."""

from windtunnel.simulation.kernel import codes
from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.outcome import Counts
from windtunnel.simulation.portable import Floats


@compiled
def count_on(count: Counts, sums: Floats, busy: Counts, sign: int) -> None:
    """Add to what is counted all that there is of it so far, or take it away."""
    for node in range(busy.size):
        sums[codes.COUNTED_BUSY, node] += sign * sums[codes.BUSY, node]
        sums[codes.COUNTED_WAIT, node] += sign * sums[codes.WAIT, node]
        tried = count[codes.ATTEMPTS, node] + busy[node] + count[codes.SHORT_CIRCUITED, node]
        count[codes.COUNTED_VISITS, node] += sign * (tried - count[codes.RETRIES, node])
