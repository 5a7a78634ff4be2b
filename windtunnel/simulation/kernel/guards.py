"""Breakers, quotas and calendars in compiled code: the rules of `safeguards` and `working_hours` on arrays."""

import math

import numpy as np

from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.kernel.tables import Tables
from windtunnel.simulation.kernel.workspace import Places
from windtunnel.simulation.resilience import WEEK_MS

CLOSED, OPEN, HALF_OPEN = 0, 1, 2

STATE, OPENED, KEPT, NEXT, FAILURES = 0, 1, 2, 3, 4
"""What a row of a circuit holds: its state, how often it opened, results kept, place of the oldest, failures among."""


@compiled
def refuses(places: Places, node: int, now: float) -> bool:
    """Whether an attempt that would begin now is short-circuited."""
    state = places.circuits[node, STATE]
    return bool((state == OPEN and now < places.until[node]) or state == HALF_OPEN)


@compiled
def begin_attempt(places: Places, node: int) -> int:
    """An attempt that was not refused begins; the answer is what `end_attempt` asks for."""
    if places.circuits[node, STATE] == OPEN:
        places.circuits[node, STATE] = HALF_OPEN
    return int(places.circuits[node, OPENED])


@compiled
def end_attempt(t: Tables, places: Places, node: int, begun: int, now: float, failed: bool) -> None:
    """An attempt ended; one that began before the breaker last opened counts for nothing."""
    circuit, results = places.circuits[node], places.results[node]
    if begun != circuit[OPENED]:
        return
    if circuit[STATE] == HALF_OPEN:
        circuit[STATE] = CLOSED
        opens = failed
    else:
        place = circuit[NEXT]
        if circuit[KEPT] == t.window[node]:
            circuit[FAILURES] -= np.int64(results[place])
        else:
            circuit[KEPT] += 1
        results[place] = failed
        circuit[NEXT] = place + 1 if place + 1 < t.window[node] else 0
        circuit[FAILURES] += np.int64(failed)
        opens = circuit[KEPT] == t.window[node] and circuit[FAILURES] >= t.limit[node]
    if opens:
        circuit[STATE] = OPEN
        circuit[OPENED] += 1
        circuit[KEPT] = circuit[NEXT] = circuit[FAILURES] = 0
        places.until[node] = now + t.open_ms[node]


@compiled
def take_tokens(t: Tables, places: Places, node: int, now: float) -> float:
    """When the tokens are there: now; later, if the quota waits; else never (infinity), and none are taken."""
    quota, tokens = t.quota[node], t.tokens[node]
    level = min(t.burst[quota], places.level[quota] + (now - places.filled[quota]) * t.rate[quota])
    places.filled[quota] = now
    come = now
    if level < tokens:
        come = now + (tokens - level) / t.rate[quota] if t.waits[quota] else math.inf
    places.level[quota] = level if come == math.inf else level - tokens
    return come


@compiled
def begin_work(t: Tables, node: int, now: float) -> float:
    """The first open moment from `now` on; the node has hours."""
    at = now + t.begins[node]
    week = math.floor(at / WEEK_MS)
    rest = at - week * WEEK_MS
    first, last = t.hours[node], t.hours[node + 1]
    for stretch in range(first, last):
        if rest < t.closes[stretch]:
            return now if rest >= t.opens[stretch] else float(week * WEEK_MS + t.opens[stretch] - t.begins[node])
    return float((week + 1) * WEEK_MS + t.opens[first] - t.begins[node])


@compiled
def finish_work(t: Tables, node: int, start: float, work: float) -> float:
    """When work that begins at an open moment is done: with overtime in one go, else in open time only."""
    if t.overtime[node]:
        return start + work
    first, last = t.hours[node], t.hours[node + 1]
    at = start + t.begins[node]
    week = math.floor(at / WEEK_MS)
    rest = at - week * WEEK_MS
    stretch = first
    while stretch < last - 1 and rest >= t.closes[stretch]:
        stretch += 1
    room = t.closes[stretch] - rest
    if work <= room:
        return start + work
    work -= room
    whole = 0.0
    for place in range(first, last):
        whole += t.closes[place] - t.opens[place]
    weeks = math.ceil(work / whole) - 1
    work -= weeks * whole
    week += weeks
    while True:
        stretch += 1
        if stretch == last:
            stretch = first
            week += 1
        room = t.closes[stretch] - t.opens[stretch]
        if work <= room:
            break
        work -= room
    return float(week * WEEK_MS + t.opens[stretch] + work - t.begins[node])
