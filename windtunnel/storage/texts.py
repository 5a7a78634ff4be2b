"""What text the databases can hold, and the form in which searches compare it."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

_REPLACEMENT = "\ufffd"
_ID_MAX_CHARS = 64


def storable(text: str) -> bool:
    """False for NUL and unpaired surrogates: one database or the other cannot hold them."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))


def cleaned(text: str) -> str:
    """The text with U+FFFD for every character that cannot be stored."""
    if storable(text):
        return text
    return "".join(_REPLACEMENT if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)


def known_ids(ids: Iterable[str]) -> list[str]:
    """Those of `ids` that could be an id at all, each once: the rest cannot be found and never reaches the database."""
    return [key for key in dict.fromkeys(ids) if len(key) <= _ID_MAX_CHARS and key.isascii() and key.isprintable()]


def folded(text: str) -> str:
    """Two texts that differ only in letter case or in how accents are composed fold to the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def like_pattern(search: str) -> str:
    """A LIKE pattern (escape character `\\`) for texts that contain `search` literally, once both are folded."""
    escaped = folded(search).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def to_json(value: Any) -> str:
    """JSON of plain values; characters that cannot be stored become U+FFFD."""
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(cleaned_deeply(value)).decode()
    return orjson.dumps(cleaned_deeply(value)).decode() if "\\u0000" in text else text


def cleaned_deeply(value: Any) -> Any:
    """Plain JSON values with every text in them as by `cleaned`."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, Mapping):
        return {cleaned_deeply(key): cleaned_deeply(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned_deeply(item) for item in value]
    return value
