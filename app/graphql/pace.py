"""How fast a socket talks: so much is free, however little its messages ask for."""

from collections.abc import Callable

from app.limiting.buckets import monotonic_ms
from windtunnel.domain.allowances import Bucket, draw

CHARACTERS_OF_A_MESSAGE = 16 * 1024
"""A longer message counts as several."""


class Pace:
    """Counts the messages of one socket, of which `free` in a minute cost nothing."""

    def __init__(self, free: int, now_ms: Callable[[], int] = monotonic_ms) -> None:
        self._free = free
        self._now_ms = now_ms
        self._bucket: Bucket | None = None

    def price(self, characters: int) -> int:
        """What one more message of this length costs in points: 0 as long as it is not one too many."""
        count = 1 + characters // CHARACTERS_OF_A_MESSAGE
        drawn = draw(self._bucket, self._free, count, self._now_ms())
        self._bucket = drawn.bucket
        return 0 if drawn.paid else count
