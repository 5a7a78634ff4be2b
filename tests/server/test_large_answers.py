"""An answer that nobody should have to take is not sent, on any transport."""

import json

import httpx

from app.graphql.answers import ANSWER_MAX_BYTES, TOO_LARGE
from tests.server.sockets import open_socket
from tests.server.test_streams import SSE, sse
from tests.server.world import Serving

TEXT = "x" * (ANSWER_MAX_BYTES // 16)
SIXTEEN = "query ($t: String!) { " + " ".join(f"a{n}: hello(name: $t)" for n in range(16)) + " }"
FIFTEEN = SIXTEEN.replace("a15: hello(name: $t)", "")
FLOOD = "subscription ($size: Int!) { flood(messages: 2, size: $size) }"
REFUSED = {"errors": [{"message": TOO_LARGE, "extensions": {"code": "QUERY_TOO_COMPLEX"}}], "data": None}


def test_one_answer_has_a_largest_size(serving: Serving) -> None:
    for headers in ({}, {"Accept": "application/graphql-response+json"}):
        asked = {"query": SIXTEEN, "variables": {"t": TEXT}}
        response = httpx.post(serving.url, json=asked, headers=headers)
        answer = response.json()
        cost = answer.pop("extensions")["cost"]
        assert (response.status_code, answer, cost["requested"]) == (200, REFUSED, 1)
    response = httpx.post(serving.url, json={"query": FIFTEEN, "variables": {"t": TEXT}})
    assert len(response.json()["data"]) == 15


def test_an_event_stream_tells_so_in_an_event(serving: Serving) -> None:
    asked = {"query": SIXTEEN, "variables": {"t": TEXT}}
    (_, told), end = sse(httpx.post(serving.url, json=asked, headers=SSE))
    assert (told["errors"], end) == (REFUSED["errors"], ("complete", None))
    asked = {"query": FLOOD, "variables": {"size": ANSWER_MAX_BYTES}}
    *events, end = sse(httpx.post(serving.url, json=asked, headers=SSE))
    assert [told["errors"] for _, told in events] == [REFUSED["errors"]] * 2


def test_a_socket_goes_on_after_an_event_that_is_too_large(serving: Serving) -> None:
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        socket.subscribe("1", FLOOD, variables={"size": ANSWER_MAX_BYTES})
        for _ in range(2):
            message = socket.receive()
            assert (message["type"], message["payload"]["errors"]) == ("next", REFUSED["errors"])
        assert socket.receive() == {"type": "complete", "id": "1"}
        socket.subscribe("1", "subscription { flood(messages: 1, size: 100000) }")
        assert len(json.dumps(socket.receive()["payload"])) > 100_000
