"""Opaque text: what is inside is nobody's business, so that nobody builds upon it."""

import base64
import binascii


def write_opaque(text: str) -> str:
    """`text` as base64url without padding."""
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_opaque(given: str) -> str | None:
    """The reverse of `write_opaque`; None for anything that it cannot have written."""
    try:
        text = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return text if write_opaque(text) == given else None
