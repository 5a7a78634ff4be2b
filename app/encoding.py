"""JSON in and out, without surprises: what cannot be written fast is written all the same."""

import json
from typing import Any

import orjson


def decode_json(data: bytes | str) -> Any:
    """The value of a JSON text. Raises ValueError for anything else: bad UTF-8 and lone surrogates included."""
    return orjson.loads(data)


def encode_json(value: object) -> bytes:
    """The JSON text of plain values; a lone surrogate in a string is escaped, as JSON allows."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson refuses lone surrogates and integers beyond 64 bits
        return json.dumps(value, separators=(",", ":")).encode()
