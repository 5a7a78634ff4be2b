"""Points, rectangles and curves of a drawing, in pixels; y grows downwards."""

from dataclasses import dataclass
from typing import NamedTuple


class Point(NamedTuple):
    """A place."""

    x: float
    y: float

    def flipped(self) -> "Point":
        """Mirrored at the diagonal: turns a drawing that flows down into one that flows right."""
        return Point(self.y, self.x)


class Rect(NamedTuple):
    """An upright rectangle by its top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> Point:
        """The middle."""
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    def flipped(self) -> "Rect":
        """Mirrored at the diagonal."""
        return Rect(self.y, self.x, self.height, self.width)

    def overlaps(self, other: "Rect", margin: float = 0.0) -> bool:
        """True when the two share area, or come closer than `margin`."""
        return (
            self.x < other.x + other.width + margin
            and other.x < self.x + self.width + margin
            and self.y < other.y + other.height + margin
            and other.y < self.y + self.height + margin
        )


@dataclass(frozen=True, slots=True)
class Curve:
    """A cubic Bézier curve; `is_open` when it crosses the space between two rows, where a label may stand."""

    start: Point
    leave: Point
    arrive: Point
    end: Point
    is_open: bool = False

    def at(self, share: float) -> Point:
        """The point at a share (0 to 1) of the curve."""
        rest = 1 - share
        a, b, c, d = rest**3, 3 * rest * rest * share, 3 * rest * share * share, share**3
        return Point(
            a * self.start.x + b * self.leave.x + c * self.arrive.x + d * self.end.x,
            a * self.start.y + b * self.leave.y + c * self.arrive.y + d * self.end.y,
        )

    def reversed(self) -> "Curve":
        """The same curve from its end to its start."""
        return Curve(self.end, self.arrive, self.leave, self.start, self.is_open)

    def moved(self, right: float, down: float) -> "Curve":
        """The same curve elsewhere."""
        start, leave, arrive, end = (
            Point(point.x + right, point.y + down) for point in (self.start, self.leave, self.arrive, self.end)
        )
        return Curve(start, leave, arrive, end, self.is_open)

    def flipped(self) -> "Curve":
        """Mirrored at the diagonal."""
        return Curve(
            self.start.flipped(), self.leave.flipped(), self.arrive.flipped(), self.end.flipped(), self.is_open
        )


def straight(start: Point, end: Point) -> Curve:
    """A straight line."""
    return Curve(start, start, end, end)


def number(value: float) -> str:
    """A coordinate as text, to a tenth of a pixel: `12`, `12.5`."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def path(curves: "list[Curve]") -> str:
    """The `d` attribute of an SVG path through joined curves."""
    first = curves[0].start
    parts = [f"M{number(first.x)} {number(first.y)}"]
    for curve in curves:
        end = f"{number(curve.end.x)} {number(curve.end.y)}"
        if curve.leave == curve.start and curve.arrive == curve.end:
            parts.append(f"L{end}")
        else:
            controls = " ".join(f"{number(point.x)} {number(point.y)}" for point in (curve.leave, curve.arrive))
            parts.append(f"C{controls} {end}")
    return "".join(parts)
