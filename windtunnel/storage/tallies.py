"""What operators watch: sums over all tenants, without a word of what anybody stored."""

from dataclasses import dataclass

from windtunnel.domain.simulations import SimulationStatus
from windtunnel.storage.privileged import TALLY_SIMULATIONS
from windtunnel.storage.store import Store


@dataclass(frozen=True, slots=True)
class Tally:
    """How many simulations have a status, and for how many seconds they ran, those that are over."""

    status: SimulationStatus
    simulations: int
    seconds: float


async def tally(store: Store) -> list[Tally]:
    """One tally for each status that occurs. It reads every row's status: leave some seconds between two of these."""
    rows = await store.privileged(TALLY_SIMULATIONS)
    return [
        Tally(SimulationStatus(row["status"]), int(row["simulations"]), int(row["milliseconds"]) / 1000) for row in rows
    ]
