"""Ids of stored things. Those at home are UUIDv7 (RFC 9562); those in an environment name it, and lie in its database.

Both begin with what makes rows created together lie together, and both have 36 characters.
"""

import re
import secrets
import time
import uuid
from hashlib import sha256

NAMESPACE_CHARS = 16
_REST_CHARS = 19
_NAMESPACE = re.compile(r"[0-9a-f]{16}", re.ASCII)
_WITHIN = re.compile(r"([0-9a-f]{16})-[0-9a-f]{19}", re.ASCII)


def new_id(namespace: str | None = None) -> str:
    """A fresh, globally unique id; with the `namespace` of an environment, of something in it."""
    milliseconds = time.time_ns() // 1_000_000
    if namespace is not None:
        return f"{namespace}-{milliseconds & (2**44 - 1):011x}{secrets.token_hex(4)}"
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def id_of_copy(namespace: str, id: str) -> str:
    """The id that a copy of the thing with this id has in an environment: always the same, so that one copy is made."""
    return f"{namespace}-{sha256(id.encode()).hexdigest()[:_REST_CHARS]}"


def new_namespace() -> str:
    """A fresh namespace for an environment: 64 random bits in hex, so that nobody guesses a neighbour's."""
    return secrets.token_hex(NAMESPACE_CHARS // 2)


def is_namespace(text: str) -> bool:
    """Whether `text` has the form of a namespace."""
    return _NAMESPACE.fullmatch(text) is not None


def namespace_of(id: str) -> str | None:
    """The namespace of the environment in which the thing with this id lies; None for what lies at home."""
    found = _WITHIN.fullmatch(id)
    return found[1] if found else None


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id."""
    if namespace_of(text) is not None:
        return True
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
