"""What goes over a WebSocket, either way, and what becomes of a client that does not read."""

import asyncio
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.encoding import encode_json
from app.graphql.messages import CloseError

ABORT = "windtunnel.abort"
"""The ASGI extension that cuts a connection which nobody reads; see `app.server`."""
IS_WRITABLE = "windtunnel.is_writable"
"""The ASGI extension that tells whether sending returns at once; without it, it may always wait."""

log = structlog.get_logger()


class SlowClientError(Exception):
    """The client has read nothing for the send timeout."""


class Wire:
    """The text frames of one connection; nothing waits longer than `send_timeout` seconds for a client to read."""

    def __init__(self, websocket: WebSocket, send_timeout: float) -> None:
        self._websocket = websocket
        self._send_timeout = send_timeout
        self._is_writable = websocket.scope.get("extensions", {}).get(IS_WRITABLE) or _may_wait

    async def receive(self) -> str:
        """The next text. Raises WebSocketDisconnect when the client has left, CloseError at anything but text."""
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1006), event.get("reason"))
        text: str | None = event.get("text")
        if text is None:
            raise CloseError(4400, "Invalid message: only text is read")
        return text

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises SlowClientError."""
        await self.send_encoded(encode_json(message))

    async def send_encoded(self, encoded: bytes) -> None:
        """Send a message that is JSON already. Raises SlowClientError."""
        text = encoded.decode()
        if self._is_writable():  # sending will not wait, and a timeout costs as much as sending
            await self._websocket.send_text(text)
            return
        try:
            async with asyncio.timeout(self._send_timeout):
                await self._websocket.send_text(text)
        except TimeoutError:
            raise SlowClientError from None

    async def close(self, closing: CloseError) -> None:
        """Say that this is the end, and why. Raises SlowClientError."""
        try:
            async with asyncio.timeout(self._send_timeout):
                # A close frame has room for 123 bytes.
                await self._websocket.close(closing.code, closing.reason.encode()[:120].decode(errors="ignore"))
        except TimeoutError:
            raise SlowClientError from None

    def cut(self) -> None:
        """End the connection at once: a polite end would wait for a client that does not read."""
        log.info("slow client dropped", client=self._websocket.client)
        if abort := self._websocket.scope.get("extensions", {}).get(ABORT):
            abort()


def _may_wait() -> bool:
    return False
