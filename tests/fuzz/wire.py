"""HTTP as it goes over the wire: clients would refuse to send most of this."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from socket import create_connection

ENDLESS_BYTES = 20_000
PATIENCE_S = 0.2


@dataclass(frozen=True)
class Told:
    """What the server said; status 0 when it just hung up."""

    status: int
    content_type: str = ""
    body: bytes = b""


def send(port: int, method: str, path: str, headers: Mapping[str, str], content: bytes) -> Told:
    """One request on a connection of its own; of an event stream only the beginning is read."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(content)}", "Connection: close", "", ""]
    with create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            connection.sendall("\r\n".join(lines).encode("latin-1", "replace") + content)
            answer = HTTPResponse(connection, method=method)
            answer.begin()
            content_type = answer.getheader("content-type", "")
            if "event-stream" in content_type:
                connection.settimeout(PATIENCE_S)
                return Told(answer.status, content_type, _beginning(answer))
            body = answer.read()
        except (ConnectionError, HTTPException):
            return Told(0)
        return Told(answer.status, content_type, body)


def _beginning(stream: HTTPResponse) -> bytes:
    try:
        return stream.read1(ENDLESS_BYTES)
    except TimeoutError:  # nothing happens, and that may be right
        return b""
