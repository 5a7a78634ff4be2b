"""A run over simulated time as SVG: a lane per agent with its steps and tool calls, failures and how they ended."""

from collections.abc import Sequence

from markupsafe import Markup

from windtunnel.domain.architectures import Architecture, NetworkAgent
from windtunnel.drawing.geometry import number
from windtunnel.drawing.icons import role_icon
from windtunnel.drawing.lanes import Lane, lanes_of
from windtunnel.drawing.marks import strike_marks
from windtunnel.drawing.markup import SVG_NAMESPACE, tag, text, title
from windtunnel.drawing.palette import color_of
from windtunnel.drawing.sheet import style_sheet
from windtunnel.drawing.story import Event, Flow, Step, Story, story_of
from windtunnel.drawing.text import clean, cut, width, wrap
from windtunnel.drawing.timelegend import time_legend
from windtunnel.drawing.timescale import TimeScale, time_scale
from windtunnel.drawing.words import count, duration, role_word

NAMES = 190.0
MARGIN = 24.0
TOP = 46.0
PLOT_MIN = 920.0
PLOT_MAX = 2400.0
STEP_ROOM = 9.0
"""The plot grows with the number of steps, by so many pixels each."""
BAR = 17.0
NOTE_LINE = 16.0
NOTE_SIZE = 10.5
HANDOVER = 16.0
"""How wide the curve of a handover is; the rest of the way to the next step is waiting."""
TASK_COLORS = ("handoff", "event", "critic", "call", "human", "integration", "memory")


def timeline(architecture: Architecture, events: Sequence[Event]) -> str:
    """The events of one run as an SVG document; a run cut short shows what had happened until then."""
    story = story_of(events)
    lanes, left_out = lanes_of(architecture, story, TOP)
    plot = min(max(PLOT_MIN, STEP_ROOM * len(story.steps)), PLOT_MAX)
    left = MARGIN + NAMES
    scale = time_scale(_moments(story), left, left + plot)
    tasks = list(dict.fromkeys(step.task for step in story.steps))
    colors = {task: TASK_COLORS[place % len(TASK_COLORS)] for place, task in enumerate(tasks)}
    bottom = lanes[-1].bottom if lanes else TOP
    signs, signs_height = time_legend(story, colors, bool(scale.gaps), NAMES + plot)
    notes = _note(left_out, NAMES + plot)
    wide = left + plot + MARGIN
    height = bottom + 22 + len(notes) * NOTE_LINE + signs_height + 12
    by_key = {lane.agent.key: lane for lane in lanes}
    name = f"Timeline: {count(len(story.steps), 'step')} of {count(len(lanes), 'agent')} in {duration(story.end_ms)}"
    return str(
        tag(
            "svg",
            title(name),
            style_sheet(),
            tag("rect", width=wide, height=height, rx=14.0, class_="wt-page"),
            *(_lane(lane, left, plot) for lane in lanes),
            _axis(scale, bottom),
            *(_flow(flow, story, scale, by_key) for flow in story.flows),
            *(_step(step, by_key[step.agent_key], scale, colors) for step in story.steps if step.agent_key in by_key),
            *strike_marks(story.strikes, by_key, scale),
            *(text(note, MARGIN, bottom + 16 + place * NOTE_LINE, "wt-tick") for place, note in enumerate(notes)),
            tag("g", signs, transform=f"translate({number(MARGIN)} {number(height - signs_height - 14)})"),
            xmlns=SVG_NAMESPACE,
            viewBox=f"0 0 {number(wide)} {number(height)}",
            width=wide,
            height=height,
            class_="wt",
            role="img",
            aria_label=name,
        )
    )


def _moments(story: Story) -> list[float]:
    moments = [story.end_ms]
    for step in story.steps:
        moments += (step.start_ms, step.end_ms)
    for strike in story.strikes:
        moments.append(strike.at_ms)
    return moments


def _lane(lane: Lane, left: float, plot: float) -> Markup:
    agent = lane.agent
    middle = lane.top + lane.height / 2
    name = cut(clean(agent.name) or agent.key, 12, NAMES - 40, bold=True)
    return tag(
        "g",
        title(f"{clean(agent.name)} ({role_word(agent.role)})", _places(agent)),
        tag("rect", x=MARGIN, y=lane.top, width=NAMES + plot, height=lane.height - 4, rx=7.0, class_="wt-lane"),
        tag("g", role_icon(agent.role, MARGIN + 9, middle - 10, 16), class_=f"wt-of-{color_of(agent.role)}"),
        text(name, MARGIN + 32, middle + 2, "wt-lane-name"),
        "" if lane.rows else text("not needed", left + 8, middle + 2, "wt-tick"),
    )


