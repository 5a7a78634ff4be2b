"""The card of one agent: shape and icon by role, its name, tool chips, and badges for the failures it may meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from windtunnel.domain.architectures import Architecture, NetworkAgent, Tool
from windtunnel.domain.failures import FailureMode, FailureOutcome, Severity
from windtunnel.drawing.chips import CHIP_HEIGHT, Chip, chip_markup, chip_rows
from windtunnel.drawing.geometry import Rect
from windtunnel.drawing.heat import Heat, Heats
from windtunnel.drawing.icons import role_icon
from windtunnel.drawing.markup import tag, text, title
from windtunnel.drawing.outlines import outline
from windtunnel.drawing.palette import color_of
from windtunnel.drawing.text import clean, width, wrap
from windtunnel.drawing.words import SEVERITIES, count, role_word, share

CARD_WIDTH = 224.0
PADDING = 14.0
ICON_BOX = 28.0
NAME_SIZE = 13.5
NAME_LINE = 17.0
BADGE_SIZE = 9.5
HEAT_LINE = 20.0


@dataclass(frozen=True, slots=True)
class Card:
    """An agent measured for drawing."""

    agent: NetworkAgent
    lines: Sequence[str]
    chips: Sequence[Sequence[Chip]]
    modes: Sequence[FailureMode]
    height: float
    heat: Heat | None = None


def cards_of(architecture: Architecture, heats: Heats) -> list[Card]:
    """One card per agent, in order."""
    tools = {tool.key: tool for tool in architecture.tools}
    modes: dict[str, list[FailureMode]] = {agent.key: [] for agent in architecture.agents}
    for mode in architecture.failure_modes:
        for key in dict.fromkeys(mode.targets):
            if key in modes:
                modes[key].append(mode)
    return [_card(agent, tools, modes[agent.key], heats) for agent in architecture.agents]


def _card(agent: NetworkAgent, tools: Mapping[str, Tool], modes: Sequence[FailureMode], heats: Heats) -> Card:
    room = CARD_WIDTH - 2 * PADDING - ICON_BOX - 10
    lines = wrap(clean(agent.name), NAME_SIZE, room, 2, bold=True)
    used = [tools[key] for key in dict.fromkeys(agent.tools) if key in tools]
    chips = chip_rows(used, CARD_WIDTH - 2 * PADDING, heats)
    heat = heats.get(agent.key)
    head = 16 + NAME_LINE * len(lines)
    height = 2 * PADDING + max(head, ICON_BOX) + (8 + len(chips) * (CHIP_HEIGHT + 5) - 5 if chips else 0)
    return Card(agent, lines, chips, modes, height + (HEAT_LINE if heat else 0), heat)


def card_markup(card: Card, place: Rect, outcome: FailureOutcome | None, load: float | None) -> Markup:
    """The drawn card; `outcome` of a failure that struck it puts a ring around, `load` (0 to 1) a bar at its foot."""
    agent = card.agent
    shape = outline(agent.role, place)
    parts: list[Markup] = []
    if agent.policy.concurrency > 1:
        behind = Rect(place.x + 5, place.y + 5, place.width, place.height)
        parts.append(tag("path", d=outline(agent.role, behind), class_="wt-behind"))
    if outcome:
        ring = Rect(place.x - 4, place.y - 4, place.width + 8, place.height + 8)
        parts.append(tag("path", d=outline(agent.role, ring), class_=f"wt-ring wt-of-{color_of(outcome)}"))
    parts.append(tag("path", d=shape, class_=f"wt-card wt-heat{card.heat.level}" if card.heat else "wt-card"))
    left, top = place.x + PADDING, place.y + PADDING
    parts.append(tag("rect", x=left, y=top, width=ICON_BOX, height=ICON_BOX, rx=8.0, class_="wt-tint"))
    parts.append(role_icon(agent.role, left + 6, top + 6, 16))
    beside = left + ICON_BOX + 10
    replicas = f" ×{agent.policy.concurrency}" if agent.policy.concurrency > 1 else ""
    parts.append(text(role_word(agent.role).upper() + replicas, beside, top + 8, "wt-role"))
    parts += [
        text(line, beside, top + 11 + NAME_LINE * (number + 1) - 2, "wt-name") for number, line in enumerate(card.lines)
    ]
    foot = place.y + place.height - PADDING
    if card.heat:
        parts += _heat_words(card.heat, place, foot)
        foot -= HEAT_LINE
    bottom = foot - (len(card.chips) * (CHIP_HEIGHT + 5) - 5 if card.chips else 0)
    for number, row in enumerate(card.chips):
        parts.append(chip_markup(row, left, bottom + number * (CHIP_HEIGHT + 5)))
    if load is not None:
        parts.append(_load_bar(place, load))
    badges = _badges(card.modes, place)
    inside = tag("g", _tooltip(card, outcome, load), *parts, class_=_classes(card))
    return tag("g", inside, badges)


def _classes(card: Card) -> str:
    return f"wt-agent wt-of-{color_of(card.agent.role)}" + (" wt-heated" if card.heat else "")


def _heat_words(heat: Heat, place: Rect, foot: float) -> list[Markup]:
    """How busy it is at the foot of the card; the bottleneck has a flag on its upper border."""
    drawn = [text(heat.words, place.center.x, foot + 1, "wt-hot", "middle")]
    if heat.is_bottleneck:
        words = "BOTTLENECK"
        wide = width(words, 9.0, bold=True) + 18
        flag = Rect(place.x + 16, place.y - 8, wide, 16)
        drawn += [
            tag("rect", x=flag.x, y=flag.y, width=wide, height=16.0, rx=8.0, class_="wt-bottleneck"),
            text(words, flag.center.x, flag.center.y + 3.2, "wt-bottleneck-words", "middle"),
        ]
    return drawn


def _tooltip(card: Card, outcome: FailureOutcome | None, load: float | None) -> Markup:
    agent = card.agent
    return title(
        f"{clean(agent.name)} ({role_word(agent.role)})",
        agent.responsibility,
        f"Works on {agent.policy.concurrency} at a time" if agent.policy.concurrency > 1 else "",
        f"Skills: {', '.join(agent.skills)}" if agent.skills else "",
        f"Busy {share(load)} of the time" if load is not None else "",
        f"A failure struck here: {outcome.value.lower()}" if outcome else "",
        *(card.heat.sentences if card.heat else ()),
    )


def _load_bar(place: Rect, load: float) -> Markup:
    inset = 22.0
    full = place.width - 2 * inset
    y = place.y + place.height - 5
    back = tag("rect", x=place.x + inset, y=y, width=full, height=3.0, rx=1.5, class_="wt-track")
    share_of = tag(
        "rect", x=place.x + inset, y=y, width=full * min(max(load, 0), 1), height=3.0, rx=1.5, class_="wt-busy"
    )
    return Markup("").join((back, share_of))


def _badges(modes: Sequence[FailureMode], place: Rect) -> Markup:
    """One badge per severity, worst first, on the upper right border: its initial and how many modes."""
    right = place.x + place.width - 12
    drawn: list[Markup] = []
    for severity in reversed(SEVERITIES):
        members = [mode for mode in modes if mode.severity is severity]
        if not members:
            continue
        words = f"{severity.value[0]}{len(members)}"
        right -= badge_width(words)
        listed = [f"{mode.code}: {share(mode.probability)} per run" for mode in members]
        drawn.append(badge(severity, words, right, place.y, [count(len(members), _noun(severity)), *listed]))
        right -= 2
    return Markup("").join(reversed(drawn))


def _noun(severity: Severity) -> str:
    return f"{severity.value.lower()} failure mode"


def badge_width(words: str) -> float:
    """How wide a badge with these words is."""
    return width(words, BADGE_SIZE, bold=True) + 9


def badge(severity: Severity, words: str, x: float, y: float, tooltip: Sequence[str] = ()) -> Markup:
    """A badge of a severity from `x` to the right, centred on height `y`."""
    wide = badge_width(words)
    return tag(
        "g",
        title(*tooltip) if tooltip else Markup(""),
        tag("rect", x=x, y=y - 8, width=wide, height=16.0, rx=8.0, class_="wt-pill"),
        text(words, x + wide / 2, y + 3.5, "wt-pill-words", "middle"),
        class_=f"wt-badge wt-of-{color_of(severity)}",
    )
