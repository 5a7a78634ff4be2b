"""Text to be drawn: cleaned of what cannot be shown, measured without fonts, wrapped and cut to a width."""

import unicodedata
from functools import lru_cache

MARKS_MAX = 4
"""Combining marks kept in a row: enough for every writing system, too few to climb out of a box."""

_JOINERS = "\u200c\u200d"
_NARROW = frozenset("iljtf.,:;'|!()[]{}I ")
_WIDE = frozenset("mwMW@%&")


def clean(text: str) -> str:
    """One line of what can be shown: no controls, no direction overrides, no noncharacters, single spaces.

    Right-to-left letters stay; only the invisible characters that reorder their surroundings go.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in {"Mn", "Me"}:
            marks += 1
            if marks <= MARKS_MAX:
                kept.append(char)
            continue
        marks = 0
        if category in {"Cc", "Zl", "Zp"}:
            kept.append(" ")
        elif _is_drawable(char, category):
            kept.append(char)
    return " ".join("".join(kept).split())


def _is_drawable(char: str, category: str) -> bool:
    point = ord(char)
    if category == "Cs" or point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF:
        return False
    return category != "Cf" or char in _JOINERS


def width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide `text` is in pixels at a font size; no font is asked, so the answer is the same everywhere."""
    return sum(map(_em, text)) * size * (1.06 if bold else 1.0)


@lru_cache(maxsize=8192)
def _em(char: str) -> float:
    if char.isascii():
        if char in _NARROW:
            return 0.34
        return 0.95 if char in _WIDE else 0.72 if char.isupper() else 0.6
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0.0
    return 1.05 if char in "—…" or unicodedata.east_asian_width(char) in {"W", "F"} else 0.66


def cut(text: str, size: float, limit: float, *, bold: bool = False) -> str:
    """`text`, or as much of its beginning as fits into `limit` pixels, with an ellipsis."""
    if width(text, size, bold=bold) <= limit:
        return text
    room = limit - width("…", size, bold=bold)
    end = 0
    used = 0.0
    for position, char in enumerate(text):
        used += width(char, size, bold=bold)
        if used > room:
            break
        end = position + 1
    while 0 < end < len(text) and _is_attached(text, end):
        end -= 1
    return text[:end].rstrip() + "…"


def _is_attached(text: str, position: int) -> bool:
    # A cut before a combining mark or beside a joiner would change the letter or the emoji before it.
    here, before = text[position], text[position - 1]
    return here in _JOINERS or before in _JOINERS or unicodedata.category(here) in {"Mn", "Me", "Mc"}


def wrap(text: str, size: float, limit: float, lines: int, *, bold: bool = False) -> list[str]:
    """`text` in at most `lines` lines of at most `limit` pixels; the last one is cut with an ellipsis if need be.

    Breaks at spaces; a word wider than a line (and text in scripts without spaces) breaks anywhere.
    """
    wrapped: list[str] = []
    rest = text
    while rest and len(wrapped) < lines - 1:
        if width(rest, size, bold=bold) <= limit:
            break
        line = _first_line(rest, size, limit, bold=bold)
        wrapped.append(line.rstrip())
        rest = rest[len(line) :].lstrip()
    if rest or not wrapped:
        wrapped.append(cut(rest, size, limit, bold=bold))
    return wrapped


def _first_line(text: str, size: float, limit: float, *, bold: bool) -> str:
    used = 0.0
    end = len(text)
    for position, char in enumerate(text):
        used += width(char, size, bold=bold)
        if used > limit:
            end = max(position, 1)
            break
    space = text.rfind(" ", 0, end + 1)
    if space > end // 3:
        return text[:space]
    while 1 < end < len(text) and _is_attached(text, end):
        end -= 1
    return text[:end]
