"""Contrast: what is read and what is told apart by colour, on light and dark pages."""

from itertools import pairwise

import pytest

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.domain.failures import FailureOutcome, Severity
from windtunnel.drawing.palette import COLORS, color_of

ROLES = [color_of(role) for role in AgentRole]
BADGES = [color_of(member) for member in (*Severity, *FailureOutcome)]
HEATS = [f"heat{level}" for level in range(5)]
LINES = [color_of(kind) for kind in LinkKind] + ["writes", "soft"]


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, theme: int) -> float:
    lighter, darker = sorted((luminance(COLORS[one][theme]), luminance(COLORS[other][theme])), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_can_be_read(theme: int) -> None:
    pairs = [(word, ground) for word in ("ink", "soft") for ground in ("page", "card", "chip")]
    pairs += [(role, "card") for role in ROLES]
    pairs += [(badge, ground) for badge in BADGES for ground in ("on", "page", "card")]
    pairs += [("accent", "card"), ("accent", "page"), ("variant", "card"), ("page", "ink"), ("on", "accent")]
    pairs += [("ink", heat) for heat in HEATS]
    assert {pair: contrast(*pair, theme) for pair in pairs if contrast(*pair, theme) < 4.5} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_lines_and_signs_can_be_seen(theme: int) -> None:
    pairs = [(line, ground) for line in (*LINES, *ROLES, "accent", "variant") for ground in ("page", "card")]
    assert {pair: contrast(*pair, theme) for pair in pairs if contrast(*pair, theme) < 3} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_each_step_of_heat_is_told_from_the_one_before(theme: int) -> None:
    steps = [contrast(one, other, theme) for one, other in pairwise(HEATS)]
    assert min(steps) > 1.08
    assert contrast(HEATS[0], HEATS[-1], theme) > 1.6
