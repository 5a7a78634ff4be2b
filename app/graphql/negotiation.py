"""Which media type a client wants: quality first, then the order of its `Accept` header."""

from collections.abc import Collection

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
HTML = "text/html"


def preferred(accept: str | None, offered: Collection[str], *, default: str = JSON) -> str | None:
    """The offered type that the client likes best; `default` when any will do, None when none will.

    Many clients list every type that they can read, the one they want first; so order decides between equals.
    """
    if accept is None or not accept.strip():
        return default
    for wanted in _wanted(accept):
        if wanted == "*/*" or (wanted.endswith("/*") and default.startswith(wanted[:-1])):
            return default
        for media_type in offered:
            if wanted in (media_type, media_type.partition("/")[0] + "/*"):
                return media_type
    return None


def accepts(accept: str | None, media_type: str) -> bool:
    """Whether the client names this very type."""
    return accept is not None and media_type in _wanted(accept)


def _wanted(accept: str) -> list[str]:
    weighted = []
    for part in accept.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality(value)
        if quality > 0 and media_type:
            weighted.append((quality, media_type))
    return [media_type for _, media_type in sorted(weighted, key=lambda one: -one[0])]


def _quality(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 1.0
