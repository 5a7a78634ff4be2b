"""Streams end cleanly: clients that leave, stall or come from a server that stops."""

import json
from socket import SHUT_RDWR, SO_RCVBUF, SOL_SOCKET, create_connection
from typing import Any

import httpx
import pytest

import app.sse
from app.metrics import Metrics
from tests.server.sockets import Socket, open_socket
from tests.server.world import Serving, World, tiny_app

SSE = {"Accept": "text/event-stream"}


def sse(response: httpx.Response) -> list[tuple[str, Any]]:
    """The events of a finished stream: name and JSON data, without its cost."""
    found = []
    for block in response.text.strip().split("\n\n"):
        fields = {name: value.strip() for name, _, value in (line.partition(":") for line in block.split("\n"))}
        data = json.loads(fields["data"]) if fields["data"] else None
        (data or {}).pop("extensions", None)
        found.append((fields["event"], data))
    return found


def stalled(url: str) -> Any:
    """An open connection whose client reads nothing until it is asked to."""
    host, port = url.removeprefix("ws://").removesuffix("/graphql").split(":")
    connected = create_connection((host, int(port)))
    connected.setsockopt(SOL_SOCKET, SO_RCVBUF, 262_144)
    return open_socket(url, sock=connected, max_queue=1, ping_interval=None)


def stream(socket: Socket) -> list[Any]:
    """The data of a subscription until its `complete`."""
    found = []
    while (message := socket.receive())["type"] == "next":
        found.append(message["payload"]["data"])
    assert message["type"] == "complete"
    return found


@pytest.mark.parametrize("farewell", ["complete", "close", "break"])
def test_whoever_leaves_takes_the_generator_along(farewell: str) -> None:
    world, metrics = World(), Metrics()
    with Serving(tiny_app(world, metrics)) as serving:
        for _ in range(10):
            with open_socket(serving.ws_url) as socket:
                socket.initialise()
                for id_ in ("a", "b", "c"):
                    socket.subscribe(id_, "subscription { wait }")
                    socket.receive()
                match farewell:
                    case "complete":
                        for id_ in ("a", "b", "c"):
                            socket.send({"type": "complete", "id": id_})
                        assert socket.ask("d", "{ hello }") == {"data": {"hello": "hello world"}}
                    case "break":
                        socket.connection.socket.shutdown(SHUT_RDWR)  # without a close frame
        assert world.wait_until_closed(30)
    text = metrics.text().decode()
    assert 'windtunnel_streams_open{transport="graphql"} 0.0' in text
    assert "windtunnel_websockets_open 0.0" in text
    assert 'windtunnel_graphql_operations_total{outcome="ok",type="subscription"} 30.0' in text


def test_a_client_that_does_not_read_is_waited_for_and_misses_nothing() -> None:
    world = World()
    with Serving(tiny_app(world)) as serving, stalled(serving.ws_url) as slow, open_socket(serving.ws_url) as quick:
        slow.initialise()
        slow.subscribe("1", "subscription { flood(messages: 400, size: 100000) }")
        quick.initialise()
        while True:
            before = world.produced
            for number in range(100):  # others are served all the while
                assert quick.ask(str(number), "{ hello }") == {"data": {"hello": "hello world"}}
            if before == world.produced > 0:
                break
        assert world.produced < 200  # the rest is not held in memory: it was not made yet
        assert len(stream(slow)) == 400
        assert world.produced == 400


def test_a_client_that_never_reads_again_is_dropped() -> None:
    world, metrics = World(), Metrics()
    with Serving(tiny_app(world, metrics, send_timeout=0.1)) as serving, stalled(serving.ws_url) as slow:
        slow.initialise()
        slow.subscribe("1", "subscription { wait }")
        slow.receive()
        slow.subscribe("2", "subscription { flood(messages: 1000, size: 100000) }")
        assert world.wait_until_closed(2)  # its other subscription, too
        assert slow.until_closed()[1] is None  # it was cut: a farewell would never have arrived
        with open_socket(serving.ws_url) as next_one:
            next_one.initialise()
            assert "windtunnel_websockets_open 1.0" in metrics.text().decode()


