"""What operators watch of environments and deployments. It reads much: leave some seconds between two looks."""

from dataclasses import dataclass
from enum import StrEnum

from windtunnel.storage.store import Store
from windtunnel.storage.tally_statements import LONGEST_WAITS, TALLY_STATUSES, TALLY_STEPS


class Ended(StrEnum):
    """How a step ended whose duration is told: validations, attempts to deploy, and provisioning environments."""

    IN_REVIEW = "review"
    INVALID = "invalid"
    LIVE = "live"
    FAILED = "failed"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class StepTally:
    """How many steps ended so within `up_to_s` seconds (None: later), and the seconds that they took."""

    ended: Ended
    up_to_s: float | None
    times: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PipelineTally:
    """Of all tenants.

    `statuses` counts things by kind (`environment`, `deployment`, `version`) and status, `waits` has the seconds that
    the oldest thing in each queue has waited, 0 when there is none.
    """

    statuses: dict[tuple[str, str], int]
    steps: tuple[StepTally, ...]
    waits: dict[str, float]


async def tally_pipeline(store: Store) -> PipelineTally:
    """As it is now. Raises UnavailableError."""
    statuses = await store.privileged(TALLY_STATUSES)
    steps = await store.privileged(TALLY_STEPS)
    waits = await store.privileged(LONGEST_WAITS)
    return PipelineTally(
        statuses={(row["kind"], row["status"]): int(row["things"]) for row in statuses},
        steps=tuple(
            StepTally(
                Ended(row["step"]),
                None if row["up_to_ms"] is None else int(row["up_to_ms"]) / 1000,
                int(row["times"]),
                int(row["milliseconds"]) / 1000,
            )
            for row in steps
        ),
        waits={row["queue"]: max(0, int(row["waited_ms"] or 0)) / 1000 for row in waits},
    )
