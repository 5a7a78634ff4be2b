"""HTTP/1.1 by uvicorn and httptools, with limits on the head of a request, which they do not have."""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.encoding import encode_json
from app.requests import error_body
from windtunnel.domain.errors import ErrorCode


class HeadTooLargeError(Exception):
    """Stops the parser in the middle of a head."""


class HttpProtocol(HttpToolsProtocol):
    """Refuses a head above `max_head_bytes` with 431 while it arrives, and closes when one takes `head_seconds`.

    A header that is not complete yet counts without the read that it began in: what is held stays within the limit and
    one read. The refusal of a pipelined request waits its turn, so that it does not land in the middle of an answer.
    """

    max_head_bytes = 64 * 1024
    head_seconds = 20.0

    _in_head = False
    _refused = False
    _handed_on = False
    _head_bytes = 0  # of the parts that the parser has handed on, trailers after a chunked body included
    _kept_bytes = 0  # arrived since the parser last handed anything on: it is gathering them
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; what follows a refused head is thrown away."""
        if self._refused:
            return
        self._handed_on = False
        super().data_received(data)
        self._kept_bytes = 0 if self._handed_on else self._kept_bytes + len(data)
        if self._is_too_large() and not self._refused:
            self._refuse()
        elif self._in_head and self._head_timer is None:
            self._start_head_timer()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = self._kept_bytes = 0
        self._handed_on = True

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._count(len(name) + len(value) + len(": \r\n"))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is over."""
        self._handed_on = True
        self._in_head = False
        self._head_bytes = 0
        self._stop_head_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._handed_on = True
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Go on with the next request, or refuse it."""
        super().on_response_complete()
        if self._refused and not self._is_answering():
            self._write_refusal()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser stopped at."""
        if self._is_too_large():
            self._refuse()
        else:
            super().send_400_response(msg)

    def on_head_timeout(self) -> None:
        """Close, unless an earlier request is still being answered: then this one may have had to wait."""
        self._head_timer = None
        if self._is_answering():
            self._start_head_timer()
        else:
            self.transport.close()

    def _count(self, size: int) -> None:
        self._handed_on = True
        self._head_bytes += size
        if self._is_too_large():
            raise HeadTooLargeError

    def _is_too_large(self) -> bool:
        return self._head_bytes + self._kept_bytes > self.max_head_bytes

    def _is_answering(self) -> bool:
        # None before the first request, whatever uvicorn's annotation says
        cycle = cast("object | None", self.cycle)
        return cycle is not None and not self.cycle.response_complete

    def _refuse(self) -> None:
        self._refused = True
        if not self._in_head:  # trailers, or the size of a chunk: the request is being answered already
            self.transport.close()
        elif not self._is_answering():
            self._write_refusal()

    def _write_refusal(self) -> None:
        """Answer, and read on until the client hangs up or its time is over: it might lose the answer otherwise."""
        if self.transport.is_closing():
            return
        message = f"The request line and headers are over the limit of {self.max_head_bytes:,} bytes."
        body = encode_json(error_body(ErrorCode.LIMIT_EXCEEDED, message))
        self._unset_keepalive_if_required()
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
            b"content-type: application/json\r\n"
            b"content-length: %d\r\n"
            b"connection: close\r\n\r\n%b" % (len(body), body)
        )
        self.transport.write_eof()
        self._start_head_timer()

    def _start_head_timer(self) -> None:
        self._stop_head_timer()
        self._head_timer = self.loop.call_later(self.head_seconds, self.on_head_timeout)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
