"""The legend under a timeline: only what the picture really shows."""

from collections.abc import Mapping

from markupsafe import Markup

from windtunnel.drawing.legend import Entry, flowing
from windtunnel.drawing.marks import ending_sign, strike_sign
from windtunnel.drawing.markup import tag
from windtunnel.drawing.palette import color_of
from windtunnel.drawing.story import Story
from windtunnel.drawing.text import clean, cut
from windtunnel.drawing.words import OUTCOMES, count

TASKS_MAX = 7


def time_legend(story: Story, colors: Mapping[str, str], has_gaps: bool, room: float) -> tuple[Markup, float]:
    """The legend drawn from (0, 0) in at most `room` pixels, and its height."""
    entries = [_task(cut(clean(task), 11, 90), color) for task, color in list(colors.items())[:TASKS_MAX]]
    if len(colors) > TASKS_MAX:
        entries.append(Entry(Markup(""), f"and {count(len(colors) - TASKS_MAX, 'more task')}", 0))
    if any(step.calls for step in story.steps):
        strip = tag("rect", x=0, y=6, width=22, height=4.5, rx=2.0, class_="wt-call")
        entries.append(Entry(tag("g", strip, class_="wt-of-handoff"), "tool call", 22))
    if story.flows:
        entries.append(Entry(tag("path", d="M0 13C12 13 10 3 22 3", class_="wt-flow"), "work handed on", 22))
    if story.strikes:
        entries.append(Entry(tag("g", strike_sign(9, 9), class_="wt-of-soft"), "failure strikes", 18))
    outcomes = {strike.outcome for strike in story.strikes}
    for outcome in OUTCOMES:
        if outcome in outcomes:
            sign = tag("g", ending_sign(outcome, 7, 8), class_=f"wt-of-{color_of(outcome)}")
            entries.append(Entry(sign, outcome.value.lower(), 14))
    if has_gaps:
        lines = tag("path", d="M5 0V16M11 0V16", class_="wt-break")
        entries.append(Entry(lines, "a long wait, drawn shorter", 16))
    return flowing(entries, room)


def _task(words: str, color: str) -> Entry:
    bar = tag("rect", x=0.5, y=1.5, width=21, height=13, rx=4.0, class_="wt-step")
    return Entry(tag("g", bar, class_=f"wt-of-{color}"), words, 22)
