"""The rows of a layered drawing with the bends of its long arcs, ordered so that few arcs cross."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from windtunnel.drawing.layering import Arc, rows_of, turned
from windtunnel.drawing.ordering import ordered


class Wire(NamedTuple):
    """An arc to lay out, by the positions of its boxes.

    `style` tells arcs apart that look different, `label` is the room along the flow that its label needs.
    """

    source: int
    target: int
    is_back: bool
    style: str
    label: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Nodes in rows: boxes first (0 to `boxes` - 1), then bends.

    A chain lists the nodes of one wire from its upper to its lower end; self-loops have none. `is_turned` marks wires
    drawn against their direction. `up` and `down` are each node's neighbours in the row above and below.
    """

    boxes: int
    rows: list[list[int]]
    row_of: list[int]
    chains: dict[int, list[int]]
    is_turned: list[bool]
    up: list[list[int]]
    down: list[list[int]]


def grid_of(count: int, wires: Sequence[Wire], widest: int) -> Grid:
    """Rows of at most `widest` boxes for `count` boxes and their wires."""
    arcs = [(wire.source, wire.target) for wire in wires]
    is_turned = turned(count, arcs, [wire.is_back for wire in wires])
    downward = [(arc[1], arc[0]) if turn else arc for arc, turn in zip(arcs, is_turned, strict=True)]
    row_of = rows_of(count, downward, widest)
    chains = _chains(downward, wires, is_turned, row_of)
    rows: list[list[int]] = [[] for _ in range(max(row_of, default=-1) + 1)]
    for node, row in enumerate(row_of):
        rows[row].append(node)
    up: list[list[int]] = [[] for _ in row_of]
    down: list[list[int]] = [[] for _ in row_of]
    for upper, lower in dict.fromkeys(step for chain in chains.values() for step in pairwise(chain)):
        down[upper].append(lower)
        up[lower].append(upper)
    return Grid(count, ordered(rows, up, down), row_of, chains, is_turned, up, down)


def _chains(
    downward: Sequence[Arc], wires: Sequence[Wire], is_turned: Sequence[bool], row_of: list[int]
) -> dict[int, list[int]]:
    """A chain per wire; `row_of` grows by the bends.

    Long arcs of one look that begin at one box, or end at one, share their bends: a trunk instead of a bundle.
    """
    leaving = Counter(upper for upper, _ in downward)
    arriving = Counter(lower for _, lower in downward)
    bends: dict[tuple[int, bool, str, bool, int], int] = {}
    chains: dict[int, list[int]] = {}
    for position, (upper, lower) in enumerate(downward):
        if upper == lower:
            continue
        from_upper = leaving[upper] >= arriving[lower]
        chain = [upper]
        for row in range(row_of[upper] + 1, row_of[lower]):
            trunk = (upper if from_upper else lower, from_upper, wires[position].style, is_turned[position], row)
            if trunk not in bends:
                bends[trunk] = len(row_of)
                row_of.append(row)
            chain.append(bends[trunk])
        chains[position] = [*chain, lower]
    return chains
