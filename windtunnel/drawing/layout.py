"""A layered layout of boxes and arcs: rows down (or columns right), curves between them. Knows nothing of agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from windtunnel.drawing.geometry import Curve, Point, Rect, straight
from windtunnel.drawing.grid import Grid, Wire, grid_of
from windtunnel.drawing.placing import Pull, placed
from windtunnel.drawing.straightening import ports_of, straighten

BETWEEN_BOXES = 30.0
BETWEEN_LINES = 15.0
BEND = 0.46
"""How far a curve's controls reach into the gap between two rows, as a share of the gap."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: a rectangle per box and joined curves, from source to target, per wire."""

    width: float
    height: float
    boxes: list[Rect]
    routes: list[list[Curve]]
    rightwards: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    """A grid with measures: `x` per node, top and height per row."""

    grid: Grid
    x: list[float]
    tops: list[float]
    heights: list[float]
    boxes: list[Rect]

    def top(self, node: int) -> float:
        return self.tops[self.grid.row_of[node]]

    def bottom(self, node: int) -> float:
        row = self.grid.row_of[node]
        return self.tops[row] + self.heights[row]


def laid_out(
    sizes: Sequence[tuple[float, float]], wires: Sequence[Wire], *, widest: int, gap: float, rightwards: bool = False
) -> Layout:
    """Lay out boxes of the given sizes (width, height) with at most `widest` of them in a row.

    `gap` is the least distance between rows; it grows with the labels and the number of arcs in it.
    """
    flat = [(height, width) if rightwards else (width, height) for width, height in sizes]
    grid = grid_of(len(flat), wires, widest)
    frame = _frame(grid, flat, wires, gap)
    ports = ports_of(grid, frame.x, frame.boxes)
    routes: list[list[Curve]] = []
    for position, wire in enumerate(wires):
        if position not in grid.chains:
            routes.append(_loop(frame.boxes[wire.source]))
            continue
        curves = _route(frame, position, ports[position])
        routes.append([curve.reversed() for curve in reversed(curves)] if grid.is_turned[position] else curves)
    layout = _from_origin(frame.boxes, routes)
    if not rightwards:
        return layout
    return Layout(
        layout.height,
        layout.width,
        [box.flipped() for box in layout.boxes],
        [[curve.flipped() for curve in route] for route in layout.routes],
        rightwards=True,
    )


def _frame(grid: Grid, flat: Sequence[tuple[float, float]], wires: Sequence[Wire], gap: float) -> _Frame:
    x = _across(grid, flat)
    heights = [max((flat[node][1] for node in row if node < grid.boxes), default=0.0) for row in grid.rows]
    room = [gap] * len(grid.rows)
    crowd = [0] * len(grid.rows)
    for position, chain in grid.chains.items():
        for upper in chain[:-1]:
            crowd[grid.row_of[upper]] += 1
        for upper in (chain[0], chain[-2]):
            room[grid.row_of[upper]] = max(room[grid.row_of[upper]], wires[position].label)
    tops: list[float] = []
    at = 0.0
    for height, space, arcs in zip(heights, room, crowd, strict=True):
        tops.append(at)
        at += height + space + min(max(arcs - 6, 0) * 2.5, 50)
    boxes: list[Rect] = []
    for node, (width, height) in enumerate(flat):
        row = grid.row_of[node]
        boxes.append(Rect(x[node] - width / 2, tops[row] + (heights[row] - height) / 2, width, height))
    return _Frame(grid, x, tops, heights, boxes)


def _across(grid: Grid, flat: Sequence[tuple[float, float]]) -> list[float]:
    def half(node: int) -> float:
        return flat[node][0] / 2 if node < grid.boxes else 0.0

    def distance(left: int, right: int) -> float:
        are_boxes = left < grid.boxes and right < grid.boxes
        return half(left) + half(right) + (BETWEEN_BOXES if are_boxes else BETWEEN_LINES)

    def pulls(node: int, others: Sequence[int], fans: Sequence[Sequence[int]]) -> list[Pull]:
        # Long arcs are kept straight: the more bends an arc has in it, the stronger it pulls. A trunk pulls all boxes
        # that branch off together as strongly as one arc would, else it would drag whole rows aside.
        wishes: list[Pull] = []
        for other in others:
            bends = (node >= grid.boxes) + (other >= grid.boxes)
            crowd = max(len(others) if node >= grid.boxes else 1, len(fans[other]) if other >= grid.boxes else 1)
            wishes.append((other, (1.0, 2.0 / crowd, 8.0)[bends]))
        return wishes

    up = [pulls(node, others, grid.down) for node, others in enumerate(grid.up)]
    down = [pulls(node, others, grid.up) for node, others in enumerate(grid.down)]
    x = placed(grid.rows, up, down, distance)
    straighten(grid, x, distance)
    return x


def _route(frame: _Frame, position: int, ports: Sequence[float]) -> list[Curve]:
    chain = frame.grid.chains[position]
    first, last = frame.boxes[chain[0]], frame.boxes[chain[-1]]
    at = Point(ports[0], first.y + first.height)
    curves: list[Curve] = []
    for upper, lower in pairwise(chain):
        leave = Point(at.x, frame.bottom(upper))
        enter = Point(ports[1] if lower == chain[-1] else frame.x[lower], frame.top(lower))
        if leave.y > at.y:
            curves.append(straight(at, leave))
        reach = (enter.y - leave.y) * BEND
        curves.append(Curve(leave, Point(leave.x, leave.y + reach), Point(enter.x, enter.y - reach), enter, True))
        at = enter
    if last.y > at.y:
        curves.append(straight(at, Point(at.x, last.y)))
    return curves


def _loop(box: Rect) -> list[Curve]:
    right, middle = box.x + box.width, box.y + box.height / 2
    start, end = Point(right, middle - 12), Point(right, middle + 12)
    return [Curve(start, Point(right + 26, middle - 24), Point(right + 26, middle + 24), end)]


def _from_origin(boxes: Sequence[Rect], routes: Sequence[Sequence[Curve]]) -> Layout:
    """Everything moved so that the drawing begins at x = 0."""
    points = [point for route in routes for curve in route for point in (curve.start, curve.leave, curve.arrive)]
    left = min([box.x for box in boxes] + [point.x for point in points], default=0.0)
    right = max([box.x + box.width for box in boxes] + [point.x for point in points], default=0.0)
    bottom = max((box.y + box.height for box in boxes), default=0.0)
    return Layout(
        right - left,
        bottom,
        [Rect(box.x - left, box.y, box.width, box.height) for box in boxes],
        [[curve.moved(-left, 0.0) for curve in route] for route in routes],
        rightwards=False,
    )
