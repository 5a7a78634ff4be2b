"""Reading requests: bodies within a limit, and refusals that say what to do instead."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from app.encoding import decode_json
from windtunnel.domain.errors import ErrorCode

MAX_BODY_BYTES = 1024 * 1024
BODY_SECONDS = 30.0
STREAM_SECONDS = 600.0
"""For a body that is not held in memory, as long as it keeps coming."""


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


def retry_after(seconds: int | None) -> dict[str, str]:
    """The header that says when to come again, if at all."""
    return {} if seconds is None else {"Retry-After": str(seconds)}


def error_body(code: ErrorCode, message: str) -> dict[str, object]:
    """One error in both shapes, of GraphQL and of the other routes: for refusals before it is known who answers."""
    return {"errors": [{"message": message, "extensions": {"code": code}}], "error": {"code": code, "message": message}}


async def json_body(request: Request, *, most: int = MAX_BODY_BYTES) -> Any:
    """The JSON value in the body.

    Raises RequestError: 415 for other types, 413 above `most` bytes, 408 after BODY_SECONDS, 400 for no JSON.
    """
    _demand_json(request)
    try:
        return decode_json(await read_body(request, most))
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


async def read_body(request: Request, most: int) -> bytes:
    """The body. Raises RequestError: 413 above `most` bytes, 408 after BODY_SECONDS."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _body(request, most)
    except TimeoutError as error:
        raise _too_slow(f"The body did not arrive within {BODY_SECONDS:g} seconds.") from error


async def streamed_body(request: Request) -> AsyncGenerator[bytes, None]:
    """The body, piece by piece, of any length.

    Raises RequestError: 408 when nothing comes for BODY_SECONDS or it takes longer than STREAM_SECONDS, 400 when it
    never ends.
    """
    clock = asyncio.get_running_loop().time
    over_at = clock() + STREAM_SECONDS
    pieces = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout_at(min(over_at, clock() + BODY_SECONDS)):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            message = f"Nothing of the body arrived for {BODY_SECONDS:g} seconds, or it took over {STREAM_SECONDS:g}."
            raise _too_slow(message) from error
        except ClientDisconnect as error:
            raise RequestError(400, "The body never ended.") from error
        yield piece


def declared_length(request: Request) -> int | None:
    """How many bytes the body is said to have, if that is said."""
    length = request.headers.get("content-length", "")
    return int(length[:19]) if length.isascii() and length.isdecimal() else None


def _too_slow(message: str) -> RequestError:
    return RequestError(408, message, ErrorCode.TIMEOUT, {"Connection": "close"})


async def _body(request: Request, most: int) -> bytes:
    too_long = RequestError(413, f"The body is over the limit of {most:,} bytes.", ErrorCode.LIMIT_EXCEEDED)
    if (declared_length(request) or 0) > most:
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
