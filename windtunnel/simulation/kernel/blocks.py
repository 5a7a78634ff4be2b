"""Blocks of what lies ahead of a node, drawn in compiled code from the same streams as in the plain loop."""

import math

import numpy as np

from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.kernel.mathematics import fill_logs, lognormals
from windtunnel.simulation.kernel.sequence import Words, add, multiply, uniforms
from windtunnel.simulation.kernel.tables import EXPONENTIAL, LOGNORMAL, Tables
from windtunnel.simulation.kernel.workspace import BLOCK, Ahead
from windtunnel.simulation.network import LEAVES
from windtunnel.simulation.outcome import Counts, Flags
from windtunnel.simulation.portable import Floats
from windtunnel.simulation.randomness import Purpose

_ARRIVALS, _SERVICE, _FAILURE, _ROUTING, _JITTER, _FALLBACK_SERVICE, _FALLBACK_FAILURE, _FLAW, _CATCH = map(
    int, Purpose
)


@compiled
def begin_streams(jumps: Words, origin: Words, states: Words) -> None:
    """Put every stream, [node, purpose], at its beginning; `origin` is state and step of the sequence, in halves."""
    for node in range(jumps.shape[0]):
        for purpose in range(jumps.shape[1]):
            by = jumps[node, purpose]
            high, low = multiply(by[0], by[1], origin[0], origin[1])
            other_high, other_low = multiply(by[2], by[3], origin[2], origin[3])
            high, low = add(high, low, other_high, other_low)
            states[node, purpose, 0] = high
            states[node, purpose, 1] = low


@compiled
def advance(used: Counts, kind: int, node: int) -> int:
    """The place in a node's block of what comes next; 0 when the block has to be drawn first."""
    place = used[kind, node]
    if place == BLOCK:
        place = 0
    used[kind, node] = place + 1
    return int(place)


@compiled
def draw_services(t: Tables, ahead: Ahead, origin: Words, node: int) -> None:
    """The next attempts of a node, as `Network.draw_attempts`."""
    times, failing, states = ahead.services[node], ahead.failing[node], ahead.states[node]
    _draw_times(t.kind[node], t.level[node], t.spread[node], states[_SERVICE], origin, times, ahead.spare)
    _draw_failures(t.failure[node], t.timeout[node], states[_FAILURE], origin, times, failing, ahead.spare)


@compiled
def draw_fallbacks(t: Tables, ahead: Ahead, origin: Words, node: int) -> None:
    """What the fallback of a node does the next times."""
    times, failing, states = ahead.fallbacks[node], ahead.fallback_failing[node], ahead.states[node]
    kind, level, spread = t.fallback_kind[node], t.fallback_level[node], t.fallback_spread[node]
    _draw_times(kind, level, spread, states[_FALLBACK_SERVICE], origin, times, ahead.spare)
    chance, state = t.fallback_failure[node], states[_FALLBACK_FAILURE]
    _draw_failures(chance, math.inf, state, origin, times, failing, ahead.spare)


@compiled
def draw_jitters(t: Tables, ahead: Ahead, origin: Words, node: int) -> None:
    """What is left of the next pauses of a node."""
    into = ahead.jitters[node]
    uniforms(ahead.states[node, _JITTER], origin, into)
    for place in range(into.size):
        into[place] = 1.0 - t.jitter[node] * into[place]


@compiled
def draw_flaws(t: Tables, ahead: Ahead, origin: Words, node: int) -> None:
    """Which of the next results of a node are wrong."""
    uniforms(ahead.states[node, _FLAW], origin, ahead.spare)
    for place in range(ahead.spare.size):
        ahead.flaws[node, place] = ahead.spare[place] < t.flaw[node]


@compiled
def draw_catches(t: Tables, ahead: Ahead, origin: Words, node: int) -> None:
    """Which of the next flaws that come to a node it notices."""
    uniforms(ahead.states[node, _CATCH], origin, ahead.spare)
    for place in range(ahead.spare.size):
        ahead.catches[node, place] = ahead.spare[place] < t.catch[node]


@compiled
def draw_routes(t: Tables, ahead: Ahead, origin: Words, node: int) -> None:
    """Where tokens go after the next successes at a node."""
    first, last = t.start[node], t.start[node + 1]
    into, drawn = ahead.targets[node], ahead.spare
    if first == last or t.share[first] >= 1.0:
        # What goes one way only needs no numbers.
        for place in range(into.size):
            into[place] = LEAVES if first == last else t.target[first]
        return
    uniforms(ahead.states[node, _ROUTING], origin, drawn)
    for place in range(into.size):
        route = first
        while route < last and t.share[route] <= drawn[place]:
            route += 1
        into[place] = t.target[route] if route < last else LEAVES


@compiled
def draw_arrivals(t: Tables, ahead: Ahead, origin: Words, rate: float, born: Floats, entries: Counts) -> None:
    """When tasks are born and where they enter, as `arrivals.draw_arrivals`."""
    tasks, block, drawn = born.size, ahead.spare.size, ahead.spare
    for first in range(0, tasks, block):
        uniforms(ahead.states[0, _ARRIVALS], origin, drawn)
        for place in range(block):
            drawn[place] = 1.0 - drawn[place]
        fill_logs(drawn)
        for place in range(min(block, tasks - first)):
            born[first + place] = drawn[place] * (-1.0 / rate)
        uniforms(ahead.states[1, _ARRIVALS], origin, drawn)
        for place in range(min(block, tasks - first)):
            entries[first + place] = t.entry[np.int64(drawn[place] * t.entry.size)]
    for place in range(1, tasks):
        born[place] += born[place - 1]


@compiled
def _draw_times(
    kind: int, level: float, spread: float, state: Words, origin: Words, into: Floats, spare: Floats
) -> None:
    if kind == LOGNORMAL:
        uniforms(state, origin, into)
        lognormals(into, spare, level, spread)
    elif kind == EXPONENTIAL:
        uniforms(state, origin, into)
        for place in range(into.size):
            into[place] = 1.0 - into[place]
        fill_logs(into)
        for place in range(into.size):
            into[place] *= -level
    else:
        for place in range(into.size):
            into[place] = level


@compiled
def _draw_failures(
    chance: float, timeout: float, state: Words, origin: Words, times: Floats, failing: Flags, spare: Floats
) -> None:
    """Which attempts fail, by chance or by the time limit, which then bounds their times."""
    if chance > 0.0:
        uniforms(state, origin, spare)
    else:
        for place in range(spare.size):
            spare[place] = 1.0
    for place in range(times.size):
        failing[place] = (times[place] > timeout) | (spare[place] < chance)
        times[place] = min(times[place], timeout)
