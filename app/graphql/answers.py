"""An answer as it is sent: JSON, of a size that a client can be expected to take."""

from collections.abc import Callable
from typing import Any

from app.encoding import encode_json
from windtunnel.domain.errors import ErrorCode

ANSWER_MAX_BYTES = 8 * 1024 * 1024
TOO_LARGE = f"The answer is over the limit of {ANSWER_MAX_BYTES:,} bytes; ask for less, in several requests."

Wrap = Callable[[dict[str, Any]], dict[str, Any]]


def encode_answer(body: dict[str, Any], wrap: Wrap = lambda body: body) -> bytes:
    """The body, as the transport wraps it, or instead of one that is too large an error that says so.

    What was done is done, and it is paid: `extensions` stay.
    """
    text = encode_json(wrap(body))
    if len(text) <= ANSWER_MAX_BYTES:
        return text
    error = {"message": TOO_LARGE, "extensions": {"code": ErrorCode.QUERY_TOO_COMPLEX}}
    kept = {"extensions": body["extensions"]} if "extensions" in body else {}
    return encode_json(wrap({"errors": [error], "data": None, **kept}))
