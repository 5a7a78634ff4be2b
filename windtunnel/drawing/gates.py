"""Where work enters a network (a dot with an arrow) and where it leaves (an arrow to a ring)."""

from dataclasses import dataclass

from markupsafe import Markup

from windtunnel.domain.architectures import Architecture
from windtunnel.drawing.geometry import Point, Rect, number
from windtunnel.drawing.layout import Layout
from windtunnel.drawing.markup import tag, title
from windtunnel.drawing.outlines import inset

GATE = 26.0
ASIDE = 30.0
"""How far from the card's corner a gate stands, clear of the ports in the middle of the side."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A drawn gate and the rectangle it covers."""

    place: Rect
    markup: Markup


def gates_of(architecture: Architecture, layout: Layout) -> list[Gate]:
    """The gates of all entry and exit points."""
    places = {agent.key: place for place, agent in enumerate(architecture.agents)}
    entries = [
        _entry(_port(architecture, layout, places[key], is_exit=False), layout.rightwards)
        for key in dict.fromkeys(architecture.entry_points)
        if key in places
    ]
    exits = [
        _exit(_port(architecture, layout, places[key], is_exit=True), layout.rightwards)
        for key in dict.fromkeys(architecture.exit_points)
        if key in places
    ]
    return entries + exits


def _port(architecture: Architecture, layout: Layout, place: int, *, is_exit: bool) -> Point:
    """The middle of the card's side when no link ends there, else a place aside."""
    box = layout.boxes[place]
    ends = [point for route in layout.routes for point in (route[0].start, route[-1].end)]
    if layout.rightwards:
        x = box.x + box.width if is_exit else box.x
        is_free = not any(abs(end.x - x) < 1 and box.y <= end.y <= box.y + box.height for end in ends)
        y = box.center.y if is_free else box.y + ASIDE / 2
        into = inset(architecture.agents[place].role, box, y)
        return Point(x - into if is_exit else x + into, y)
    y = box.y + box.height if is_exit else box.y
    is_free = not any(abs(end.y - y) < 1 and box.x <= end.x <= box.x + box.width for end in ends)
    return Point(box.center.x if is_free else box.x + ASIDE, y)


def _entry(end: Point, rightwards: bool) -> Gate:
    start = Point(end.x - GATE, end.y) if rightwards else Point(end.x, end.y - GATE)
    dot = tag("circle", cx=start.x, cy=start.y, r=4.5, class_="wt-gate")
    return _gate(start, end, dot, "Work enters here", rightwards)


def _exit(start: Point, rightwards: bool) -> Gate:
    ring_at = Point(start.x + GATE, start.y) if rightwards else Point(start.x, start.y + GATE)
    end = Point(ring_at.x - 6, ring_at.y) if rightwards else Point(ring_at.x, ring_at.y - 6)
    ring = Markup("").join(
        (
            tag("circle", cx=ring_at.x, cy=ring_at.y, r=6, class_="wt-gate-ring"),
            tag("circle", cx=ring_at.x, cy=ring_at.y, r=2.6, class_="wt-gate"),
        )
    )
    return _gate(start, end, ring, "Work leaves here", rightwards)


def _gate(start: Point, end: Point, sign: Markup, words: str, rightwards: bool) -> Gate:
    x, y = number(end.x), number(end.y)
    head = (
        f"M{x} {y}L{number(end.x - 7)} {number(end.y - 3.6)}V{number(end.y + 3.6)}Z"
        if rightwards
        else f"M{x} {y}L{number(end.x - 3.6)} {number(end.y - 7)}H{number(end.x + 3.6)}Z"
    )
    line = f"M{number(start.x)} {number(start.y)}L{x} {y}"
    markup = tag(
        "g",
        title(words),
        tag("path", d=line, class_="wt-gate-ring"),
        tag("path", d=head, class_="wt-gate"),
        sign,
        class_="wt-of-soft",
    )
    across = Rect(
        min(start.x, end.x) - 8, min(start.y, end.y) - 8, abs(end.x - start.x) + 16, abs(end.y - start.y) + 16
    )
    return Gate(across, markup)
