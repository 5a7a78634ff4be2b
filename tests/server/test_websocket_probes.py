"""What no client should send over graphql-transport-ws: the right close code, or an error that harms nobody else."""

import json
from contextlib import suppress
from socket import create_connection
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus, NegotiationError

from app.graphql.websocket import SocketLimits
from tests.server.sockets import INIT, open_socket
from tests.server.world import SECRET, Serving, World, tiny_app


def subscribe(payload: Any, id_: Any = "1") -> dict[str, Any]:
    return {"id": id_, "type": "subscribe", "payload": payload}


HELLO = {"query": "{ hello }"}

CLOSING_BEFORE_INIT = {
    "not JSON": ("{", 4400),
    "nothing": ("", 4400),
    "binary": (b'{"type":"connection_init"}', 4400),
    "a list": ("[1]", 4400),
    "a string": ('"x"', 4400),
    "a number": ("5", 4400),
    "null": ("null", 4400),
    "no type": ("{}", 4400),
    "a type that is no string": ('{"type":5}', 4400),
    "an unknown type": ('{"type":"start"}', 4400),
    "a lone surrogate": ('{"type":"ping","payload":{"a":"\\ud800"}}', 4400),
    "nested too deeply": ('{"a":' * 5000, 4400),
    "a payload that is no object": ({**INIT, "payload": "x"}, 4400),
    "a payload that is a list": ({**INIT, "payload": []}, 4400),
    "a ping payload that is no object": ({"type": "ping", "payload": 1}, 4400),
    "a pong payload that is no object": ({"type": "pong", "payload": 1}, 4400),
    "subscribe before init": (subscribe(HELLO), 4401),
    "a bad token": ({**INIT, "payload": {"authorization": "Bearer wrong"}}, 4401),
    "a token of another kind": ({**INIT, "payload": {"Authorization": ["Bearer other"]}}, 4401),
    "too much": ("[" + "1," * 1024 * 1024 + "1]", 1009),
}

CLOSING_AFTER_INIT = {
    "a second init": (INIT, 4429),
    "subscribe without id": ({"type": "subscribe", "payload": HELLO}, 4400),
    "an id that is no string": (subscribe(HELLO, 5), 4400),
    "an empty id": (subscribe(HELLO, ""), 4400),
    "a null id": (subscribe(HELLO, None), 4400),
    "complete without id": ({"type": "complete"}, 4400),
    "complete with an id that is no string": ({"type": "complete", "id": 1}, 4400),
    "no payload": ({"id": "1", "type": "subscribe"}, 4400),
    "a null payload": (subscribe(None), 4400),
    "a payload that is a string": (subscribe("{ hello }"), 4400),
    "a query that is no string": (subscribe({"query": 5}), 4400),
    "an empty query": (subscribe({"query": ""}), 4400),
    "variables that are no object": (subscribe({**HELLO, "variables": "x"}), 4400),
    "variables that are a list": (subscribe({**HELLO, "variables": []}), 4400),
    "an operation name that is no string": (subscribe({**HELLO, "operationName": 1}), 4400),
    "extensions that are no object": (subscribe({**HELLO, "extensions": "x"}), 4400),
}

ANSWERED = {
    "a syntax error": ({"query": "{ hello"}, "GRAPHQL_PARSE_FAILED"),
    "an unknown field": ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
    "an unknown operation": ({"query": "query A { hello }", "operationName": "Z"}, "BAD_USER_INPUT"),
    "an ambiguous operation": ({"query": "query A { hello } query B { hello }"}, "BAD_USER_INPUT"),
    "a missing variable": ({"query": "query ($id: ID!) { echoId(id: $id) }"}, "BAD_USER_INPUT"),
    "a bad variable": (
        {"query": "subscription ($to: Int!) { count(to: $to) }", "variables": {"to": "x"}},
        "BAD_USER_INPUT",
    ),
    "too deep": ({"query": "{" + "thing {" * 16 + "name" + "}" * 17}, "QUERY_TOO_COMPLEX"),
    "too many tokens": ({"query": "{" + " hello" * 2001 + "}"}, "QUERY_TOO_COMPLEX"),
    "a failing source": ({"query": "subscription { fails(after: 0) }"}, "INTERNAL"),
    "an expected failure": ({"query": "subscription { fails(after: 0, expected: true) }"}, "NOT_FOUND"),
}


@pytest.mark.parametrize("probe", CLOSING_BEFORE_INIT)
def test_before_init_the_close_code_says_what_was_wrong(serving: Serving, probe: str) -> None:
    message, code = CLOSING_BEFORE_INIT[probe]
    with open_socket(serving.ws_url) as socket:
        with suppress(ConnectionClosed):  # too much is refused before all of it is sent
            socket.send(message)
        assert socket.closing()[0] == code


@pytest.mark.parametrize("probe", CLOSING_AFTER_INIT)
def test_after_init_the_close_code_says_what_was_wrong(serving: Serving, probe: str) -> None:
    message, code = CLOSING_AFTER_INIT[probe]
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        socket.send(message)
        found, reason = socket.closing()
        assert found == code
        assert reason


def test_an_id_in_use_closes_and_one_that_is_free_again_does_not(serving: Serving) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        assert socket.ask("1", "{ hello }") == socket.ask("1", "{ hello }")
        socket.subscribe("1", "subscription { wait }")
        socket.receive()
        socket.send({"type": "complete", "id": "1"})
        assert socket.ask("1", "{ hello }") == {"data": {"hello": "hello world"}}
        socket.subscribe("1", "subscription { wait }")
        socket.receive()
        socket.subscribe("1", "subscription { wait }")
        assert socket.closing() == (4409, "Subscriber for 1 already exists")