def _note(left_out: Sequence[NetworkAgent], room: float) -> list[str]:
    if not left_out:
        return []
    names = ", ".join(clean(agent.name) or agent.key for agent in left_out)
    return wrap(f"{count(len(left_out), 'agent')} had nothing to do in this run: {names}", NOTE_SIZE, room, 3)


def _places(agent: NetworkAgent) -> str:
    places = agent.policy.concurrency
    return f"works on {places} tasks at a time" if places > 1 else "works on one task at a time"


def _axis(scale: TimeScale, bottom: float) -> Markup:
    parts = [
        Markup("").join(
            (
                tag("path", d=f"M{number(x)} {number(TOP - 6)}V{number(bottom - 4)}", class_="wt-grid"),
                text(words, x, TOP - 14, "wt-tick", "middle" if x > scale.places[0] else "start"),
            )
        )
        for x, words in scale.ticks
    ]
    for gap in scale.gaps:
        middle = (gap.left + gap.right) / 2
        parts.append(
            tag(
                "g",
                title(f"{duration(gap.lasts_ms)} drawn shorter than they are"),
                tag("rect", x=gap.left, y=TOP - 4, width=gap.right - gap.left, height=bottom - TOP, class_="wt-gap"),
                *(
                    tag("path", d=f"M{number(x)} {number(TOP - 8)}V{number(bottom - 4)}", class_="wt-break")
                    for x in (middle - 3, middle + 3)
                ),
            )
        )
    return Markup("").join(parts)


def _flow(flow: Flow, story: Story, scale: TimeScale, lanes: dict[str, Lane]) -> Markup:
    """From where work was handed on to the lane where it waits, if it does, until it is taken up."""
    source, target = lanes.get(flow.source), lanes.get(flow.target)
    taken = next(
        (
            step
            for step in story.steps
            if step.agent_key == flow.target and step.task == flow.task and step.start_ms >= flow.at_ms
        ),
        None,
    )
    if source is None or target is None or taken is None:
        return Markup("")
    x, y = scale.at(flow.at_ms), source.middle_of(flow.task, flow.at_ms)
    end_x, end_y = scale.at(taken.start_ms), target.middle_of(flow.task, taken.start_ms)
    arrives_x = min(x + HANDOVER, end_x)
    bend = max((arrives_x - x) * 0.7, 12.0)
    points = [number(value) for value in (x, y, x + bend, y, arrives_x - bend, end_y, arrives_x, end_y)]
    waits = f"H{number(end_x)}" if end_x > arrives_x else ""
    d = f"M{points[0]} {points[1]}C{' '.join(points[2:])}{waits}"
    return tag("path", title(flow.message), d=d, class_="wt-flow")


def _step(step: Step, lane: Lane, scale: TimeScale, colors: dict[str, str]) -> Markup:
    x = scale.at(step.start_ms)
    wide = max(scale.at(step.end_ms) - x, 3.0)
    y = lane.middle_of(step.task, step.start_ms) - BAR / 2
    words = clean(step.task)
    room = width(words, 10.5) + 10 < wide
    failed = "" if step.status in {"OK", "STARTED"} else " wt-step-failed"
    return tag(
        "g",
        title(
            f"{clean(lane.agent.name)}, {words}: {duration(step.end_ms - step.start_ms)} ({step.status.value.lower()})",
            f"from {duration(step.start_ms)} to {duration(step.end_ms)}",
            step.message,
        ),
        tag("rect", x=x, y=y, width=wide, height=BAR, rx=4.0, class_=f"wt-step{failed}"),
        *(
            tag(
                "rect",
                title(call.message),
                x=scale.at(call.start_ms),
                y=y + BAR - 4.5,
                width=max(scale.at(call.end_ms) - scale.at(call.start_ms), 2.5),
                height=4.5,
                rx=2.0,
                class_="wt-call" if call.status == "OK" else "wt-call wt-of-unrecovered",
            )
            for call in step.calls
        ),
        text(words, x + 5, y + 10.5, "wt-bar-words") if room else "",
        class_=f"wt-of-{colors[step.task]}",
    )
