"""What a payer may spend: a bucket of points that fills up steadily, in whole numbers."""

from dataclasses import dataclass
from datetime import datetime

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is in a bucket at a moment; `units` are points times MINUTE_MS: each millisecond adds `limit` of them."""

    units: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Draw:
    """The outcome of drawing points. `wait_ms` is 0 when they were `paid`, else how long until they can be."""

    bucket: Bucket
    paid: bool
    wait_ms: int


@dataclass(slots=True)
class Bill:
    """What one request costs in points, and what its payer has left. Without a `limit` nothing else is known."""

    points: int = 0
    limit: int | None = None
    remaining: int = 0
    reset_at: datetime | None = None
    """When everything that was spent will be there again."""

    async def pay(self, points: int) -> None:
        """Add to the bill. Where somebody counts it raises RateLimitedError when the payer has too little left."""
        self.points += points


def filled(bucket: Bucket | None, limit: int, now_ms: int) -> Bucket:
    """The bucket now, `limit` being the points that it holds and gets in a minute; an unknown one (None) is full.

    A clock that goes back fills nothing and takes nothing.
    """
    full = limit * MINUTE_MS
    if bucket is None:
        return Bucket(full, now_ms)
    since = max(0, now_ms - bucket.at_ms)
    return Bucket(min(full, bucket.units + since * limit), max(now_ms, bucket.at_ms))


def draw(bucket: Bucket | None, limit: int, points: int, now_ms: int) -> Draw:
    """Take points out of a bucket, all or none."""
    now = filled(bucket, limit, now_ms)
    wait_ms = wait_for(now, limit, points)
    if wait_ms:
        return Draw(now, paid=False, wait_ms=wait_ms)
    return Draw(Bucket(now.units - points * MINUTE_MS, now.at_ms), paid=True, wait_ms=0)


def wait_for(bucket: Bucket, limit: int, points: int) -> int:
    """Milliseconds from the bucket's moment until it has the points; until it is full when it never will."""
    missing = points * MINUTE_MS - bucket.units
    if missing <= 0:
        return 0
    return max(1, -(-min(missing, limit * MINUTE_MS - bucket.units) // limit))


def points_in(bucket: Bucket) -> int:
    """Whole points in the bucket."""
    return bucket.units // MINUTE_MS


def full_in_ms(bucket: Bucket, limit: int) -> int:
    """Milliseconds until nothing more fits."""
    return -(-(limit * MINUTE_MS - bucket.units) // limit)
