"""Words: where they stand in a text, and their folded form for comparing."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MARKS = (
    "\u0300-\u036f\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd"
    "\u0a3c-\u0a4d\u0b82\u0bbe-\u0bcd\u0c3e-\u0c4d\u0cbc-\u0ccd\u0d3e-\u0d4d\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
)
"""Vowel signs and accents that belong to the letter before, as a part of a character class."""

_HIDDEN = "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
"""What shows nothing, so that nobody sees it in the middle of a word, as a part of a character class."""

_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{MARKS}]|[{_HIDDEN}]+(?=[^\W_]))*")
_HIDDEN_RUN = re.compile(f"[{_HIDDEN}]+")
_MAX_WORD_CHARS = 40
"""Longer runs are no words of any dictionary; their beginning is enough to compare."""


@dataclass(frozen=True, slots=True)
class Word:
    """A run of letters and digits. `form` is folded; `solid` marks scripts that put no spaces between words."""

    form: str
    start: int
    end: int
    solid: bool


def words_of(text: str) -> list[Word]:
    """All words in order. A solid run (Chinese, Japanese) is one word here; the lexicon looks inside."""
    found = []
    for match in _WORD.finditer(text):
        raw = match.group()
        found.append(Word(fold(raw), match.start(), match.end(), is_solid(raw)))
    return found


@lru_cache(maxsize=8192)
def fold(raw: str) -> str:
    """Lower case without accents and what is hidden, compatibility forms unified."""
    folded = unicodedata.normalize("NFKD", raw.casefold())
    if not folded.isascii():
        folded = _HIDDEN_RUN.sub("", folded)
    if folded.isascii():
        return folded[:_MAX_WORD_CHARS]
    # NFKD takes Japanese voicing marks and Hangul apart as well: NFC puts those back, accents on Latin are dropped.
    kept = "".join(char for char in folded if not "\u0300" <= char <= "\u036f")
    return unicodedata.normalize("NFC", kept)[: _MAX_WORD_CHARS if not is_solid(kept) else None]


def is_solid(run: str) -> bool:
    """True when the run has a character of a script that puts no spaces between words."""
    return not run.isascii() and any(is_solid_char(char) for char in run)


def is_solid_char(char: str) -> bool:
    """Han, kana, Thai, Lao, Khmer and Burmese letters."""
    code = ord(char)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3040 <= code <= 0x30FF
        or 0x3400 <= code <= 0x4DBF
        or 0x0E00 <= code <= 0x0EFF
        or 0x1000 <= code <= 0x109F
        or 0x1780 <= code <= 0x17FF
        or 0x20000 <= code <= 0x3134F
    )
