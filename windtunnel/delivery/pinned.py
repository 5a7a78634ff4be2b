"""Connections to addresses that were decided on before, from which only so much is read."""

import ssl
from collections.abc import Iterable, Sequence

import httpcore

from windtunnel.delivery.addresses import Address

ADDRESSES_TRIED = 3
READ_MAX_BYTES = 16 * 1024


class TooMuchError(Exception):
    """The other side sends more than anybody needs to read."""


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the first of `addresses` that answers, whatever the host is called; names are never looked up.

    The name stays what TLS checks the certificate against. From each connection at most READ_MAX_BYTES are read.
    """

    def __init__(self, addresses: Sequence[Address], connect_timeout_s: float) -> None:
        self._addresses = addresses[:ADDRESSES_TRIED]
        self._timeout_s = connect_timeout_s
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """As httpcore asks for it; `host` is not looked at."""
        del host, timeout
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses:
            try:
                stream = await self._network.connect_tcp(
                    str(address), port, self._timeout_s, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Bounded(stream)
        raise failure


class _Bounded(httpcore.AsyncNetworkStream):
    """A stream that is read up to READ_MAX_BYTES."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = READ_MAX_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Some bytes, b"" at the end. Raises TooMuchError."""
        if self._left <= 0:
            raise TooMuchError
        read = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(read)
        return read

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """All of the bytes."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Without a farewell."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """The stream inside, bounded too."""
        try:
            return _Bounded(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:  # httpcore forgets the stream when a handshake is cancelled
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> object:
        """What the stream below tells."""
        return self._stream.get_extra_info(info)
