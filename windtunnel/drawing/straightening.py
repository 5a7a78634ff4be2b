"""Straight lines where there is room for them: the bends of a long arc in line, short arcs without a kink."""

from collections.abc import Callable, Sequence

from windtunnel.drawing.geometry import Rect
from windtunnel.drawing.grid import Grid

SNAP = 20.0
"""Ends of an arc that are nearer than this across the flow are brought in line."""
PORTS_SHARE = 0.62
PORTS_APART = 34.0
PORTS_NEAR = 9.0


def straighten(grid: Grid, x: list[float], distance: Callable[[int, int], float]) -> None:
    """Move the bends of each arc into one line, where the neighbours in all their rows leave room for it."""
    beside: dict[int, tuple[int | None, int | None]] = {}
    for row in grid.rows:
        for place, node in enumerate(row):
            right = row[place + 1] if place + 1 < len(row) else None
            beside[node] = (row[place - 1] if place else None, right)
    for _ in range(2):
        for chain in grid.chains.values():
            bends = chain[1:-1]
            if not bends:
                continue
            low, high = float("-inf"), float("inf")
            for bend in bends:
                left, right = beside[bend]
                low = max(low, x[left] + distance(left, bend)) if left is not None else low
                high = min(high, x[right] - distance(bend, right)) if right is not None else high
            if low > high:
                continue
            ends = (x[chain[0]], x[chain[-1]])
            at = min((min(max(end, low), high) for end in ends), key=lambda at: sum(abs(at - end) for end in ends))
            for bend in bends:
                x[bend] = at


def ports_of(grid: Grid, x: Sequence[float], boxes: Sequence[Rect]) -> dict[int, list[float]]:
    """Where each wire leaves its upper and reaches its lower box, along their sides.

    They are spread in the order of the next nodes; wires to one bend share a port.
    """
    sides: dict[tuple[int, int], list[tuple[float, int, int]]] = {}
    for position, chain in grid.chains.items():
        sides.setdefault((chain[0], 0), []).append((x[chain[1]], chain[1], position))
        sides.setdefault((chain[-1], 1), []).append((x[chain[-2]], chain[-2], position))
    ports = {position: [0.0, 0.0] for position in grid.chains}
    used: dict[tuple[int, int], list[float]] = {}
    for (node, end), arcs in sides.items():
        groups: dict[int, list[int]] = {}
        for _, other, position in sorted(arcs):
            groups.setdefault(other if other >= grid.boxes else -1 - position, []).append(position)
        step = min(boxes[node].width * PORTS_SHARE / len(groups), PORTS_APART)
        for place, group in enumerate(groups.values()):
            at = x[node] + (place - (len(groups) - 1) / 2) * step
            used.setdefault((node, end), []).append(at)
            for position in group:
                ports[position][end] = at
    _snap(grid, ports, used, boxes)
    return ports


def _snap(
    grid: Grid, ports: dict[int, list[float]], used: dict[tuple[int, int], list[float]], boxes: Sequence[Rect]
) -> None:
    for position, chain in grid.chains.items():
        if len(chain) != 2:
            continue
        both = ports[position]
        if not 0 < abs(both[0] - both[1]) < SNAP:
            continue
        for end in (1, 0):
            node, here, there = chain[-end], both[end], both[1 - end]
            side = used[node, end]
            others = [at for at in side if at != here]
            is_between = not any(min(here, there) - PORTS_NEAR < at < max(here, there) + PORTS_NEAR for at in others)
            is_inside = abs(there - boxes[node].center.x) < boxes[node].width * PORTS_SHARE / 2
            if is_between and is_inside and side.count(here) == 1:
                side[side.index(here)] = there
                both[end] = there
                break
