"""Links as curves with an arrowhead, and their labels."""

from collections.abc import Sequence
from math import hypot

from markupsafe import Markup

from windtunnel.domain.architectures import AgentRole, Link
from windtunnel.drawing.geometry import Curve, Point, Rect, number, path, straight
from windtunnel.drawing.labels import Label
from windtunnel.drawing.markup import tag, text, title
from windtunnel.drawing.outlines import inset
from windtunnel.drawing.palette import color_of
from windtunnel.drawing.words import link_kind_word, link_share

HEAD = 9.0
HEAD_HALF = 4.4

Shape = tuple[AgentRole, Rect]


def docked(route: Sequence[Curve], source: Shape, target: Shape, rightwards: bool) -> list[Curve]:
    """The route lengthened to the outlines of its ends, where those run inside their rectangle."""
    if not rightwards or source == target:
        return list(route)
    start, end = route[0].start, route[-1].end
    outwards = 1.0 if end.x > start.x else -1.0
    curves = list(route)
    if into := inset(*source, start.y):
        curves.insert(0, straight(Point(start.x - outwards * into, start.y), start))
    if into := inset(*target, end.y):
        curves.append(straight(end, Point(end.x + outwards * into, end.y)))
    return curves


def link_markup(link: Link, route: Sequence[Curve]) -> Markup:
    """The drawn link with its tooltip."""
    color = color_of(link.kind)
    line, head = _with_head(list(route))
    return tag(
        "g",
        link_title(link),
        tag("path", d=path(line), class_=f"wt-link wt-link-{color}"),
        tag("path", d=head, class_="wt-head"),
        class_=f"wt-of-{color}",
    )


def label_markup(link: Link, label: Label, place: Rect) -> Markup:
    """The drawn label at its place."""
    return tag(
        "g",
        link_title(link),
        tag(
            "rect", x=place.x, y=place.y, width=place.width, height=place.height, rx=place.height / 2, class_="wt-label"
        ),
        text(label.words, place.center.x, place.center.y + 3.8, "wt-label-words", "middle"),
    )


def link_title(link: Link) -> Markup:
    """The tooltip of a link: everything that is known of it."""
    return title(
        f"{link.source} → {link.target} ({link_kind_word(link.kind)})",
        link.label,
        f"When: {link.condition}" if link.condition else "",
        f"Taken by {link_share(link)} of the work" if link_share(link) else "",
    )


def _with_head(curves: list[Curve]) -> tuple[list[Curve], str]:
    """The route shortened by its arrowhead, and the arrowhead's outline."""
    tip = curves[-1].end
    toward = _direction(curves[-1])
    base = Point(tip.x - toward.x * HEAD, tip.y - toward.y * HEAD)
    while len(curves) > 1 and curves[-1].leave == curves[-1].start and _distance(curves[-1].start, tip) <= HEAD:
        curves.pop()
    last = curves[-1]
    neck = Point(base.x + toward.x, base.y + toward.y)
    moved = Point(last.arrive.x + neck.x - last.end.x, last.arrive.y + neck.y - last.end.y)
    curves[-1] = Curve(last.start, last.leave, moved, neck, last.is_open)
    side = Point(-toward.y * HEAD_HALF, toward.x * HEAD_HALF)
    corners = (tip, Point(base.x + side.x, base.y + side.y), Point(base.x - side.x, base.y - side.y))
    return curves, "M" + "L".join(f"{number(x)} {number(y)}" for x, y in corners) + "Z"


def _direction(curve: Curve) -> Point:
    before = curve.start if curve.arrive == curve.end else curve.arrive
    length = _distance(before, curve.end) or 1.0
    return Point((curve.end.x - before.x) / length, (curve.end.y - before.y) / length)


def _distance(a: Point, b: Point) -> float:
    return hypot(a.x - b.x, a.y - b.y)
