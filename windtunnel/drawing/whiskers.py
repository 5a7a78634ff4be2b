"""Estimates as small pictures for tables: a bar up to the mean with the whisker of its interval, and differences."""

from collections.abc import Sequence

from markupsafe import Markup

from windtunnel.domain.experiments import Estimate
from windtunnel.drawing.geometry import number
from windtunnel.drawing.markup import tag

WIDE, BAR = 240.0, 9.0
_EDGE = 5.0


def bars(estimates: Sequence[tuple[str, Estimate]], top: float) -> Markup:
    """One bar per estimate (with its colour's name) on a common scale from 0 to `top`; hidden from screen readers.

    The numbers stand beside it in words.
    """
    room = WIDE - 2 * _EDGE
    high = (BAR + 5) * len(estimates) + 3
    drawn: list[Markup] = []

    def x(value: float) -> float:
        return _EDGE + room * (min(max(value / top, 0.0), 1.0) if top > 0 else 0.0)

    for row, (color, one) in enumerate(estimates):
        y = 4 + row * (BAR + 5)
        drawn.append(
            tag(
                "g",
                tag("rect", x=_EDGE, y=y, width=room, height=BAR, rx=2.0, class_="ch-track"),
                tag("rect", x=_EDGE, y=y, width=x(one.mean) - _EDGE, height=BAR, rx=2.0, class_="ch-bar"),
                _whisker(x(one.low), x(one.high), y + BAR / 2),
                class_=f"is-{color}",
            )
        )
    return _small(WIDE, high, drawn)


def gap(difference: Estimate, verdict: str) -> Markup:
    """A difference as a dot with its whisker beside a line at 0; `verdict` is better, worse or none, for the colour."""
    room, middle, y = WIDE - 2 * _EDGE, WIDE / 2, 12.0
    reach = max(abs(difference.low), abs(difference.high)) * 1.15

    def x(value: float) -> float:
        return middle + (room / 2 * value / reach if reach > 0 else 0.0)

    drawn = [
        tag("path", d=f"M{number(_EDGE)} {number(y)}H{number(WIDE - _EDGE)}", class_="ch-grid"),
        tag("path", d=f"M{number(middle)} 1V23", class_="ch-line"),
        tag(
            "g",
            _whisker(x(difference.low), x(difference.high), y),
            tag("circle", cx=x(difference.mean), cy=y, r=4.5, class_="ch-dot"),
            class_=f"is-{verdict}",
        ),
    ]
    return _small(WIDE, 24.0, drawn)


def meter(share: float, color: str, wide: float = 120.0) -> Markup:
    """A share (0 to 1) as a bar."""
    full = min(max(share, 0.0), 1.0) * wide
    drawn = [
        tag("rect", x=0, y=3, width=wide, height=BAR, rx=2.0, class_="ch-track"),
        tag("g", tag("rect", x=0, y=3, width=full, height=BAR, rx=2.0, class_="ch-bar"), class_=f"is-{color}"),
    ]
    return _small(wide, BAR + 6, drawn)


def _whisker(low: float, high: float, y: float) -> Markup:
    ends = [number(value) for value in (low, high)]
    up, down = number(y - 4), number(y + 4)
    line = f"M{ends[0]} {number(y)}H{ends[1]}M{ends[0]} {up}V{down}M{ends[1]} {up}V{down}"
    return tag("path", d=line, class_="ch-whisker")


def _small(wide: float, high: float, drawn: Sequence[Markup]) -> Markup:
    return tag(
        "svg",
        *drawn,
        viewBox=f"0 0 {number(wide)} {number(high)}",
        width=wide,
        height=high,
        class_="ch ch-small",
        aria_hidden="true",
    )
