"""Ids of stored things: UUIDv7 (RFC 9562), so that rows created together lie together."""

import secrets
import time
import uuid


def new_id() -> str:
    """A fresh, globally unique id in the canonical 36-character form."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
