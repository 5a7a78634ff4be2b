"""Logarithmic axes: where a value stands, and the ticks that people expect."""

from dataclasses import dataclass
from math import ceil, floor, log10

from windtunnel.drawing.words import duration

_MINUTE, _HOUR, _DAY = 60_000.0, 3_600_000.0, 86_400_000.0
_TIMES = (
    *(step * 10.0**power for power in range(-1, 4) for step in (1, 2, 5)),
    *(step * 1_000.0 for step in (10, 20, 30)),
    *(step * _MINUTE for step in (1, 2, 5, 10, 20, 30)),
    *(step * _HOUR for step in (1, 2, 4, 8, 12)),
    *(step * _DAY for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)),
)
TICK_ROOM = 74.0


@dataclass(frozen=True, slots=True)
class LogAxis:
    """From `low` to `high` (both above 0) drawn from `left` to `right`."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """Where a value is drawn; what is beyond an end, at the end."""
        share = log10(max(value, self.low) / self.low) / log10(self.high / self.low)
        return self.left + (self.right - self.left) * min(share, 1.0)

    def time_ticks(self, room: float = TICK_ROOM) -> list[tuple[float, str]]:
        """Round times at least `room` apart, where they stand and what they say."""
        ticks: list[tuple[float, str]] = []
        for time in _TIMES:
            if not self.low <= time <= self.high:
                continue
            x = self.at(time)
            if not ticks or x - ticks[-1][0] >= room:
                ticks.append((x, duration(time) if time >= 1 else f"{time:g} ms"))
        return ticks

    def powers(self) -> list[float]:
        """The powers of ten on the axis."""
        return [10.0**power for power in range(ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9) + 1)]
