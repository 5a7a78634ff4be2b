"""The messages of graphql-transport-ws: what is read of a client's, and how answers are written."""

from typing import Any

from app.encoding import decode_json
from app.graphql.operations import Answer


class CloseError(Exception):
    """The connection must end, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def next_of(id_: str, body: dict[str, Any]) -> dict[str, Any]:
    """One result of an operation."""
    return {"type": "next", "payload": body, "id": id_}


def error_of(id_: str, answer: Answer) -> dict[str, Any]:
    """The refusal of an operation."""
    return {"type": "error", "payload": answer.errors, "id": id_}


def message_of(text: str) -> dict[str, Any]:
    """The message that a text is. Raises CloseError when it is none."""
    try:
        message = decode_json(text)
    except ValueError:
        raise CloseError(4400, "Invalid message: not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise CloseError(4400, "Invalid message: not an object with a type")
    return message


def payload_of(message: dict[str, Any]) -> dict[str, Any] | None:
    """What the message carries, if anything. Raises CloseError."""
    payload = message.get("payload")
    if not isinstance(payload, dict | None):
        raise CloseError(4400, "Invalid message: the payload is not an object")
    return payload


def id_of(message: dict[str, Any]) -> str:
    """Which operation the message is about. Raises CloseError."""
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise CloseError(4400, "Invalid message: the id is not a string with something in it")
    return id_
