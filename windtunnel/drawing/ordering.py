"""Order inside the rows of a layered drawing: barycentre sweeps that keep the order with the fewest crossings."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

SWEEPS = 12


def ordered(
    rows: Sequence[Sequence[int]], up: Sequence[Sequence[int]], down: Sequence[Sequence[int]]
) -> list[list[int]]:
    """The rows, each reordered. `up` and `down` list each node's neighbours in the row above and below."""
    best = [list(row) for row in rows]
    fewest = crossings(best, down)
    current = [list(row) for row in best]
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        _sweep(current, up if sweep % 2 == 0 else down, downwards=sweep % 2 == 0)
        found = crossings(current, down)
        if found < fewest:
            best, fewest = [list(row) for row in current], found
    return best


def crossings(rows: Sequence[Sequence[int]], down: Sequence[Sequence[int]]) -> int:
    """How many pairs of arcs between neighbouring rows cross."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {node: position for position, node in enumerate(lower)}
        seen: list[int] = []
        for node in upper:
            ends = sorted(place[child] for child in down[node])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _sweep(rows: list[list[int]], towards: Sequence[Sequence[int]], *, downwards: bool) -> None:
    numbers = range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1)
    for number in numbers:
        fixed = rows[number - 1 if downwards else number + 1]
        place = {node: position for position, node in enumerate(fixed)}
        row = rows[number]
        weight = {
            node: sum(place[other] for other in towards[node]) / len(towards[node])
            if towards[node]
            else float(position)
            for position, node in enumerate(row)
        }
        row.sort(key=weight.__getitem__)
