"""Reading requests: bodies within a limit, and refusals that say what to do instead."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from app.encoding import decode_json
from windtunnel.domain.errors import ErrorCode

MAX_BODY_BYTES = 1024 * 1024


class RequestError(Exception):
    """The request is not one that this route takes; answered with `status` and `code`."""

    def __init__(
        self,
        status: int,
        message: str,
        code: ErrorCode = ErrorCode.BAD_USER_INPUT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})


async def json_body(request: Request, *, most: int = MAX_BODY_BYTES) -> Any:
    """The JSON value in the body. Raises RequestError: 415 for other types, 413 above `most` bytes, 400 for no JSON."""
    _demand_json(request)
    body = await _body(request, most)
    try:
        return decode_json(body)
    except ValueError as error:
        raise RequestError(400, f"The body is not JSON: {error}.") from error


def _demand_json(request: Request) -> None:
    media_type, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charset = next(
        (value.strip('"') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"), "utf-8"
    )
    encoding = request.headers.get("content-encoding", "identity").lower()
    if media_type != "application/json" or charset not in {"utf-8", "utf8"} or encoding != "identity":
        raise RequestError(
            415,
            "Send the body uncompressed as `Content-Type: application/json`.",
            headers={"Accept": "application/json"},
        )


async def _body(request: Request, most: int) -> bytes:
    too_long = RequestError(413, f"The body is over the limit of {most:,} bytes.", ErrorCode.LIMIT_EXCEEDED)
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most:
        raise too_long
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise too_long
    except ClientDisconnect as error:
        raise RequestError(400, "The body never ended.") from error
    return bytes(body)
