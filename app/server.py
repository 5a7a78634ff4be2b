"""The server: uvicorn, set for many long-lived streams."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import HANDLED_SIGNALS
from websockets.frames import CloseCode
from websockets.http11 import Request

from app.cork import CorkedTransport
from app.graphql.wire import ABORT, IS_WRITABLE
from app.http_protocol import HttpProtocol
from app.listening import listening
from app.requests import MAX_BODY_BYTES

PING_SECONDS = 20.0
SHUTDOWN_SECONDS = 10
LINGER_SECONDS = 5.0


class SocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol, which writes bursts at once and can hang up on a client that does not read.

    A polite close waits until the client has read what was written before, which a stalled one never does; its buffer
    and its connection would stay.
    """

    _discarding = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have the frames of one turn of the event loop written together."""
        super().connection_made(transport)
        self.transport = cast("asyncio.Transport", CorkedTransport(self.transport, self.loop))

    def handle_connect(self, event: Request) -> None:
        """Offer the application a way to hang up, and to know whether sending will wait."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = {
                **(self.scope["extensions"] or {}),
                ABORT: self.transport.abort,
                IS_WRITABLE: self.writable.is_set,
            }
            self.scope["extensions"] = extensions

    def send_receive_event_to_app(self) -> None:
        """Pass a message on, or close with 1007 when a text is not UTF-8, of which uvicorn would log a traceback."""
        try:
            if self.curr_msg_data_type == "text":
                b"".join(self.frames).decode()
        except UnicodeDecodeError:
            self.frames = []
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Close with the code of what was wrong, and read on for a moment.

        Closing while the client still sends would reset the connection, and the code would never arrive.
        """
        sent = self.conn.close_sent
        if sent is None or not self.transport.can_write_eof():
            super().handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": sent.code, "reason": sent.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._discarding = True
        self.transport.write_eof()
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def data_received(self, data: bytes) -> None:
        """Read, unless the connection was refused."""
        if not self._discarding:
            super().data_received(data)

    def keepalive_timeout(self) -> None:
        """Hang up when a ping was not answered."""
        super().keepalive_timeout()
        self.transport.abort()


class Server(uvicorn.Server):
    """Uvicorn's server, which says when its port is open, and just returns when a signal has ended it.

    Uvicorn raises the signal again, which on SIGTERM would kill the process with everything else in it left open.
    """

    def __init__(self, config: uvicorn.Config, on_open: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_open = on_open

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let signals end the server, and nothing but the server; in a thread of its own none reaches it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port. Raises ListeningError, where uvicorn would write its own line and end the process."""
        await super().startup(sockets or await listening(self.config.host, self.config.port, self.config.backlog))
        if self.started and self._on_open:
            self._on_open()


def make_server(
    app: ASGIApp,
    host: str,
    port: int,
    on_open: Callable[[], None] | None = None,
    *,
    trusted_proxies: Sequence[str] = (),
) -> Server:
    """A server ready for `await server.serve()`; port 0 takes a free one; `on_open` is called once it listens.

    What X-Forwarded-For and X-Forwarded-Proto say is believed of `trusted_proxies` (addresses and networks) alone.
    On SIGTERM or SIGINT it closes WebSockets with 1012 (clients come again), ends event streams, lets requests finish
    for SHUTDOWN_SECONDS and returns.
    """
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=HttpProtocol,
            ws=SocketProtocol,
            ws_max_size=MAX_BODY_BYTES,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,  # costs more time than it saves on events of a few hundred bytes
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
        ),
        on_open,
    )
