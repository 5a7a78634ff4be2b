"""The entrance to the compiled code: one replication after the other."""

from windtunnel.simulation.kernel.compiling import entrance
from windtunnel.simulation.kernel.loop import run
from windtunnel.simulation.kernel.sequence import Words
from windtunnel.simulation.kernel.tables import Tables
from windtunnel.simulation.kernel.workspace import Results, Workspace


@entrance
def replicate(
    tables: Tables, work: Workspace, results: Results, origins: Words, rate: float, warmup: int, most: int, row: int
) -> tuple[int, int]:
    """Run replications from `row` on, up to the first that needs more room, or makes more tokens, than it may have.

    Says which one that is, and how many tokens, or forks at work, it would have made.
    """
    made = 0
    while row < origins.shape[0] and not made:
        made = run(tables, work, results, origins[row], rate, warmup, most, row)
        row += not made
    return row, made
