"""A WebSocket in the test's own hands, for what no client library would send."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from websockets.exceptions import ConnectionClosed
from websockets.frames import Close
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

PROTOCOL = "graphql-transport-ws"
INIT = {"type": "connection_init"}


class Socket:
    """Sends anything; reads messages, or the close code."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, message: object) -> None:
        self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=30))
        return message

    def initialise(self, **payload: object) -> None:
        self.send({**INIT, "payload": payload} if payload else INIT)
        assert self.receive() == {"type": "connection_ack"}

    def subscribe(self, id_: str, query: str, **fields: object) -> None:
        self.send({"id": id_, "type": "subscribe", "payload": {"query": query, **fields}})

    def ask(self, id_: str, query: str) -> dict[str, Any]:
        """The answer of a query without its cost; its `complete` is read, too."""
        self.subscribe(id_, query)
        answer = self.receive()
        assert self.receive() == {"type": "complete", "id": id_}
        assert answer["id"] == id_
        payload: dict[str, Any] = answer["payload"]
        assert payload.pop("extensions")["cost"]["requested"] > 0
        return payload

    def closing(self) -> tuple[int, str]:
        """The code and reason that the server closes with; messages before it are skipped."""
        _, close = self.until_closed()
        assert close is not None, "the connection broke without a close frame"
        return close.code, close.reason

    def refused(self) -> int:
        """The code that the server closes with, which it gives a reason for."""
        code, reason = self.closing()
        assert reason.endswith("."), reason
        return code

    def until_closed(self) -> tuple[list[dict[str, Any]], Close | None]:
        """The last messages, and the close frame, which is None when the connection was cut."""
        messages = []
        while True:
            try:
                messages.append(self.receive())
            except ConnectionClosed as closed:
                return messages, closed.rcvd


@contextmanager
def open_socket(url: str, *, protocol: str | None = PROTOCOL, **options: Any) -> Iterator[Socket]:
    """An open connection, not initialised yet."""
    subprotocols = [Subprotocol(protocol)] if protocol else None
    with connect(url, subprotocols=subprotocols, max_size=None, **options) as connection:
        yield Socket(cast("ClientConnection", connection))
