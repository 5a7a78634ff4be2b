"""The courier: takes one signed message to a URL, within five seconds and whatever waits there."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

import httpcore

from windtunnel import __version__
from windtunnel.delivery.addresses import NOTHING_MORE, Address, Allowance
from windtunnel.delivery.destination import addresses_of
from windtunnel.delivery.errors import RefusedError
from windtunnel.delivery.lookup import Lookup, system_lookup
from windtunnel.delivery.pinned import PinnedBackend, TooMuchError
from windtunnel.delivery.urls import Target, read_url
from windtunnel.domain.policy import WEBHOOK_TIMEOUT_S
from windtunnel.domain.webhooks import Answer

CONNECT_TIMEOUT_S = 2.0
_HEADERS = {
    "user-agent": f"Windtunnel/{__version__}",
    "content-type": "application/json",
    "accept": "*/*",
    "connection": "close",
}


@dataclass(frozen=True, slots=True)
class Courier:
    """`allowance` is the operator's. `authorities` are those whose certificates count; None: those of the system."""

    allowance: Allowance = NOTHING_MORE
    lookup: Lookup = system_lookup
    authorities: ssl.SSLContext | None = None

    async def check(self, url: str) -> None:
        """Raise RefusedError unless the URL leads to where webhooks may be sent, as far as can be told today."""
        async with _in_time():
            await self._pinned(read_url(url))

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post `body` with `headers`; what the receiver answered, or why there is no answer.

        The host is looked up and judged anew; then only the addresses judged are connected to. Redirects are not
        followed, proxies are not used, and of the answer nothing but its head is read. Takes WEBHOOK_TIMEOUT_S at
        most.
        """
        try:
            async with _in_time():
                target = read_url(url)
                return await self._send(target, await self._pinned(target), headers, body)
        except RefusedError as refused:
            return Answer(error=refused.reason)

    async def _pinned(self, target: Target) -> tuple[Address, ...]:
        return await addresses_of(target, self.allowance, self.lookup)

    async def _send(
        self, target: Target, addresses: tuple[Address, ...], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path.encode(),
        )
        sent = {"host": target.authority, **_HEADERS, **headers, "content-length": str(len(body))}
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self.authorities or _system_authorities(),
            max_connections=1,
            network_backend=PinnedBackend(addresses, CONNECT_TIMEOUT_S),
        )
        try:
            async with pool, pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
                return Answer(status=response.status, retry_after_s=_retry_after(response.headers))
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            return Answer(error=_connection_failure(error))
        except TooMuchError:
            return Answer(error="The receiver's answer has no end.")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError):
            return Answer(error="The receiver broke the connection off, or did not answer in HTTP.")


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(WEBHOOK_TIMEOUT_S):
            yield
    except TimeoutError:
        raise RefusedError(f"There was no answer within {WEBHOOK_TIMEOUT_S:g} seconds.") from None


@cache
def _system_authorities() -> ssl.SSLContext:
    return httpcore.default_ssl_context()


def _connection_failure(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The receiver's certificate is not valid: {cause.verify_message}."
        if isinstance(cause, ssl.SSLError):
            return "The receiver does not speak TLS as it should."
        cause = cause.__cause__ or cause.__context__
    return "There is no connection to the receiver."


def _retry_after(headers: list[tuple[bytes, bytes]]) -> int | None:
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) <= 9:
            return int(value)
    return None
