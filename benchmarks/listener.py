"""A graphql-transport-ws client that notes when bytes arrive and reads them afterwards: it costs next to nothing."""

import asyncio
import base64
import os
import time

import orjson


class Listener(asyncio.Protocol):
    """One connection with one subscription; `chunks` are (wall clock, bytes) as they came."""

    def __init__(self, port: int, query: str, variables: dict[str, object]) -> None:
        self.chunks: list[tuple[float, bytes]] = []
        self.over = asyncio.Event()
        self._port = port
        self._subscribe = {"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Note it; after the first bytes, which shake hands, subscribe; the last message is `complete`."""
        self.chunks.append((time.time(), data))
        if len(self.chunks) == 1:
            for message in ({"type": "connection_init"}, self._subscribe):
                self._transport.write(_frame(orjson.dumps(message)))
        if b'"type":"complete"' in data:
            self.over.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self.over.set()

    def messages(self) -> list[tuple[float, dict[str, object]]]:
        """Every `next` payload with the time at which its last byte came."""
        buffer = bytearray()
        found = []
        shaken = False
        for at, data in self.chunks:
            buffer += data
            if not shaken:
                if b"\r\n\r\n" not in buffer:
                    continue
                del buffer[: buffer.index(b"\r\n\r\n") + 4]
                shaken = True
            while (payload := _take_frame(buffer)) is not None:
                message = orjson.loads(payload)
                if message["type"] == "next":
                    found.append((at, message["payload"]["data"]["simulationEvents"]))
        return found


def _frame(payload: bytes) -> bytes:
    """A masked text frame; a mask of zeros leaves the payload as it is."""
    length = len(payload)
    head = bytes([0x81, 0x80 | length]) if length < 126 else bytes([0x81, 0x80 | 126, length >> 8, length & 255])
    return head + bytes(4) + payload


def _take_frame(buffer: bytearray) -> bytes | None:
    """Cut the next whole text frame off; None when there is none yet."""
    while len(buffer) >= 2:
        length, start = buffer[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(buffer[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + length:
            return None
        is_text = buffer[0] & 15 == 1
        payload = bytes(buffer[start : start + length])
        del buffer[: start + length]
        if is_text:
            return payload
    return None


async def listen(port: int, query: str, variables: dict[str, object]) -> Listener:
    """Follow one subscription to its end."""
    loop = asyncio.get_running_loop()
    transport, listener = await loop.create_connection(lambda: Listener(port, query, variables), "127.0.0.1", port)
    await listener.over.wait()
    transport.close()
    return listener
