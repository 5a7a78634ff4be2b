"""The legend under a network: only what the picture really shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from windtunnel.domain.architectures import AgentRole, Architecture, DataSensitivity, LinkKind
from windtunnel.domain.failures import FailureOutcome
from windtunnel.drawing.cards import badge, badge_width
from windtunnel.drawing.heat import LEVEL_WORDS
from windtunnel.drawing.icons import LOCK, PENCIL, icon, role_icon
from windtunnel.drawing.markup import join, tag, text
from windtunnel.drawing.palette import color_of
from windtunnel.drawing.text import width
from windtunnel.drawing.words import OUTCOMES, SEVERITIES, link_kind_word, role_word

LINE = 24.0
SIZE = 11.0
GAP = 18.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A sign drawn from (0, 0) in 16 pixels of height, and what it means."""

    sign: Markup
    words: str
    sign_width: float


def legend(
    architecture: Architecture, room: float, outcomes: Sequence[FailureOutcome], levels: Sequence[int]
) -> tuple[Markup, float]:
    """The legend drawn from (0, 0) in at most `room` pixels, and its height; `levels` are those of heat."""
    return flowing(_entries(architecture, outcomes) + _heat_entries(levels), room)


def flowing(entries: Sequence[Entry], room: float) -> tuple[Markup, float]:
    """Entries in lines of at most `room` pixels from (0, 0), and the height of all lines."""
    drawn: list[Markup] = []
    x = y = 0.0
    for entry in entries:
        wide = entry.sign_width + 6 + width(entry.words, SIZE)
        if x and x + wide > room:
            x, y = 0.0, y + LINE
        words = text(entry.words, entry.sign_width + 6, 12, "wt-legend")
        drawn.append(tag("g", entry.sign, words, transform=f"translate({x:.1f} {y:.1f})"))
        x += wide + GAP
    return join(drawn), y + LINE


def _entries(architecture: Architecture, outcomes: Sequence[FailureOutcome]) -> list[Entry]:
    roles = {agent.role for agent in architecture.agents}
    kinds = {link.kind for link in architecture.links}
    severities = {mode.severity for mode in architecture.failure_modes if mode.targets}
    guarded = {DataSensitivity.CONFIDENTIAL, DataSensitivity.RESTRICTED}
    entries = [
        Entry(_colored(color_of(role), role_icon(role, 0, 0, 16)), role_word(role), 16)
        for role in AgentRole
        if role in roles
    ]
    entries += [Entry(_line(kind), link_kind_word(kind), 28) for kind in LinkKind if kind in kinds]
    if any(tool.side_effects for tool in architecture.tools):
        entries.append(Entry(_colored("writes", icon(PENCIL, 0, 1, 14)), "changes things", 14))
    if any(tool.data_sensitivity in guarded for tool in architecture.tools):
        entries.append(Entry(_colored("guardrail", icon(LOCK, 0, 1, 14)), "guarded data", 14))
    for severity in SEVERITIES:
        if severity in severities:
            sign = f"{severity.value[0]}1"
            words = f"{severity.value.lower()} failure modes"
            entries.append(Entry(badge(severity, sign, 0, 8), words, badge_width(sign)))
    for outcome in OUTCOMES:
        if outcome in outcomes:
            ring = tag("rect", x=1, y=1, width=20, height=14, rx=5, class_=f"wt-ring wt-of-{color_of(outcome)}")
            entries.append(Entry(ring, f"struck, {outcome.value.lower()}", 22))
    return entries


def _heat_entries(levels: Sequence[int]) -> list[Entry]:
    entries: list[Entry] = []
    for level in range(max(levels) + 1 if levels else 0):
        sign = tag("rect", x=0.5, y=1.5, width=21, height=13, rx=4.0, class_=f"wt-chip wt-heat{level}")
        entries.append(Entry(sign, LEVEL_WORDS[level], 22))
    return entries


def _colored(name: str, sign: Markup) -> Markup:
    return tag("g", sign, class_=f"wt-of-{name}")


def _line(kind: LinkKind) -> Markup:
    line = tag("path", d="M0 8H21", class_=f"wt-link wt-link-{color_of(kind)}")
    head = tag("path", d="M28 8L20 4.2V11.8Z", class_="wt-head")
    return _colored(color_of(kind), Markup("").join((line, head)))
