"""Breakers, quotas and calendars in compiled code: the rules of `safeguards` and `working_hours` on arrays."""

import math

import numpy as np

from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.outcome import Counts, Flags
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.resilience import WEEK_MS

CLOSED, OPEN, HALF_OPEN = 0, 1, 2

STATE, OPENED, KEPT, NEXT, FAILURES = 0, 1, 2, 3, 4
"""What a row of a circuit holds: its state, how often it opened, results kept, place of the oldest, failures among."""


@compiled
def refuses(circuits: Counts, until: Floats, node: int, now: float) -> bool:
    """Whether an attempt that would begin now is short-circuited."""
    state = circuits[node, STATE]
    return bool((state == OPEN and now < until[node]) or state == HALF_OPEN)


@compiled
def begin_attempt(circuits: Counts, node: int) -> int:
    """An attempt that was not refused begins; the answer is what `end_attempt` asks for."""
    if circuits[node, STATE] == OPEN:
        circuits[node, STATE] = HALF_OPEN
    return int(circuits[node, OPENED])


@compiled
def end_attempt(circuits: Counts, results: Flags, node: int, window: int, limit: int, begun: int, failed: bool) -> bool:
    """An attempt ended: whether the breaker opens. One that began before it last opened counts for nothing."""
    if begun != circuits[node, OPENED]:
        return False
    if circuits[node, STATE] == HALF_OPEN:
        circuits[node, STATE] = CLOSED
        opens = failed
    else:
        place = circuits[node, NEXT]
        if circuits[node, KEPT] == window:
            circuits[node, FAILURES] -= np.int64(results[node, place])
        else:
            circuits[node, KEPT] += 1
        results[node, place] = failed
        circuits[node, NEXT] = place + 1 if place + 1 < window else 0
        circuits[node, FAILURES] += np.int64(failed)
        opens = circuits[node, KEPT] == window and circuits[node, FAILURES] >= limit
    if opens:
        circuits[node, STATE] = OPEN
        circuits[node, OPENED] += 1
        circuits[node, KEPT] = circuits[node, NEXT] = circuits[node, FAILURES] = 0
    return opens


@compiled
def take_tokens(
    levels: Floats, filled: Floats, quota: int, rate: float, burst: float, waits: int, tokens: float, now: float
) -> float:
    """When the tokens are there: now; later, if the quota waits; else never (infinity), and none are taken."""
    level = min(burst, levels[quota] + (now - filled[quota]) * rate)
    filled[quota] = now
    come = now
    if level < tokens:
        come = now + (tokens - level) / rate if waits else math.inf
    levels[quota] = level if come == math.inf else level - tokens
    return come


@compiled
def begin_work(opens: Floats, closes: Floats, first: int, last: int, begins: float, now: float) -> float:
    """The first open moment from `now` on, in the stretches `first` to `last` - 1."""
    at = now + begins
    week = math.floor(at / WEEK_MS)
    rest = at - week * WEEK_MS
    for stretch in range(first, last):
        if rest < closes[stretch]:
            return now if rest >= opens[stretch] else float(week * WEEK_MS + opens[stretch] - begins)
    return float((week + 1) * WEEK_MS + opens[first] - begins)


@compiled
def finish_work(
    opens: Floats, closes: Floats, first: int, last: int, begins: float, start: float, work: float
) -> float:
    """When work that begins at an open moment is done, in open time only."""
    at = start + begins
    week = math.floor(at / WEEK_MS)
    rest = at - week * WEEK_MS
    stretch = first
    while stretch < last - 1 and rest >= closes[stretch]:
        stretch += 1
    room = closes[stretch] - rest
    if work <= room:
        return start + work
    work -= room
    whole = 0.0
    for place in range(first, last):
        whole += closes[place] - opens[place]
    weeks = math.ceil(work / whole) - 1
    work -= weeks * whole
    week += weeks
    while True:
        stretch += 1
        if stretch == last:
            stretch = first
            week += 1
        room = closes[stretch] - opens[stretch]
        if work <= room:
            break
        work -= room
    return float(week * WEEK_MS + opens[stretch] + work - begins)
