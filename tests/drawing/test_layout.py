"""The layered layout, without a single agent."""

from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.drawing.geometry import Curve
from windtunnel.drawing.grid import Wire, grid_of
from windtunnel.drawing.layering import rows_of, turned
from windtunnel.drawing.layout import Layout, laid_out
from windtunnel.drawing.ordering import crossings, ordered


@st.composite
def wirings(draw: st.DrawFn) -> tuple[int, list[Wire]]:
    count = draw(st.integers(1, 14))
    end = st.integers(0, count - 1)
    wire = st.builds(Wire, end, end, st.booleans(), st.sampled_from(("a", "b")), st.sampled_from((0.0, 120.0)))
    return count, draw(st.lists(wire, max_size=24))


def drawn(count: int, wires: list[Wire], *, rightwards: bool) -> Layout:
    dice = Random(count)
    sizes = [(200.0, dice.choice((60.0, 90.0, 140.0))) for _ in range(count)]
    return laid_out(sizes, wires, widest=5, gap=60, rightwards=rightwards)


@given(wirings())
def test_no_cycle_is_left_once_arcs_are_turned(wiring: tuple[int, list[Wire]]) -> None:
    count, wires = wiring
    arcs = [(wire.source, wire.target) for wire in wires]
    turns = turned(count, arcs, [wire.is_back for wire in wires])
    downward = [(b, a) if turn else (a, b) for (a, b), turn in zip(arcs, turns, strict=True)]
    rows = rows_of(count, downward, 5)
    assert all(rows[upper] < rows[lower] for upper, lower in downward if upper != lower)
    assert max(rows.count(row) for row in set(rows)) <= 5
    assert set(rows) == set(range(max(rows) + 1))


def test_only_what_closes_a_cycle_is_turned() -> None:
    arcs = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 2)]
    assert turned(4, arcs, [False] * 5) == [False, False, True, False, True]
    assert turned(2, [(0, 1), (1, 0)], [False, True]) == [False, True]


@settings(max_examples=80, deadline=None)
@given(wirings(), st.booleans())
def test_boxes_never_overlap_and_lie_inside(wiring: tuple[int, list[Wire]], rightwards: bool) -> None:
    count, wires = wiring
    layout = drawn(count, wires, rightwards=rightwards)
    for one, other in combinations(layout.boxes, 2):
        assert not one.overlaps(other, 10)
    for box in layout.boxes:
        assert box.x >= -0.01
        assert box.y >= -0.01
        assert box.x + box.width <= layout.width + 0.01
        assert box.y + box.height <= layout.height + 0.01


@settings(max_examples=80, deadline=None)
@given(wirings(), st.booleans())
def test_every_wire_runs_from_its_source_to_its_target(wiring: tuple[int, list[Wire]], rightwards: bool) -> None:
    count, wires = wiring
    layout = drawn(count, wires, rightwards=rightwards)
    for wire, route in zip(wires, layout.routes, strict=True):
        for curve, following in pairwise(route):
            assert near(curve.end, following.start)
        source, target = layout.boxes[wire.source], layout.boxes[wire.target]
        assert source.x - 0.01 <= route[0].start.x <= source.x + source.width + 0.01
        assert source.y - 0.01 <= route[0].start.y <= source.y + source.height + 0.01
        assert target.x - 0.01 <= route[-1].end.x <= target.x + target.width + 0.01
        assert target.y - 0.01 <= route[-1].end.y <= target.y + target.height + 0.01


@settings(max_examples=40, deadline=None)
@given(wirings())
def test_wires_run_through_no_box(wiring: tuple[int, list[Wire]]) -> None:
    count, wires = wiring
    layout = drawn(count, wires, rightwards=False)
    for wire, route in zip(wires, layout.routes, strict=True):
        if wire.source == wire.target:
            continue
        for number, box in enumerate(layout.boxes):
            if number in {wire.source, wire.target}:
                continue
            for point in points(route):
                inside = box.x + 1 < point[0] < box.x + box.width - 1 and box.y + 1 < point[1] < box.y + box.height - 1
                assert not inside


def points(route: list[Curve]) -> list[tuple[float, float]]:
    return [curve.at(step / 8) for curve in route for step in range(9)]


def near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) < 0.01 and abs(one[1] - other[1]) < 0.01


def test_a_long_arc_has_a_bend_in_each_row_between_and_bundles_share_it() -> None:
    wires = [Wire(0, 1, False, "a", 0), Wire(1, 2, False, "a", 0), Wire(2, 3, False, "a", 0)]
    wires += [Wire(0, 3, False, "a", 0), Wire(0, 3, False, "a", 0), Wire(0, 3, False, "b", 0)]
    grid = grid_of(4, wires, 5)
    assert [len(grid.chains[number]) for number in (3, 4, 5)] == [4, 4, 4]
    assert grid.chains[3] == grid.chains[4]
    assert set(grid.chains[3][1:3]).isdisjoint(grid.chains[5][1:3])


def test_crossings_are_counted_and_avoided() -> None:
    down = [[4], [5], [6], [7], [], [], [], []]
    up = [[], [], [], [], [0], [1], [2], [3]]
    tangled = [[0, 1, 2, 3], [7, 6, 5, 4]]
    assert crossings(tangled, down) == 6
    assert crossings(ordered(tangled, up, down), down) == 0


@pytest.mark.parametrize("rightwards", [False, True])
def test_a_chain_is_a_straight_line(rightwards: bool) -> None:
    wires = [Wire(number, number + 1, False, "a", 0) for number in range(4)]
    layout = drawn(5, wires, rightwards=rightwards)
    across = {round(box.center.y if rightwards else box.center.x, 3) for box in layout.boxes}
    assert len(across) == 1
    assert layout.rightwards is rightwards