def test_a_server_that_stops_says_so_after_the_last_event() -> None:
    world = World()
    with Serving(tiny_app(world)) as serving, open_socket(serving.ws_url) as socket:
        socket.initialise()
        socket.subscribe("1", "subscription { count(to: 1000000) }")
        first = [socket.receive() for _ in range(100)]
        serving.begin_shutdown()
        rest, close = socket.until_closed()
        assert close is not None
        assert close.code == 1012
        received = first + rest
        assert [message["payload"]["data"]["count"] for message in received] == list(range(1, len(received) + 1))
        assert world.wait_until_closed(1)


def test_a_source_that_never_waits_does_not_keep_others_waiting() -> None:
    with (
        Serving(tiny_app(World())) as serving,
        open_socket(serving.ws_url, close_timeout=0) as busy,
        open_socket(serving.ws_url) as other,
    ):
        busy.initialise()
        busy.subscribe("1", "subscription { count(to: 1000000) }")
        busy.receive()
        other.initialise()
        assert other.ask("1", "{ hello }") == {"data": {"hello": "hello world"}}


def test_every_operation_of_a_socket_has_a_context_of_its_own(serving: Serving, world: World) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        before = socket.ask("1", "{ row }")["data"]["row"]
        world.rows["row"] += 1
        assert socket.ask("2", "{ row }")["data"]["row"] == before + 1
        first, second = (socket.ask(id_, "{ request }")["data"]["request"] for id_ in ("3", "4"))
        assert first != second


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_subscription_over_server_sent_events(http: httpx.Client, method: str) -> None:
    query = {"query": "subscription { count(to: 3) }"}
    options = {"params": query} if method == "GET" else {"json": query}
    response = http.request(method, "/graphql", headers=SSE, **options)  # type: ignore[arg-type]
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    numbers = [("next", {"data": {"count": number}}) for number in (1, 2, 3)]
    assert sse(response) == [*numbers, ("complete", None)]


def test_queries_and_mutations_over_server_sent_events(http: httpx.Client) -> None:
    for query in ("{ hello }", "mutation { bump(input: {by: 0}) }"):
        (next_, answer), complete = sse(http.post("/graphql", json={"query": query}, headers=SSE))
        assert next_ == "next"
        assert "errors" not in answer
        assert complete == ("complete", None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { fails(after: 0) }", "INTERNAL"),
    ],
)
def test_errors_over_server_sent_events(http: httpx.Client, query: str, code: str) -> None:
    (next_, answer), complete = sse(http.post("/graphql", json={"query": query}, headers=SSE))
    assert (next_, complete) == ("next", ("complete", None))
    assert answer["errors"][0]["extensions"]["code"] == code
    assert "data" not in answer


def test_a_subscription_streams_when_the_client_can_read_a_stream_at_all(http: httpx.Client) -> None:
    accept = {"Accept": "application/json, text/event-stream"}
    response = http.post("/graphql", json={"query": "subscription { count(to: 1) }"}, headers=accept)
    assert sse(response)[0] == ("next", {"data": {"count": 1}})
    assert http.post("/graphql", json={"query": "{ hello }"}, headers=accept).json()["data"]["hello"] == "hello world"


def test_whoever_stops_reading_events_takes_the_generator_along() -> None:
    world = World()
    with Serving(tiny_app(world)) as serving:
        for _ in range(5):
            with (
                httpx.Client() as client,
                client.stream(
                    "POST", serving.url, json={"query": "subscription { wait }"}, headers=SSE, timeout=30
                ) as response,
            ):
                lines = response.iter_lines()
                assert next(lines) == "event: next"
                assert next(lines).startswith('data: {"data":{"wait":1}')
        assert world.wait_until_closed(5)


def test_a_client_that_stops_reading_events_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.sse, "SEND_TIMEOUT_S", 0.1)
    world = World()
    body = b'{"query": "subscription { flood(messages: 1000, size: 100000) }"}'
    with Serving(tiny_app(world)) as serving, create_connection(("127.0.0.1", serving.port)) as connected:
        connected.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        assert connected.recv(12) == b"HTTP/1.1 200"
        assert world.wait_until_closed(1)
        assert 0 < world.produced < 500
