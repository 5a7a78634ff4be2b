"""Where keys may be fetched from."""

import re
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")


def is_safe(url: str) -> bool:
    """Whether nobody on the way can change what is fetched: encrypted, or without leaving this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = parts.hostname or ""
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and _LOOPBACK.fullmatch(host) is not None)
    )
