"""Every route with all kinds of bodies, headers and parameters; and bytes that are no HTTP."""

import re
from socket import SHUT_WR, create_connection
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.fuzz.conftest import Throw
from tests.fuzz.target import Target, check
from tests.fuzz.things import HEADERS, PLAIN, SMALL_BYTES, bodies, requests
from tests.fuzz.wire import send
from tests.processes import ROOT

ROUTES = sorted(set(re.findall(r'Route\("([^"]+)"', (ROOT / "app" / "http.py").read_text("utf-8"))))
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY"]
HEAD = "POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEADS = [
    HEAD % "graphql" + "Content-Length: %d\r\n\r\n",
    HEAD % "simulate" + "Transfer-Encoding: chunked\r\n\r\n%x\r\n",
    (
        "GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==%d\r\n\r\n"
    ),
    "GET /graphql?%d HTTP/0.9\r\n\r\n",
    "%d",
]


def paths(ids: list[str]) -> st.SearchStrategy[str]:
    """Paths of the routes, their parameters filled in; and others."""
    parameter = st.one_of(st.sampled_from(ids), st.text(max_size=30)).map(lambda value: quote(value, safe=""))
    filled = st.tuples(st.sampled_from(ROUTES), parameter).map(lambda found: re.sub(r"\{\w+\}", found[1], found[0]))
    return st.one_of(
        st.sampled_from(["/graphql", "/simulate"]), filled, st.text(max_size=30).map(lambda path: "/" + quote(path))
    )


def test_every_route_with_all_kinds_of_requests(target: Target, throw: Throw) -> None:
    assert "/graphql" in ROUTES
    assert "/simulate" in ROUTES
    queries = requests(target.ids).map(lambda found: {name: str(value) for name, value in found.items()})
    sent = st.tuples(
        st.sampled_from(["POST", "POST", "GET"]) | st.sampled_from(METHODS),
        paths(target.ids),
        st.just({}) | queries | st.dictionaries(st.sampled_from(["after", "query"]), PLAIN.map(str)),
        HEADERS,
        bodies(target.ids),
    )

    def ask(request: tuple[Any, ...]) -> None:
        method, path, query, headers, content = request
        defaults = {"Host": "localhost", "Content-Type": "application/json"}
        path += "?" + urlencode(query, errors="replace") if query else ""
        check(send(target.port, method, path, {**defaults, **headers}, content), request)

    throw(0.15, ask, sent)


def test_bytes_that_are_no_http(target: Target, throw: Throw) -> None:
    length = st.integers(0, 400)
    sent = st.tuples(st.sampled_from(HEADS), length, SMALL_BYTES | bodies(target.ids)).map(
        lambda found: (found[0] % found[1]).encode() + found[2]
    )

    def ask(content: bytes) -> None:
        with create_connection(("127.0.0.1", target.port), timeout=60) as connection:
            connection.sendall(content)
            connection.shutdown(SHUT_WR)
            answer = b""
            try:
                while part := connection.recv(65_536):
                    answer += part
            except ConnectionResetError:
                pass
        assert not re.match(rb"HTTP/1\.[01] 5", answer), (content, answer)

    throw(0.08, ask, sent)
