"""Server-sent events, for GraphQL and REST alike."""

from collections.abc import AsyncIterator
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from app.encoding import encode_json

SEND_TIMEOUT_S = 30.0
NEW_LINE = "\n"
"""The standard allows three line ends; urql knows this one only."""


def message(value: object, **fields: Any) -> ServerSentEvent:
    """One message with a JSON value; `fields` are `event` and `id`."""
    return ServerSentEvent(encode_json(value).decode(), sep=NEW_LINE, **fields)


def end_of_stream() -> ServerSentEvent:
    """The last message of a GraphQL stream."""
    return ServerSentEvent("", event="complete", sep=NEW_LINE)


def event_stream(messages: AsyncIterator[ServerSentEvent]) -> Response:
    """A stream with a comment now and then to keep it open; it ends when the client leaves or stops reading."""
    return EventSourceResponse(messages, sep=NEW_LINE, send_timeout=SEND_TIMEOUT_S)
