"""A transport that writes once per turn of the event loop, however many frames a connection sends in it."""

import asyncio
from typing import Any


class CorkedTransport:
    """Gathers what is written until the event loop comes round; everything else is the transport's own.

    A burst of events costs a follower one system call instead of one for each event.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write with what else is written in this turn."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def close(self) -> None:
        """Write what waits, then close."""
        self._flush()
        self._transport.close()

    def write_eof(self) -> None:
        """Write what waits, then nothing more."""
        self._flush()
        self._transport.write_eof()

    def _flush(self) -> None:
        if self._waiting and not self._transport.is_closing():
            self._transport.write(b"".join(self._waiting))
        self._waiting.clear()