@pytest.mark.parametrize("probe", ANSWERED)
def test_what_is_wrong_with_one_operation_is_its_own_affair(serving: Serving, probe: str) -> None:
    payload, code = ANSWERED[probe]
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        socket.subscribe("other", "subscription { wait }")
        assert socket.receive()["payload"]["data"] == {"wait": 1}
        socket.send(subscribe(payload))
        answer = socket.receive()
        assert (answer["type"], answer["id"]) == ("error", "1")
        assert [error["extensions"]["code"] for error in answer["payload"]] == [code]
        assert SECRET not in json.dumps(answer)
        assert socket.ask("1", "{ hello }") == {"data": {"hello": "hello world"}}  # the id is free, the socket lives
        socket.send({"type": "complete", "id": "other"})
        assert socket.ask("other", "{ hello }") == {"data": {"hello": "hello world"}}


def test_a_stream_that_fails_half_way_ends_with_an_error(serving: Serving) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        socket.subscribe("1", "subscription { fails(after: 2) }")
        assert [socket.receive()["payload"]["data"]["fails"] for _ in range(2)] == [0, 1]
        end = socket.receive()
        assert end["type"] == "error"
        assert end["payload"][0]["message"] == "Internal server error."
        assert socket.ask("1", "{ hello }") == {"data": {"hello": "hello world"}}


def test_a_field_that_fails_in_one_event_does_not_end_the_stream(serving: Serving) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        socket.subscribe("1", "subscription { things { name number } }")
        for _ in range(2):
            event = socket.receive()
            assert event["type"] == "next"
            assert event["payload"]["data"] is None
            assert event["payload"]["errors"][0]["path"] == ["things", "number"]
            assert event["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert socket.receive()["type"] == "complete"


def test_pings_are_answered_with_their_payload_before_and_after_init(serving: Serving) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.send({"type": "ping", "payload": {"a": [1]}})
        assert socket.receive() == {"type": "pong", "payload": {"a": [1]}}
        socket.initialise()
        socket.send({"type": "ping"})
        assert socket.receive() == {"type": "pong"}
        socket.send({"type": "pong", "payload": {"unasked": True}})
        assert socket.ask("1", "{ hello }") == {"data": {"hello": "hello world"}}


def test_completing_what_does_not_run_is_no_mistake(serving: Serving) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        socket.send({"type": "complete", "id": "nothing"})
        assert socket.ask("1", "{ hello }") == {"data": {"hello": "hello world"}}


def test_who_does_not_introduce_himself_is_let_go() -> None:
    with Serving(tiny_app(World(), init_timeout=0.05)) as serving, open_socket(serving.ws_url) as socket:
        assert socket.closing() == (4408, "Connection initialisation timeout")
    assert SocketLimits().init_timeout == 10


@pytest.mark.parametrize("protocol", [None, "graphql-ws"])
def test_another_protocol_is_4406(serving: Serving, protocol: str | None) -> None:
    try:
        with open_socket(serving.ws_url, protocol=protocol) as socket:
            assert socket.closing()[0] == 4406
    except NegotiationError:
        assert protocol == "graphql-ws"


def test_a_connection_runs_a_hundred_operations_and_no_more(serving: Serving) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        for number in range(100):
            socket.subscribe(str(number), "subscription { wait }")
        assert {socket.receive()["type"] for _ in range(100)} == {"next"}
        socket.subscribe("100", "{ hello }")
        refused = socket.receive()
        assert (refused["type"], refused["id"]) == ("error", "100")
        assert refused["payload"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
        socket.send({"type": "complete", "id": "0"})
        assert socket.ask("0", "{ hello }") == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize(
    ("payload", "tenant"),
    [({}, "demo"), ({"authorization": "Bearer other"}, "other"), ({"AUTHORIZATION": "bearer other"}, "other")],
)
def test_the_init_payload_signs_in(serving: Serving, payload: dict[str, str], tenant: str) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.initialise(**payload)
        assert socket.ask("1", "{ who }") == {"data": {"who": tenant}}


def test_without_a_default_viewer_a_missing_token_is_4401() -> None:
    with Serving(tiny_app(World(), strict=True)) as serving:
        with open_socket(serving.ws_url) as socket:
            socket.send(INIT)
            assert socket.refused() == 4401
        with open_socket(serving.ws_url, additional_headers={"Authorization": "Bearer other"}) as socket:
            socket.initialise()
            assert socket.ask("1", "{ who }") == {"data": {"who": "other"}}


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("https://evil.example", None, False),
        ("null", None, False),
        ("http://127.0.0.1:1", None, False),
        (None, "evil.example", False),
        ("https://studio.example", None, True),
        ("same", None, True),
    ],
)
def test_a_handshake_of_a_strange_origin_or_host_is_refused(
    serving: Serving, origin: str | None, host: str | None, allowed: bool
) -> None:
    same = f"http://127.0.0.1:{serving.port}"
    connected = create_connection(("127.0.0.1", serving.port))
    url = f"ws://{host or '127.0.0.1'}:{serving.port}/graphql"
    options: dict[str, Any] = {"origin": same if origin == "same" else origin, "sock": connected}
    if allowed:
        with open_socket(url, **options) as socket:
            socket.initialise()
        return
    with pytest.raises(InvalidStatus) as refused, open_socket(url, **options):
        pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"")["error"]["code"] == "FORBIDDEN"
