"""A scenario: the user's words, and which words are accepted."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from windtunnel.domain.errors import ErrorCode, ValidationError
from windtunnel.domain.policy import SCENARIO_MAX_CHARS

TITLE_MIN_CHARS = 24
TITLE_MAX_CHARS = 80


@dataclass(frozen=True, slots=True)
class Scenario:
    """The user's words describing a system to try out, stored as given."""

    id: str
    tenant_id: str
    title: str
    text: str
    created_at: datetime
    created_by: str


def check_text(text: str, path: tuple[str, ...] = ("input", "scenario", "text")) -> str:
    """Return `text` unchanged, or raise ValidationError: SCENARIO_EMPTY, too long, or not storable as Unicode."""
    if len(text) > SCENARIO_MAX_CHARS:
        raise ValidationError(
            f"The scenario has {len(text):,} characters; at most {SCENARIO_MAX_CHARS:,} are accepted. Shorten it.",
            rule="string_too_long",
            path=path,
        )
    if not any(_is_visible(char) for char in text):
        raise ValidationError(
            "The scenario is empty. Describe in a sentence or two what your agents should do.",
            rule="string_empty",
            code=ErrorCode.SCENARIO_EMPTY,
            path=path,
        )
    check_storable(text, path)
    return text


def check_storable(text: str, path: tuple[str, ...]) -> None:
    """Raise ValidationError for a NUL or an unpaired surrogate: no database and no UTF-8 stream can carry them."""
    for position, char in enumerate(text):
        if char == "\0" or 0xD800 <= ord(char) <= 0xDFFF:
            raise ValidationError(
                f"Character {position + 1} (U+{ord(char):04X}) cannot be stored as text. Remove it.",
                rule="string_unstorable",
                path=path,
            )


def title_of(text: str) -> str:
    """The first sentence of the scenario that says something, at most 80 characters, without control characters."""
    visible = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text)
    words = " ".join(visible.split())
    for end in (". ", "! ", "? ", "。"):
        cut = words.find(end, TITLE_MIN_CHARS)
        if 0 < cut < TITLE_MAX_CHARS:
            return words[: cut + 1]
    return words if len(words) <= TITLE_MAX_CHARS else words[: TITLE_MAX_CHARS - 1].rstrip() + "…"


def _is_visible(char: str) -> bool:
    # Category C* covers controls, zero-width and other format characters; Z* the spaces. Some blanks are letters
    # or marks to Unicode (Hangul fillers, Braille blank, combining grapheme joiner) yet show nothing.
    if char in "\u115f\u1160\u3164\uffa0\u2800\u034f":
        return False
    return unicodedata.category(char)[0] not in "CZ"
