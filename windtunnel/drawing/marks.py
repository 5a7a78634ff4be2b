"""Marks of a timeline: where a failure struck, and how it ended."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from windtunnel.domain.failures import FailureOutcome
from windtunnel.drawing.geometry import number
from windtunnel.drawing.lanes import Lane
from windtunnel.drawing.markup import tag, title
from windtunnel.drawing.palette import color_of
from windtunnel.drawing.story import Strike
from windtunnel.drawing.timescale import TimeScale

APART = 15.0
_SIGNS = {
    FailureOutcome.RECOVERED: "M-3 0.2L-0.9 2.3L3.2 -2.2",
    FailureOutcome.DEGRADED: "M-3 0H3",
    FailureOutcome.UNRECOVERED: "M-2.4 -2.4L2.4 2.4M2.4 -2.4L-2.4 2.4",
}


def strike_marks(strikes: Sequence[Strike], lanes: Mapping[str, Lane], scale: TimeScale) -> list[Markup]:
    """A triangle where each failure struck and a round mark where it ended, joined by a line; none hides another."""
    drawn: list[Markup] = []
    taken: dict[str, list[float]] = {}
    for strike in strikes:
        lane = lanes.get(strike.agent_key)
        if lane is None:
            continue
        x = _free(scale.at(strike.at_ms), taken.setdefault(strike.agent_key, []))
        y = lane.top + 3
        parts = [strike_sign(x, y)]
        if strike.outcome and strike.ended_ms is not None:
            ended = lanes.get(strike.ended_by or "", lane)
            end_x = _free(scale.at(strike.ended_ms), taken.setdefault(ended.agent.key, []))
            line = f"M{number(x)} {number(y)}L{number(end_x)} {number(ended.top + 3)}"
            parts = [
                tag("path", d=line, class_="wt-mark-line"),
                *parts,
                ending_sign(strike.outcome, end_x, ended.top + 3),
            ]
        outcome = strike.outcome or FailureOutcome.UNRECOVERED
        drawn.append(
            tag(
                "g",
                title(
                    f"{strike.code} ({strike.severity.value.lower()}): {outcome.value.lower()}",
                    strike.message,
                    strike.ending,
                ),
                *parts,
                class_=f"wt-of-{color_of(outcome)}",
            )
        )
    return drawn


def strike_sign(x: float, y: float) -> Markup:
    """A warning triangle around a point."""
    triangle = tag("path", d="M0 -8.5L8.3 6H-8.3Z", class_="wt-mark")
    sign = tag("path", d="M0 -3.5V1M0 3.5V3.6", class_="wt-mark-sign")
    return tag("g", triangle, sign, transform=f"translate({number(x)} {number(y)})")


def ending_sign(outcome: FailureOutcome, x: float, y: float) -> Markup:
    """A round mark around a point: a tick, a dash or a cross."""
    disc = tag("circle", r=6.6, class_="wt-mark")
    sign = tag("path", d=_SIGNS[outcome], class_="wt-mark-sign")
    return tag("g", disc, sign, transform=f"translate({number(x)} {number(y)})")


def _free(x: float, taken: list[float]) -> float:
    """`x`, or the next place to the right that no other mark of the lane covers."""
    while any(abs(x - other) < APART for other in taken):
        x += APART / 3
    taken.append(x)
    return x
