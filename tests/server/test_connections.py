"""How many sockets and event streams one person may hold open."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import SHUT_RDWR

import httpx
from websockets.exceptions import ConnectionClosed

from app.graphql.pace import Pace
from app.limiting.buckets import Buckets
from app.limiting.connections import Connections
from app.limiting.limiter import Limiter
from tests.limiting.clock import Clock
from tests.server.sockets import Socket, open_socket
from tests.server.test_streams import SSE
from tests.server.world import Serving, World, tiny_app


def serving(most: int) -> Serving:
    return Serving(tiny_app(World(), limiter=Limiter(connections=Connections(most))))


@contextmanager
def following(url: str) -> Iterator[None]:
    """An event stream that has begun."""
    query = {"query": "subscription { wait }"}
    with httpx.Client() as client, client.stream("POST", url, json=query, headers=SSE, timeout=120) as response:
        lines = response.iter_lines()
        assert next(lines) == "event: next"
        yield


def test_a_person_with_too_many_sockets_is_told_after_connection_init() -> None:
    with serving(2) as server, ExitStack() as stack:
        sockets = [stack.enter_context(open_socket(server.ws_url)) for _ in range(3)]
        for socket in sockets[:2]:
            socket.initialise()
        sockets[2].send({"type": "connection_init"})
        assert sockets[2].closing() == (
            4429,
            "Too many connections: You have 2 sockets and streams open; close one first.",
        )
        assert sockets[0].ask("1", "{ hello }") == {"data": {"hello": "hello world"}}
        with open_socket(server.ws_url) as somebody_else:
            somebody_else.initialise(authorization="Bearer other")


def test_a_socket_that_ends_in_any_way_makes_room() -> None:
    with serving(1) as server:
        for ending in ("close", "break", "misbehave", "refused") * 3:
            with open_socket(server.ws_url) as socket:
                if ending == "refused":
                    socket.send({"type": "connection_init", "payload": {"authorization": "Bearer wrong"}})
                    assert socket.closing()[0] == 4401
                    continue
                _initialise(server, socket)
                if ending == "break":
                    socket.connection.socket.shutdown(SHUT_RDWR)
                elif ending == "misbehave":
                    socket.send("[1]")
                    assert socket.closing()[0] == 4400


def _initialise(server: Serving, socket: Socket) -> None:
    """As soon as the server has noticed that the one before is gone."""
    socket.send({"type": "connection_init"})
    try:
        assert socket.receive() == {"type": "connection_ack"}
    except ConnectionClosed:
        with open_socket(server.ws_url) as again:
            _initialise(server, again)


def test_sockets_that_do_not_say_who_they_are_are_few() -> None:
    limiter = Limiter(connections=Connections(unnamed=2))
    with Serving(tiny_app(World(), limiter=limiter)) as server, ExitStack() as stack:
        first, second = (stack.enter_context(open_socket(server.ws_url)) for _ in range(2))
        for socket in (first, second):
            socket.send({"type": "ping"})
            assert socket.receive() == {"type": "pong"}
        with open_socket(server.ws_url) as third:
            assert third.closing() == (4429, "Too many connections: 2 others wait for their connection_init.")
        first.initialise()
        with open_socket(server.ws_url) as fourth:
            fourth.initialise()
        second.send("no JSON")
        assert second.closing()[0] == 4400
        for _ in range(3):
            with open_socket(server.ws_url) as again:
                again.initialise()
    assert not limiter.connections._unnamed


def test_messages_are_free_up_to_a_rate_and_then_paid_until_nothing_is_left() -> None:
    limiter = Limiter(Buckets(12, Clock()))
    with (
        Serving(tiny_app(World(), limiter=limiter, messages_per_minute=1)) as server,
        open_socket(server.ws_url) as socket,
    ):
        socket.initialise()
        for _ in range(12):  # the second message is free only when a minute has passed
            socket.send({"type": "complete", "id": "nothing"})
        socket.send({"type": "ping"})
        assert socket.closing() == (4429, "Too many messages: try again in 5 s")


def test_long_messages_count_as_several() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    assert [pace.price(length) for length in (16, 40_000, 100_000, 16, 40_000)] == [0, 0, 7, 0, 0]
    assert pace.price(50_000) == 4
    clock.now += 60_000
    assert pace.price(150_000) == 0


def test_event_streams_count_too_and_make_room() -> None:
    with serving(1) as server:
        for _ in range(3):
            with following(server.url):
                refused = httpx.post(server.url, json={"query": "subscription { wait }"}, headers=SSE)
                assert refused.status_code == 429
                assert refused.json()["errors"][0]["extensions"]["code"] == "QUOTA_EXCEEDED"
                assert httpx.post(server.url, json={"query": "{ hello }"}).status_code == 200
            ended = {"query": "subscription { count(to: 1) }"}
            # The server needs a moment to notice that the one before is gone.
            assert 200 in (httpx.post(server.url, json=ended, headers=SSE).status_code for _ in range(1000))
