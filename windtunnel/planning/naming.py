"""Names and keys drawn from the words of a text, safe to store and to show."""

import re
import unicodedata
from collections.abc import Collection, Iterable

from windtunnel.planning.reading.words import fold

NAME_MAX_CHARS = 48
TEXT_MAX_CHARS = 600
_NOT_KEY = re.compile(r"[^\w]+")


def clean(text: str, limit: int = TEXT_MAX_CHARS) -> str:
    """One line without control characters or lone surrogates, at most `limit` characters."""
    visible = text[: 4 * limit]
    if not visible.isprintable():
        visible = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in visible)
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def slug(name: str) -> str:
    """A key made of the name's letters and digits in any script, lower case, at most 40 characters."""
    return _NOT_KEY.sub("_", fold_all(name)).strip("_")[:40].rstrip("_")


def fold_all(text: str) -> str:
    """Lower case without accents, word by word."""
    return " ".join(fold(word) for word in text.split())


def unique(key: str, taken: Collection[str]) -> str:
    """`key`, or `key_2`, `key_3` ... when it is taken; `node` when it is empty."""
    base = key or "node"
    made, number = base, 2
    while made in taken:
        made, number = f"{base}_{number}", number + 1
    return made


def capitalised(words: Iterable[str]) -> str:
    """The words as a name: the first letter upper case, the rest as it was."""
    text = " ".join(words)
    return text[:1].upper() + text[1:]
