"""One request by HTTP or HTTPS to addresses that were decided on before."""

import ssl
from collections.abc import Mapping, Sequence
from functools import cache

import httpcore

from windtunnel import __version__
from windtunnel.delivery.addresses import Address
from windtunnel.delivery.pinned import PinnedBackend, TooMuchError
from windtunnel.delivery.urls import Target
from windtunnel.domain.webhooks import Answer

CONNECT_TIMEOUT_S = 2.0
_HEADERS = {
    "user-agent": f"Windtunnel/{__version__}",
    "content-type": "application/json",
    "accept": "*/*",
    "connection": "close",
}


async def send(
    target: Target,
    addresses: Sequence[Address],
    headers: Mapping[str, str],
    body: bytes,
    authorities: ssl.SSLContext | None = None,
) -> Answer:
    """Post `body` with `headers`; the head of what comes back, or why nothing does.

    No redirect is followed and no proxy used. Who calls sets the time it may take. `authorities` are those whose
    certificates count; None: those of the system and of Mozilla's list.
    """
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    sent = {"host": target.authority, **_HEADERS, **headers, "content-length": str(len(body))}
    pool = httpcore.AsyncConnectionPool(
        ssl_context=authorities or _system_authorities(),
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
