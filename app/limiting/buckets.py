"""The buckets of points of one process, each payer's own."""

from collections.abc import Callable
from time import monotonic_ns
from typing import Protocol

from windtunnel.domain.allowances import Bucket, Draw, draw, filled, wait_for
from windtunnel.storage.lru import LRU

PAYERS_KEPT = 10_000


class Meter(Protocol):
    """Keeps a bucket for each payer, of `limit` points that are there again after a minute."""

    limit: int

    async def draw(self, payer: str, points: int) -> Draw:
        """Take the points out of the payer's bucket, all or none. Never raises."""

    def wait_ms(self, payer: str, points: int) -> int:
        """How long until the payer can pay, as far as this process knows; 0 for now. Takes nothing."""

    async def close(self) -> None:
        """Leave no task and no connection behind."""


def monotonic_ms() -> int:
    """Milliseconds of a clock that never goes back."""
    return monotonic_ns() // 1_000_000


class Buckets:
    """A `Meter` in memory. Of more than `most` payers, whoever was away for longest starts anew with a full bucket."""

    def __init__(self, limit: int, now_ms: Callable[[], int] = monotonic_ms, most: int = PAYERS_KEPT) -> None:
        self.limit = limit
        self._now_ms = now_ms
        self._buckets: LRU[str, Bucket] = LRU(most)

    async def draw(self, payer: str, points: int) -> Draw:
        """Take the points."""
        drawn = draw(self._buckets.get(payer), self.limit, points, self._now_ms())
        self._buckets.put(payer, drawn.bucket)
        return drawn

    def put(self, payer: str, units: int) -> Bucket:
        """What the payer's bucket holds now, as someone else knows."""
        bucket = Bucket(units, self._now_ms())
        self._buckets.put(payer, bucket)
        return bucket

    def wait_ms(self, payer: str, points: int) -> int:
        """How long until the payer can pay."""
        return wait_for(filled(self._buckets.get(payer), self.limit, self._now_ms()), self.limit, points)

    async def close(self) -> None:
        """Nothing is open."""
