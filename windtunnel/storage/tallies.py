"""What operators watch: sums over all tenants, without a word of what anybody stored."""

from dataclasses import dataclass

from windtunnel.domain.rollbacks import RollbackStatus
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.storage.deployment_statements import TALLY_ROLLBACKS
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


@dataclass(frozen=True, slots=True)
class RollbackTally:
    """How many rollbacks ended with a status within `up_to_s` seconds (None: later), and the seconds they took."""

    status: RollbackStatus
    up_to_s: float | None
    rollbacks: int
    seconds: float


async def tally_rollbacks(store: Store) -> list[RollbackTally]:
    """One tally for each status and bucket that occurs, of all that are over; they do not overlap."""
    return [
        RollbackTally(
            RollbackStatus(row["status"]),
            None if row["up_to_ms"] is None else int(row["up_to_ms"]) / 1000,
            int(row["rollbacks"]),
            int(row["milliseconds"]) / 1000,
        )
        for row in await store.privileged(TALLY_ROLLBACKS)
    ]
