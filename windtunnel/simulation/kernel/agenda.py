"""The agenda in compiled code: a heap with four children per place, ordered by time, then by order of planning."""

from windtunnel.simulation.kernel.compiling import inlined
from windtunnel.simulation.outcome import Counts
from windtunnel.simulation.portable import Floats


@inlined
def push(times: Floats, orders: Counts, tokens: Counts, size: int, time: float, order: int, token: int) -> None:
    """Add an event, the last planned, to the `size` there are."""
    place = size
    while place > 0:
        parent = (place - 1) >> 2
        # Of two events at one time the one planned first comes first, and this is the last planned of all.
        if times[parent] <= time:
            break
        times[place], orders[place], tokens[place] = times[parent], orders[parent], tokens[parent]
        place = parent
    times[place], orders[place], tokens[place] = time, order, token


@inlined
def pop(times: Floats, orders: Counts, tokens: Counts, size: int) -> None:
    """Remove the first of the events, of which `size` are left."""
    time, order, token = times[size], orders[size], tokens[size]
    place = 0
    while True:
        first = 4 * place + 1
        if first >= size:
            break
        least = first
        for child in range(first + 1, min(first + 4, size)):
            if times[child] < times[least] or (times[child] == times[least] and orders[child] < orders[least]):
                least = child
        if time < times[least] or (time == times[least] and order < orders[least]):
            break
        times[place], orders[place], tokens[place] = times[least], orders[least], tokens[least]
        place = least
    times[place], orders[place], tokens[place] = time, order, token
