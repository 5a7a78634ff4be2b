"""Rows of a layered drawing: every arc points to a later row once those that close a cycle are turned round."""

from collections.abc import Sequence
from math import ceil

Arc = tuple[int, int]
"""From node, to node."""


def turned(count: int, arcs: Sequence[Arc], back: Sequence[bool]) -> list[bool]:
    """Which arcs to draw against their direction so that no cycle is left.

    Those marked `back` (feedback) yield first; then, if cycles remain, those that close one in depth-first order.
    """
    order = _order(count, [arc for arc, is_back in zip(arcs, back, strict=True) if not is_back])
    return [order[source] > order[target] for source, target in arcs]


def _order(count: int, arcs: Sequence[Arc]) -> list[int]:
    """Position of each node in an order that respects all arcs but those that close a cycle."""
    after: list[list[int]] = [[] for _ in range(count)]
    arriving = [0] * count
    for source, target in arcs:
        if source != target:
            after[source].append(target)
            arriving[target] += 1
    starts = sorted(range(count), key=lambda node: (arriving[node] > 0, node))
    seen = [False] * count
    left: list[int] = []
    for start in starts:
        stack: list[tuple[int, int]] = [] if seen[start] else [(start, 0)]
        seen[start] = True
        while stack:
            node, taken = stack.pop()
            if taken == len(after[node]):
                left.append(node)
                continue
            stack.append((node, taken + 1))
            child = after[node][taken]
            if not seen[child]:
                seen[child] = True
                stack.append((child, 0))
    position = [0] * count
    for place, node in enumerate(reversed(left)):
        position[node] = place
    return position


def rows_of(count: int, arcs: Sequence[Arc], widest: int) -> list[int]:
    """The row of each node: its longest distance from a start, with rows of more than `widest` nodes split evenly.

    `arcs` must be free of cycles (self-loops are ignored).
    """
    level = _levels(count, arcs)
    members: list[list[int]] = [[] for _ in range(max(level, default=-1) + 1)]
    for node in range(count):
        members[level[node]].append(node)
    row = [0] * count
    first = 0
    for nodes in members:
        parts = ceil(len(nodes) / widest)
        size = ceil(len(nodes) / parts)
        for place, node in enumerate(nodes):
            row[node] = first + place // size
        first += ceil(len(nodes) / size)
    return row


def _levels(count: int, arcs: Sequence[Arc]) -> list[int]:
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for source, target in arcs:
        if source != target:
            before[target].append(source)
            after[source].append(target)
    order = _order(count, arcs)
    walk = sorted(range(count), key=order.__getitem__)
    level = [0] * count
    for node in walk:
        level[node] = max((level[earlier] + 1 for earlier in before[node]), default=0)
    # A node with more arcs out than in is moved down to its nearest reader: shorter arcs, fewer bends.
    for node in reversed(walk):
        if before[node] and len(after[node]) > len(before[node]):
            level[node] = min(level[later] for later in after[node]) - 1
    return level
