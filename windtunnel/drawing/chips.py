"""Tool chips: what an agent can execute, with a mark for tools that change things and for guarded data."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from windtunnel.domain.architectures import DataSensitivity, Tool
from windtunnel.drawing.heat import Heats
from windtunnel.drawing.icons import LOCK, PENCIL, icon, tool_icon
from windtunnel.drawing.markup import tag, text, title
from windtunnel.drawing.text import clean, cut, width

CHIP_HEIGHT = 20.0
CHIP_SIZE = 10.5
CHIPS_MAX = 4
_GUARDED = frozenset({DataSensitivity.CONFIDENTIAL, DataSensitivity.RESTRICTED})


@dataclass(frozen=True, slots=True)
class Chip:
    """A measured chip; without a tool it counts (and lists in its tooltip) those that found no room."""

    tool: Tool | None
    words: str
    tooltip: Sequence[str]
    width: float
    ground: str = "wt-chip"


def chip_rows(tools: Sequence[Tool], room: float, heats: Heats) -> list[list[Chip]]:
    """Chips in rows at most `room` pixels wide; beyond four tools the rest is counted."""
    shown = tools if len(tools) <= CHIPS_MAX else tools[: CHIPS_MAX - 1]
    chips = [_chip(tool, room, heats) for tool in shown]
    if hidden := tools[len(shown) :]:
        words = f"+{len(hidden)} more"
        chips.append(Chip(None, words, [clean(tool.name) for tool in hidden], width(words, CHIP_SIZE) + 16))
    rows: list[list[Chip]] = []
    left = 0.0
    for chip in chips:
        if not rows or chip.width + 5 > left:
            rows.append([])
            left = room + 5
        rows[-1].append(chip)
        left -= chip.width + 5
    return rows


def _chip(tool: Tool, room: float, heats: Heats) -> Chip:
    heat = heats.get(tool.key)
    marks = 14 * (tool.side_effects + (tool.data_sensitivity in _GUARDED))
    words = cut(clean(tool.name), CHIP_SIZE, min(room, 150) - 30 - marks)
    tooltip = (
        f"{clean(tool.name)} ({tool.kind})",
        tool.purpose,
        "Changes things outside" if tool.side_effects else "Only reads",
        f"Data: {tool.data_sensitivity.value.lower()}",
        *(heat.sentences if heat else ()),
    )
    ground = f"wt-chip wt-heat{heat.level}" if heat else "wt-chip"
    return Chip(tool, words, tooltip, width(words, CHIP_SIZE) + 30 + marks, ground)


def chip_markup(chips: Sequence[Chip], x: float, y: float) -> Markup:
    """A row of chips from (x, y) to the right."""
    drawn: list[Markup] = []
    for chip in chips:
        drawn.append(_one(chip, x, y))
        x += chip.width + 5
    return Markup("").join(drawn)


def _one(chip: Chip, x: float, y: float) -> Markup:
    parts = [
        title(*chip.tooltip),
        tag("rect", x=x, y=y, width=chip.width, height=CHIP_HEIGHT, rx=10.0, class_=chip.ground),
    ]
    if chip.tool is None:
        parts.append(text(chip.words, x + 8, y + 13.8, "wt-chip-words"))
        return tag("g", *parts)
    parts.append(tool_icon(chip.tool.category, x + 7, y + 4.5, 11))
    parts.append(text(chip.words, x + 22, y + 13.8, "wt-chip-words"))
    right = x + chip.width - 8
    if chip.tool.data_sensitivity in _GUARDED:
        right -= 11
        parts.append(tag("g", icon(LOCK, right, y + 4.5, 11), class_="wt-of-guardrail"))
        right -= 3
    if chip.tool.side_effects:
        right -= 11
        parts.append(tag("g", icon(PENCIL, right, y + 4.5, 11), class_="wt-of-writes"))
    return tag("g", *parts)
