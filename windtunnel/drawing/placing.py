"""Positions along the rows of a layered drawing: each node as near to its neighbours as order and spacing allow."""

from collections.abc import Callable, Sequence
from itertools import pairwise

ROUNDS = 10
GRAVITY = 0.12
"""How strongly everything is drawn to the middle: keeps rows from drifting aside one after the other."""

Pull = tuple[int, float]
"""Another node to be in line with, and how strongly."""


def placed(
    rows: Sequence[Sequence[int]],
    up: Sequence[Sequence[Pull]],
    down: Sequence[Sequence[Pull]],
    distance: Callable[[int, int], float],
) -> list[float]:
    """The centre of every node. `distance` is the least distance between the centres of two neighbours in a row."""
    x = [0.0] * sum(map(len, rows))
    gaps = [[distance(left, right) for left, right in pairwise(row)] for row in rows]
    for row, between in zip(rows, gaps, strict=True):
        at = -sum(between) / 2
        for node, gap in zip(row, [*between, 0.0], strict=True):
            x[node] = at
            at += gap
    for turn in range(ROUNDS):
        last = turn >= ROUNDS - 2
        for pulls, numbers in ((up, range(len(rows))), (down, range(len(rows) - 1, -1, -1))):
            for number in numbers:
                wishes = [[*up[node], *down[node]] if last else pulls[node] for node in rows[number]]
                _settle(rows[number], gaps[number], wishes, x)
    return x


def _settle(row: Sequence[int], gaps: Sequence[float], pulls: Sequence[Sequence[Pull]], x: list[float]) -> None:
    """Least squares under `x[i+1] >= x[i] + gap`: pool adjacent violators after taking the gaps out."""
    blocks: list[tuple[float, float, int]] = []
    before = 0.0
    offsets: list[float] = []
    for place, wishes in enumerate(pulls):
        if place:
            before += gaps[place - 1]
        offsets.append(before)
        strength = GRAVITY + sum(weight for _, weight in wishes)
        wish = sum(x[other] * weight for other, weight in wishes) / strength
        blocks.append((wish - before, strength, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (left, left_weight, left_size), (right, right_weight, right_size) = blocks[-2:]
            weight = left_weight + right_weight
            blocks[-2:] = [((left * left_weight + right * right_weight) / weight, weight, left_size + right_size)]
    place = 0
    for value, _, size in blocks:
        for _ in range(size):
            x[row[place]] = value + offsets[place]
            place += 1
