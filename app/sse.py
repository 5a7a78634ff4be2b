"""Server-sent events, for GraphQL and REST alike."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.encoding import encode_json

SEND_TIMEOUT_S = 30.0
NEW_LINE = "\n"
"""The standard allows three line ends; urql knows this one only."""

log = structlog.get_logger()


def message(value: object, **fields: Any) -> ServerSentEvent:
    """One message with a JSON value; `fields` are `event` and `id`."""
    return json_message(encode_json(value), **fields)


def json_message(text: bytes, **fields: Any) -> ServerSentEvent:
    """One message with a JSON text; `fields` as above."""
    return ServerSentEvent(text.decode(), sep=NEW_LINE, **fields)


def end_of_stream() -> ServerSentEvent:
    """The last message of a GraphQL stream."""
    return ServerSentEvent("", event="complete", sep=NEW_LINE)


def event_stream(messages: AsyncIterator[ServerSentEvent], on_end: Callable[[], None] = lambda: None) -> Response:
    """A stream with a comment now and then to keep it open; it ends when the client leaves or stops reading.

    `on_end` is called once it has ended, in whatever way.
    """
    stream = _EventStream(messages, sep=NEW_LINE, send_timeout=SEND_TIMEOUT_S)
    stream.on_end = on_end
    return stream


class _EventStream(EventSourceResponse):
    on_end: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A client that stops reading is no defect of ours."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("slow client dropped", client=scope.get("client"))
        finally:
            self.on_end()
