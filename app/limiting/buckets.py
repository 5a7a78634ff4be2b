"""The buckets of points of one process, each payer's own."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic_ns
from typing import Protocol

from windtunnel.domain.allowances import MINUTE_MS, Bucket, Draw, draw, filled, wait_for

PAYERS_KEPT = 10_000
"""Of each kind, before those are forgotten whose bucket is full."""
HARD_BOUND = 5
"""How many times as many there may be while theirs are not."""
LOOKED_AT = 4
"""How many are looked at for each that comes."""


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
    """A `Meter` in memory: tenants and addresses apart, so that no number of strangers pushes a tenant out."""

    def __init__(self, limit: int, now_ms: Callable[[], int] = monotonic_ms, most: int = PAYERS_KEPT) -> None:
        self.limit = limit
        self._now_ms = now_ms
        self._most = most
        self._shelves: dict[str, _Shelf] = {}

    async def draw(self, payer: str, points: int) -> Draw:
        """Take the points."""
        shelf = self._shelf(payer)
        drawn = draw(shelf.get(payer), self.limit, points, self._now_ms())
        shelf.put(payer, drawn.bucket)
        return drawn

    def put(self, payer: str, units: int) -> Bucket:
        """What the payer's bucket holds now, as someone else knows."""
        bucket = Bucket(units, self._now_ms())
        self._shelf(payer).put(payer, bucket)
        return bucket

    def wait_ms(self, payer: str, points: int) -> int:
        """How long until the payer can pay."""
        return wait_for(filled(self._shelf(payer).get(payer), self.limit, self._now_ms()), self.limit, points)

    async def close(self) -> None:
        """Nothing is open."""

    def _shelf(self, payer: str) -> "_Shelf":
        """The shelf of the payer's kind, the word before the colon."""
        kind = payer.partition(":")[0]
        return self._shelves.setdefault(kind, _Shelf(self.limit, self._most))


class _Shelf:
    """Buckets of one kind of payer. One that is full by now tells no more than none does, and goes first."""

    def __init__(self, limit: int, most: int) -> None:
        self._limit = limit
        self._most = most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def get(self, payer: str) -> Bucket | None:
        return self._buckets.get(payer)

    def put(self, payer: str, bucket: Bucket) -> None:
        """Keep the bucket, and of more than `most` drop the full ones; others only above several times as many."""
        self._buckets[payer] = bucket
        self._buckets.move_to_end(payer)
        for _ in range(min(LOOKED_AT, len(self._buckets) - self._most)):
            oldest, held = self._buckets.popitem(last=False)
            if not _is_full(held, self._limit, bucket.at_ms) and len(self._buckets) < HARD_BOUND * self._most:
                self._buckets[oldest] = held  # looked at again when the others have been


def _is_full(bucket: Bucket, limit: int, now_ms: int) -> bool:
    return filled(bucket, limit, now_ms).units >= limit * MINUTE_MS
