"""What operations cost, and what happens to whoever has spent everything: over HTTP, sockets and event streams."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.limiting.buckets import Buckets
from app.limiting.limiter import Limiter
from tests.limiting.clock import Clock
from tests.server.sockets import open_socket
from tests.server.test_streams import SSE, sse
from tests.server.world import Serving, World, tiny_app

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HELLO = {"query": "{ hello }"}
JSON = {"Content-Type": "application/json"}


class Limited:
    """The tiny schema behind a limit, on a clock that is turned by hand."""

    def __init__(self, limit: int, *, strict: bool = False) -> None:
        self.clock = Clock()
        limiter = Limiter(Buckets(limit, self.clock), now=lambda: NOW)
        self.serving = Serving(tiny_app(World(), strict=strict, limiter=limiter))

    def ask(self, query: str, **headers: str) -> httpx.Response:
        return httpx.post(self.serving.url, json={"query": query}, headers=headers)


@contextmanager
def limited(limit: int, *, strict: bool = False) -> Iterator[Limited]:
    found = Limited(limit, strict=strict)
    with found.serving:
        yield found


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


def cost(response: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["extensions"]["cost"]
    return found


def test_whoever_has_spent_everything_is_told_when_to_come_again() -> None:
    with limited(6) as world:
        for left in range(5, -1, -1):
            response = world.ask("{ hello }")
            assert response.json()["data"] == {"hello": "hello world"}
            full_at = NOW + timedelta(seconds=10 * (6 - left))
            assert cost(response) == {
                "requested": 1,
                "limit": 6,
                "remaining": left,
                "resetAt": f"{full_at:%Y-%m-%dT%H:%M:%S}.000Z",
            }
        for accept in ("application/json", "application/graphql-response+json"):
            refused = world.ask("{ hello }", accept=accept)
            assert refused.status_code == 429
            assert refused.headers["retry-after"] == "10"
            assert refused.headers["content-type"].startswith(accept)
            (error,) = refused.json()["errors"]
            assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 10}
            assert "10 s" in error["message"]
            assert "data" not in refused.json()
            assert cost(refused)["remaining"] == 0
        world.clock.now += 9_999
        assert world.ask("{ hello }").status_code == 429
        world.clock.now += 1
        assert world.ask("{ hello }").status_code == 200


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("{ hello }", 1),
        ("{ a: hello b: hello ...F } fragment F on Query { c: hello }", 1),
        ("mutation { bump(input: {by: 0}) }", 10),
        ("mutation { a: bump(input: {by: 0}) ...F } fragment F on Mutation { ... { b: bump(input: {by: 0}) } }", 20),
        ("{ __schema { queryType { name } } }", 101),
        ('{ hello __type(name: "Query") { name } }', 101),
        ("{ __typename }", 1),
        ("{ hello", 1),
        ("{ nothing }", 1),
    ],
)
def test_what_things_cost(http: httpx.Client, query: str, points: int) -> None:
    assert cost(http.post("/graphql", json={"query": query})) == {"requested": points}


def test_what_costs_more_than_is_left_is_refused_and_what_costs_less_is_not() -> None:
    with limited(25) as world:
        assert world.ask("mutation { bump(input: {by: 1}) }").json()["data"] == {"bump": 1}
        refused = world.ask("mutation { a: bump(input: {by: 1}) b: bump(input: {by: 1}) }")
        assert (refused.status_code, codes(refused)) == (429, ["RATE_LIMITED"])
        assert cost(refused) == {"requested": 20, "limit": 25, "remaining": 14, "resetAt": "2026-11-21T12:00:26.400Z"}
        assert world.ask("mutation { bump(input: {by: 1}) }").json()["data"] == {"bump": 2}
        too_dear = world.ask("{ __schema { queryType { name } } }")
        assert (too_dear.status_code, codes(too_dear)) == (429, ["RATE_LIMITED"])
        assert "ask for less" in too_dear.json()["errors"][0]["message"]


def test_each_tenant_spends_its_own() -> None:
    with limited(1) as world:
        assert world.ask("{ who }").json()["data"] == {"who": "demo"}
        assert world.ask("{ who }").status_code == 429
        assert world.ask("{ who }", authorization="Bearer other").json()["data"] == {"who": "other"}
        assert world.ask("{ who }", authorization="Bearer other").status_code == 429


def test_on_a_socket_only_the_operation_is_refused() -> None:
    with limited(5) as world, open_socket(world.serving.ws_url) as socket:
        socket.initialise()
        socket.subscribe("s", "subscription { count(to: 3) }")
        first, *later = (socket.receive()["payload"] for _ in range(3))
        assert first["extensions"]["cost"]["remaining"] == 4
        assert [list(payload) for payload in later] == [["data"], ["data"]]  # events are free
        assert socket.receive() == {"type": "complete", "id": "s"}
        socket.subscribe("m", "mutation { bump(input: {by: 1}) }")
        assert _refusal(socket.receive()) == ("error", "m", "RATE_LIMITED", 24)
        for id_ in "abc":
            socket.ask(id_, "{ hello }")
        socket.subscribe("d", "{ hello }")
        assert _refusal(socket.receive()) == ("error", "d", "RATE_LIMITED", 12)
        socket.subscribe("e", "subscription { wait }")
        assert _refusal(socket.receive()) == ("error", "e", "RATE_LIMITED", 12)
        world.clock.now += 12_000
        assert socket.ask("f", "{ hello }") == {"data": {"hello": "hello world"}}


def _refusal(message: dict[str, Any]) -> tuple[str, str, str, int]:
    (error,) = message["payload"]
    return message["type"], message["id"], error["extensions"]["code"], error["extensions"]["retryAfter"]


def test_an_event_stream_is_refused_before_it_begins() -> None:
    subscription = {"query": "subscription { count(to: 2) }"}
    with limited(2) as world:
        streamed = httpx.post(world.serving.url, json=subscription, headers=SSE)
        assert [data for _, data in sse(streamed)] == [{"data": {"count": 1}}, {"data": {"count": 2}}, None]
        httpx.post(world.serving.url, json=HELLO)
        refused = httpx.post(world.serving.url, json=subscription, headers=SSE)
        assert (refused.status_code, refused.headers["retry-after"], codes(refused)) == (429, "30", ["RATE_LIMITED"])
        assert refused.headers["content-type"].startswith("application/json")


def test_strangers_spend_what_their_address_has() -> None:
    with limited(2, strict=True) as world:
        assert [world.ask("{ hello }").status_code for _ in range(3)] == [200, 200, 429]
        assert world.ask("{ who }", authorization="Bearer other").status_code == 429  # never seen here before
        world.clock.now += 60_000
        assert world.ask("{ who }", authorization="Bearer other").status_code == 200


def test_guessing_tokens_is_slow_and_holds_up_nobody_who_was_here_before() -> None:
    with limited(100, strict=True) as world:
        assert world.ask("{ who }", authorization="Bearer other").status_code == 200
        guesses = [world.ask("{ who }", authorization=f"Bearer guess-{number}") for number in range(7)]
        assert [guess.status_code for guess in guesses] == [401] * 5 + [429] * 2
        assert [codes(guess) for guess in guesses[4:6]] == [["UNAUTHENTICATED"], ["RATE_LIMITED"]]
        assert guesses[-1].headers["retry-after"] == "12"
        with open_socket(world.serving.ws_url) as socket:
            socket.send({"type": "connection_init", "payload": {"authorization": "Bearer guess"}})
            assert socket.closing() == (4429, "Too many refused sign-ins: try again in 12 s")
        assert world.ask("{ who }", authorization="Bearer other").status_code == 200
        world.clock.now += 12_000
        assert world.ask("{ who }", authorization="Bearer guess").status_code == 401


def test_what_is_no_operation_costs_as_much_as_a_small_one() -> None:
    with limited(2) as world:
        told = [httpx.post(world.serving.url, content=b"x" * 2_000_000, headers=JSON) for _ in range(3)]
        assert [answer.status_code for answer in told] == [413, 413, 429]


def test_a_bad_token_is_refused_as_such_under_the_smallest_limit() -> None:
    with limited(1, strict=True) as world:
        assert [world.ask("{ who }", authorization="Bearer guess").status_code for _ in range(2)] == [401, 429]


def test_whoever_comes_again_when_told_is_let_in() -> None:
    with limited(60) as world:
        mutation = "mutation { bump(input: {by: 0}) }"
        while (response := world.ask(mutation)).status_code == 200:
            pass
        world.clock.now += 1000 * int(response.headers["retry-after"])  # it was not even read
        response = world.ask(mutation)
        (error,) = response.json()["errors"]
        assert "costs 10 points" in error["message"]
        world.clock.now += 1000 * int(response.headers["retry-after"])
        assert world.ask(mutation).status_code == 200
