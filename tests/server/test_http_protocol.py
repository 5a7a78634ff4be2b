"""Heads that are too large or never end, on bare connections."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from app.http_protocol import HttpProtocol
from tests.server.sockets import open_socket
from tests.server.world import Serving

ASK = b"GET /graphql?query={hello} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
LIMIT = HttpProtocol.max_head_bytes
ENDLESS = {
    "a request line": (b"GET /", b"a"),
    "a header's name": (ASK, b"a"),
    "a header's value": (ASK + b"a: ", b"b"),
    "many headers": (ASK, b"a: b\r\n"),
    "an upgrade": (ASK + b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"a: b\r\n"),
}


@contextmanager
def connected(serving: Serving) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", serving.port), timeout=30) as connection:
        yield connection


def sent_to_the_end(connection: socket.socket, data: bytes, *, times: int) -> None:
    """Send the same again and again; the server may hang up in the middle."""
    with suppress(ConnectionError):
        for _ in range(times):
            connection.sendall(data)


def read_to_the_end(connection: socket.socket) -> bytes:
    answer = b""
    while received := connection.recv(65536):
        answer += received
    return answer


def assert_refused(answer: bytes) -> None:
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in head
    problem = json.loads(body)
    assert problem["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert problem["error"] == {"code": "LIMIT_EXCEEDED", "message": problem["errors"][0]["message"]}


@pytest.mark.parametrize("case", ENDLESS)
def test_an_endless_head_is_refused_while_it_arrives(serving: Serving, case: str) -> None:
    start, more = ENDLESS[case]
    with connected(serving) as connection:
        connection.sendall(start)
        sent_to_the_end(connection, more * (65536 // len(more)), times=64)
        assert_refused(read_to_the_end(connection))


@pytest.mark.parametrize(("size", "status"), [(LIMIT - 200, b"200"), (LIMIT, b"431")])
def test_the_limit_is_for_the_head_alone(serving: Serving, size: int, status: bytes) -> None:
    body = b'{"query":"{hello}","extensions":{"a":"%s"}}' % (b"x" * 500_000)
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    request = head + b"A: %s\r\nContent-Length: %d\r\n\r\n" % (b"x" * (size - len(head)), len(body)) + body
    with connected(serving) as connection:
        sent_to_the_end(connection, request, times=1)
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 " + status)


def test_each_request_of_a_connection_has_a_limit_of_its_own(serving: Serving) -> None:
    request = ASK + b"A: " + b"x" * (LIMIT // 2) + b"\r\n\r\n"
    with connected(serving) as connection:
        for _ in range(4):
            connection.sendall(request)
            answer = connection.recv(65536)
            while answer and not answer.endswith(b"}}"):  # head and body may come apart
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
        connection.sendall(ASK + b"A: ")
        sent_to_the_end(connection, b"x" * LIMIT, times=8)
        assert_refused(read_to_the_end(connection))


def test_the_refusal_of_a_pipelined_request_follows_the_answers_before_it(serving: Serving) -> None:
    with connected(serving) as connection:
        connection.sendall((ASK + b"\r\n") * 2 + ASK + b"A: " + b"x" * LIMIT + b"\r\n\r\n")
        answer = read_to_the_end(connection)
    first, second, refusal = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200")
    assert b"hello world" in first
    assert second.startswith(b"200")
    assert b"hello world" in second
    assert_refused(b"HTTP/1.1 " + refusal)


def test_trailers_have_a_limit_of_their_own(serving: Serving) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    filler = b"A: " + b"x" * (LIMIT - 500) + b"\r\n"
    body = b'12\r\n{"query":"{hello}"\r\n1\r\n}\r\n0\r\n'
    with connected(serving) as connection:
        connection.sendall(head + filler + b"Transfer-Encoding: chunked\r\n\r\n" + body + filler + b"\r\n")
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("endless", [b"A: " + b"x" * 4096 + b"\r\n", b"x"])
def test_endless_trailers_end_the_connection(serving: Serving, endless: bytes) -> None:
    head = (
        b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    )
    with connected(serving) as connection:
        connection.sendall(head + b"\r\n2\r\n{}\r\n0\r\n")
        sent_to_the_end(connection, endless * (65536 // len(endless)), times=64)
        with suppress(ConnectionResetError):
            assert read_to_the_end(connection) == b""


def test_a_connection_without_a_head_is_closed_in_time(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "head_seconds", 0.0)
    with connected(serving) as connection:
        assert read_to_the_end(connection) == b""


@pytest.mark.parametrize("start", [b"G", ASK, ASK + b"A: b"])
def test_a_head_that_does_not_end_in_time_ends_the_connection(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    with connected(serving) as connection:
        connection.sendall(ASK + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(HttpProtocol, "head_seconds", 0.0)
        connection.sendall(start)
        assert read_to_the_end(connection) == b""


def test_a_head_that_waits_for_a_stream_before_it_does_not_cut_it(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = b"GET /graphql?query=subscription{count(to:200)} HTTP/1.1\r\nHost: localhost\r\n"
    with connected(serving) as connection:
        connection.sendall(ASK + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(HttpProtocol, "head_seconds", 0.0)
        connection.sendall(query + b"Accept: text/event-stream\r\n\r\n" + ASK)
        answer = read_to_the_end(connection)
    assert b'"count":200' in answer
    assert answer.endswith(b"0\r\n\r\n")


def test_a_websocket_has_no_time_limit_of_its_head(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    upgraded: list[HttpProtocol] = []
    upgrade = HttpProtocol.handle_websocket_upgrade

    def noted(protocol: HttpProtocol) -> None:
        upgraded.append(protocol)
        upgrade(protocol)

    monkeypatch.setattr(HttpProtocol, "handle_websocket_upgrade", noted)
    with open_socket(serving.ws_url) as websocket:
        websocket.initialise()
        assert websocket.ask("1", "{ hello }") == {"data": {"hello": "hello world"}}
    assert [protocol._head_timer for protocol in upgraded] == [None]


def test_a_text_that_is_not_utf_8_closes_the_websocket_without_a_trace(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with open_socket(serving.ws_url) as websocket:
        websocket.initialise()
        websocket.connection.send(b"\xff\xfe", text=True)
        assert websocket.closing() == (1007, "")
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
