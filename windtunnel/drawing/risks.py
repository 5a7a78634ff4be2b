"""Failure modes as numbered points: how likely against how bad, on grounds of equal risk."""

from collections.abc import Sequence

from markupsafe import Markup

from windtunnel.domain.experiments import FailureImpact
from windtunnel.drawing.axes import LogAxis
from windtunnel.drawing.geometry import number
from windtunnel.drawing.markup import SVG_NAMESPACE, tag, text, title
from windtunnel.drawing.words import share

WIDE, HIGH = 880.0, 300.0
_LEFT, _RIGHT, _TOP, _FOOT = 56.0, 20.0, 12.0, 40.0
_DOT = 9.5
_LOWEST = 0.001
_STEPS = 48
BANDS = (0.001, 0.01, 0.1)
"""Success lost per task, chance times loss: from each on the ground is one step hotter."""


def risk_of(mode: FailureImpact) -> float:
    """The success lost to be expected: chance times loss, 0 to 1."""
    return mode.probability * mode.impact


def ranked(modes: Sequence[FailureImpact]) -> list[FailureImpact]:
    """The worst first; the same risk by chance, then by code."""
    return sorted(modes, key=lambda mode: (-risk_of(mode), -mode.probability, mode.code))


def risks(modes: Sequence[FailureImpact], names: Sequence[str], label: str) -> Markup:
    """The picture of ranked failure modes, those that cost nothing left out; `names` are theirs, in that order."""
    lowest = min([mode.probability for mode in modes if risk_of(mode) > 0] + [_LOWEST])
    axis = LogAxis(max(lowest / 1.5, 1e-6), 1.0, _LEFT, WIDE - _RIGHT)
    foot = _TOP + HIGH
    drawn = [*_bands(axis), *_axes(axis)]
    taken: list[tuple[float, float]] = []
    for rank, (mode, name) in enumerate(zip(modes, names, strict=True), 1):
        if risk_of(mode) <= 0:
            continue
        x, y = _free(axis.at(mode.probability), foot - HIGH * mode.impact, taken)
        drawn.append(
            tag(
                "g",
                title(f"{rank}. {name}: {share(mode.probability)} per task, {share(mode.impact)} of the success lost"),
                tag("circle", cx=x, cy=y, r=_DOT, class_="ch-point"),
                text(str(rank), x, y + 3.8, "ch-rank", "middle"),
            )
        )
    return tag(
        "svg",
        title(label),
        *drawn,
        xmlns=SVG_NAMESPACE,
        viewBox=f"0 0 {number(WIDE)} {number(foot + _FOOT)}",
        width=WIDE,
        height=foot + _FOOT,
        class_="ch",
        role="img",
        aria_label=label,
    )


def _bands(axis: LogAxis) -> list[Markup]:
    """The whole ground, and on it, from cool to hot, everything above each curve of equal risk."""
    foot = _TOP + HIGH
    drawn = [tag("rect", x=axis.left, y=_TOP, width=axis.right - axis.left, height=HIGH, class_="ch-heat0")]
    for level, risk in enumerate(BANDS, 1):
        points = []
        for step in range(_STEPS + 1):
            chance = axis.low * (axis.high / axis.low) ** (step / _STEPS)
            if risk <= chance:
                points.append((axis.at(chance), foot - HIGH * risk / chance))
        start = axis.at(max(risk, axis.low))
        line = f"M{number(start)} {number(_TOP)}" + "".join(f"L{number(x)} {number(y)}" for x, y in points)
        drawn.append(tag("path", d=f"{line}V{number(_TOP)}Z", class_=f"ch-heat{level}"))
    return drawn


def _axes(axis: LogAxis) -> list[Markup]:
    foot = _TOP + HIGH
    drawn = []
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = foot - HIGH * part
        drawn.append(tag("path", d=f"M{number(axis.left)} {number(y)}H{number(axis.right)}", class_="ch-grid"))
        drawn.append(text(f"{part * 100:g} %", axis.left - 8, y + 4, "ch-tick", "end"))
    for chance in axis.powers():
        x = axis.at(chance)
        drawn.append(tag("path", d=f"M{number(x)} {number(_TOP)}V{number(foot + 5)}", class_="ch-grid"))
        drawn.append(text(f"{chance * 100:g} %", x, foot + 18, "ch-tick", "middle"))
    middle = (axis.left + axis.right) / 2
    words = "chance per task (logarithmic); upwards: success lost when it strikes"
    drawn.append(text(words, middle, foot + 35, "ch-axis", "middle"))
    return drawn


def _free(x: float, y: float, taken: list[tuple[float, float]]) -> tuple[float, float]:
    """The place, or the nearest one beside it (left, then right) that hides no other point."""
    y = min(max(y, _TOP + _DOT), _TOP + HIGH)
    for step in range(200):
        aside = (_DOT + 1) * ((step + 1) // 2) * (-1 if step % 2 else 1)
        at = x + aside
        if not _LEFT + _DOT <= at <= WIDE - _DOT:
            continue
        if all((at - other) ** 2 + (y - height) ** 2 >= (2 * _DOT + 1) ** 2 for other, height in taken):
            taken.append((at, y))
            return at, y
    taken.append((x, y))
    return x, y
