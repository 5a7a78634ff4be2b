"""The distribution of times as a picture: a share of the work per bin, on a logarithmic axis, percentiles marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup

from windtunnel.drawing.axes import LogAxis
from windtunnel.drawing.geometry import number
from windtunnel.drawing.markup import SVG_NAMESPACE, tag, text, title
from windtunnel.drawing.text import width
from windtunnel.drawing.words import count, duration

WIDE, HIGH = 880.0, 210.0
_LEFT, _RIGHT, _LINE = 56.0, 16.0, 17.0
_SIZE = 12.6
_PER_DECADE = 8
SQUARE = 1.6
"""An axis spans at least this many times its beginning: one lonely bin is not as wide as the picture."""

Bin = tuple[float, float, int]
"""From and to in milliseconds, and how much work took that long."""


@dataclass(frozen=True, slots=True)
class Times:
    """One side of the picture: `name` ("" when it is alone), a colour's name, neighbouring bins, marks by word."""

    name: str
    color: str
    bins: Sequence[Bin]
    marks: Sequence[tuple[str, float]]
    noun: str = "task"


def distribution(sides: Sequence[Times], label: str, caption: str) -> Markup:
    """The picture of one or two sides; empty when there is nothing to show. `caption` says what the axis is."""
    shown = [side for side in sides if side.bins]
    if not shown:
        return Markup("")
    low = min(max(side.bins[0][0], side.bins[0][1] / 2) for side in shown)
    high = max(side.bins[-1][1] for side in shown)
    margin = max(1.0, (SQUARE * low / high) ** 0.5) if high < SQUARE * low else 1.0
    axis = LogAxis(low / margin / 1.08, high * margin * 1.08, _LEFT, WIDE - _RIGHT)
    top = 10.0 + _LINE * len(shown)
    most = max(share for side in shown for *_, share in _shares(side))
    ceiling = _ceiling(most)
    foot = top + HIGH

    def y(share: float) -> float:
        return foot - HIGH * share / ceiling

    drawn = [*_grid(axis, top, foot, ceiling)]
    for order, side in enumerate(shown):
        drawn.append(_area(side, axis, foot, y, is_filled=order == 0))
    for order, side in enumerate(shown):
        drawn += _marks(side, axis, 10.0 + _LINE * order, top, foot)
    height = foot + 40
    return tag(
        "svg",
        title(label),
        *drawn,
        text(caption, (_LEFT + WIDE - _RIGHT) / 2, height - 4, "ch-axis", "middle"),
        xmlns=SVG_NAMESPACE,
        viewBox=f"0 0 {number(WIDE)} {number(height)}",
        width=WIDE,
        height=height,
        class_="ch",
        role="img",
        aria_label=label,
    )


def binned(times: Sequence[float]) -> list[Bin]:
    """Times in milliseconds as neighbouring bins, from the shortest to the longest, eight to each power of ten.

    No border is a round number: times that are always the same are round, and a border there would split them.
    """
    places = [floor(log10(max(time, 0.1)) * _PER_DECADE - 0.5) for time in times]

    def edge(place: int) -> float:
        return float(10.0 ** ((place + 0.5) / _PER_DECADE))

    every = range(min(places), max(places) + 1) if places else ()
    return [(edge(place), edge(place + 1), places.count(place)) for place in every]


def _shares(side: Times) -> list[tuple[float, float, float]]:
    total = sum(many for *_, many in side.bins)
    return [(low, high, many / total) for low, high, many in side.bins]


def _ceiling(most: float) -> float:
    return next(step for step in (0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0) if step >= most - 1e-12)


def _grid(axis: LogAxis, top: float, foot: float, ceiling: float) -> list[Markup]:
    drawn = []
    for part in (0.0, 0.5, 1.0):
        y = foot - HIGH * part
        drawn.append(tag("path", d=f"M{number(axis.left)} {number(y)}H{number(axis.right)}", class_="ch-grid"))
        drawn.append(text(f"{ceiling * part * 100:g} %", axis.left - 8, y + 4, "ch-tick", "end"))
    for x, words in axis.time_ticks():
        drawn.append(tag("path", d=f"M{number(x)} {number(foot)}v5", class_="ch-line"))
        drawn.append(text(words, x, foot + 18, "ch-tick", "middle"))
    drawn.append(tag("path", d=f"M{number(axis.left)} {number(foot)}H{number(axis.right)}", class_="ch-line"))
    return drawn


def _area(side: Times, axis: LogAxis, foot: float, y: Callable[[float], float], *, is_filled: bool) -> Markup:
    shares = _shares(side)
    total = sum(many for *_, many in side.bins)
    start = axis.at(shares[0][0])
    steps = "".join(f"V{number(y(share))}H{number(axis.at(high))}" for _, high, share in shares)
    outline = f"M{number(start)} {number(foot)}{steps}V{number(foot)}"
    hints = [
        tag(
            "rect",
            title(f"{_between(low, high)}: {100 * many / total:.1f} %, {count(many, side.noun)}"),
            x=axis.at(low),
            y=y(share),
            width=max(axis.at(high) - axis.at(low), 0.5),
            height=foot - y(share),
            class_="ch-hint",
        )
        for (low, high, many), (*_, share) in zip(side.bins, shares, strict=True)
        if many
    ]
    area = tag("path", d=f"{outline}Z", class_="ch-area" if is_filled else "ch-outline")
    return tag("g", area, *hints, class_=f"is-{side.color}")


def _between(low: float, high: float) -> str:
    return f"{duration(low)} to {duration(high)}" if low else f"less than {duration(high)}"


def _marks(side: Times, axis: LogAxis, y: float, top: float, foot: float) -> list[Markup]:
    """Dashed lines at the percentiles, their words above them in the same order, each as near as the others let it."""
    drawn: list[Markup] = []
    begin = 0.0
    if side.name:
        drawn.append(tag("rect", x=0, y=y - 9, width=10.0, height=10.0, rx=2.0, class_="ch-swatch"))
        drawn.append(text(side.name, 14, y, "ch-name"))
        begin = 14 + width(side.name, _SIZE, bold=True) + 12
    marks = sorted(side.marks, key=lambda mark: mark[1])
    words = [f"{word} {duration(time)}" for word, time in marks]
    places = _apart([axis.at(time) for _, time in marks], [width(word, _SIZE) for word in words], begin)
    for (_, time), word, place in zip(marks, words, places, strict=True):
        x = number(axis.at(time))
        drawn.append(tag("path", d=f"M{x} {number(top - 5)}V{number(foot)}", class_="ch-mark"))
        drawn.append(text(word, place, y, "ch-mark-words"))
    return [tag("g", *drawn, class_=f"is-{side.color}")]


def _apart(wishes: Sequence[float], wides: Sequence[float], begin: float) -> list[float]:
    """Left edges of words centred on their wishes, moved right where they would overlap, then back from the edge."""
    places: list[float] = []
    for wish, wide in zip(wishes, wides, strict=True):
        places.append(max(wish - wide / 2, begin))
        begin = places[-1] + wide + 12
    end = WIDE - 4
    for at in reversed(range(len(places))):
        places[at] = min(places[at], end - wides[at])
        end = places[at] - 12
    return places
