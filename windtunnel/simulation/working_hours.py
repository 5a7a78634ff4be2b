"""Working hours as arithmetic: when work begins, and when so much work is done."""

from dataclasses import dataclass
from math import ceil, floor

from windtunnel.simulation.resilience import DAY_MS, WEEK_MS, WorkingHours


@dataclass(frozen=True, slots=True)
class Calendar:
    """The open stretches of a week, in milliseconds after Monday, 0:00; time zero is `begins` after that moment."""

    opens: tuple[float, ...]
    closes: tuple[float, ...]
    begins: float
    overtime: bool

    def begin(self, now: float) -> float:
        """The first open moment from `now` on."""
        at = now + self.begins
        week = floor(at / WEEK_MS)
        rest = at - week * WEEK_MS
        for opens, closes in zip(self.opens, self.closes, strict=True):
            if rest < closes:
                return now if rest >= opens else week * WEEK_MS + opens - self.begins
        return (week + 1) * WEEK_MS + self.opens[0] - self.begins

    def finish(self, start: float, work: float) -> float:
        """When work that begins at an open moment is done: with overtime in one go, else in open time only."""
        if self.overtime:
            return start + work
        at = start + self.begins
        week = floor(at / WEEK_MS)
        rest = at - week * WEEK_MS
        stretch = 0
        while stretch < len(self.closes) - 1 and rest >= self.closes[stretch]:
            stretch += 1
        room = self.closes[stretch] - rest
        if work <= room:
            return start + work
        work -= room
        whole = 0.0
        for opens, closes in zip(self.opens, self.closes, strict=True):
            whole += closes - opens
        weeks = ceil(work / whole) - 1
        work -= weeks * whole
        week += weeks
        while True:
            stretch += 1
            if stretch == len(self.opens):
                stretch = 0
                week += 1
            room = self.closes[stretch] - self.opens[stretch]
            if work <= room:
                break
            work -= room
        return week * WEEK_MS + self.opens[stretch] + work - self.begins


def compile_calendar(hours: WorkingHours, begins: float) -> Calendar:
    """The open stretches of each week. Raises ValueError for hours that never open."""
    if not hours.days or not 0.0 <= hours.opens_ms < hours.closes_ms <= DAY_MS:
        raise ValueError("working hours must open on some day, and before they close on the same day")
    days = sorted(set(hours.days))
    return Calendar(
        opens=tuple(day * DAY_MS + hours.opens_ms for day in days),
        closes=tuple(day * DAY_MS + hours.closes_ms for day in days),
        begins=begins,
        overtime=hours.overtime,
    )
