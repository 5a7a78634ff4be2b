"""Real clients, and the public audits: each runs a query, a mutation and a subscription, and meets errors."""

from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from app.graphql.trusted import TrustedDocuments
from app.limiting.buckets import Buckets
from app.limiting.limiter import Limiter
from tests.limiting.clock import Clock
from tests.server.nodes import Node
from tests.server.world import Serving, World, tiny_app

QUERY = {"query": "query Q($n: String!) { hello(name: $n) }", "variables": {"n": "client"}}
MUTATION = {"query": "mutation M($i: BumpInput!) { bump(input: $i) }", "variables": {"i": {"by": 0, "tags": ["a"]}}}
COUNT = {"query": "subscription S($to: Int!) { count(to: $to) }", "variables": {"to": 5}}
SYNTAX = {"query": "query { hello"}
UNKNOWN = {"query": "query { nothing }"}
MASKED = {"query": "query { broken }"}
FAILING = {"query": "subscription { fails(after: 2) }"}


def code(result: dict[str, Any]) -> str:
    found: str = result["errors"][0]["extensions"]["code"]
    return found


def test_all_graphql_http_audits_pass(node: Node, serving: Serving) -> None:
    audits = node.run("audit.mjs", serving.url)
    assert len(audits) == 61
    assert [f"{audit['id']} {audit['name']}: {audit['reason']}" for audit in audits if audit["status"] != "ok"] == []


def test_graphql_ws(node: Node, serving: Serving) -> None:
    operations = [QUERY, MUTATION, COUNT, SYNTAX, UNKNOWN, FAILING, QUERY]
    query, mutation, count, syntax, unknown, failing, again = node.run(
        "graphql-ws.mjs", {"url": serving.url, "operations": operations}
    )
    assert query == again
    assert query[0]["data"] == {"hello": "hello client"}
    assert list(mutation[0]["data"]) == ["bump"]
    assert [result["data"]["count"] for result in count] == [1, 2, 3, 4, 5]
    assert [code(result) for result in syntax] == ["GRAPHQL_PARSE_FAILED"]
    assert [code(result) for result in unknown] == ["GRAPHQL_VALIDATION_FAILED"]
    assert [result["data"]["fails"] for result in failing[:2]] == [0, 1]
    assert code(failing[2]) == "INTERNAL"


def test_graphql_ws_signs_in_by_its_connection_params(node: Node, serving: Serving) -> None:
    who = [{"query": "{ who }"}]
    signed = {"url": serving.url, "operations": who, "params": {"Authorization": "Bearer other"}}
    wrong = {"url": serving.url, "operations": who, "params": {"authorization": "Bearer wrong"}}
    assert node.run("graphql-ws.mjs", signed)[0][0]["data"] == {"who": "other"}
    ((closed,),) = node.run("graphql-ws.mjs", wrong)
    assert closed["closed"] == 4401
    assert closed["reason"].startswith("Unauthorized: The token is not valid")


@pytest.mark.parametrize("sse", [False, True])
def test_apollo_client(node: Node, serving: Serving, sse: bool) -> None:
    operations = [QUERY, MUTATION, COUNT, UNKNOWN, MASKED]
    query, mutation, count, unknown, masked = node.run(
        "apollo.mjs", {"url": serving.url, "operations": operations, "sse": sse}
    )
    assert query == [{"data": {"hello": "hello client"}}]
    assert list(mutation[0]["data"]) == ["bump"]
    assert [result["data"]["count"] for result in count] == [1, 2, 3, 4, 5]
    assert code(unknown[0]) == "GRAPHQL_VALIDATION_FAILED"
    assert masked[0]["data"] == {"broken": None}
    assert code(masked[0]) == "INTERNAL"


@pytest.mark.parametrize("sse", [False, True])
def test_urql(node: Node, serving: Serving, sse: bool) -> None:
    operations = [QUERY, MUTATION, COUNT, UNKNOWN, MASKED]
    query, mutation, count, unknown, masked = node.run(
        "urql.mjs", {"url": serving.url, "operations": operations, "sse": sse}
    )
    assert query == [{"data": {"hello": "hello client"}}]
    assert list(mutation[0]["data"]) == ["bump"]
    assert [result["data"]["count"] for result in count] == [1, 2, 3, 4, 5]
    assert code(unknown[0]) == "GRAPHQL_VALIDATION_FAILED"
    assert code(masked[0]) == "INTERNAL"


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_apollo_client_asks_by_hash_and_teaches_the_server_its_documents(
    node: Node, serving: Serving, method: str
) -> None:
    new = {"query": f"query ByHash{method} {{ hello }}"}
    asked = {"url": serving.url, "operations": [new, new, MUTATION, UNKNOWN], "persisted": method}
    told = node.run("apollo.mjs", asked)
    first, second, mutation, unknown = told["results"]
    assert first == second == [{"data": {"hello": "hello world"}}]
    assert list(mutation[0]["data"]) == ["bump"]
    assert code(unknown[0]) == "GRAPHQL_VALIDATION_FAILED"
    assert told["requests"][:3] == [f"{method} hash", "POST hash text", f"{method} hash"]
    with Serving(tiny_app(World(), documents=TrustedDocuments("off"))) as without:
        told = node.run("apollo.mjs", {**asked, "url": without.url})
        assert told["results"][:2] == [first, second]
        assert told["requests"][:3] == [f"{method} hash", "POST text", "POST text"]


@pytest.mark.parametrize("sse", [False, True])
def test_urql_asks_by_hash_and_teaches_the_server_its_documents(node: Node, serving: Serving, sse: bool) -> None:
    new = {"query": f"query ByHash{sse} {{ hello }}"}
    asked = {"url": serving.url, "operations": [new, new, MUTATION, COUNT, UNKNOWN], "persisted": True, "sse": sse}
    told = node.run("urql.mjs", asked)
    first, second, mutation, count, unknown = told["results"]
    assert first == second == [{"data": {"hello": "hello world"}}]
    assert list(mutation[0]["data"]) == ["bump"]
    assert [result["data"]["count"] for result in count] == [1, 2, 3, 4, 5]
    assert code(unknown[0]) == "GRAPHQL_VALIDATION_FAILED"
    assert told["requests"][:3] == ["GET hash", "GET hash text", "GET hash"]


def test_graphql_sse(node: Node, serving: Serving) -> None:
    operations = [QUERY, MUTATION, COUNT, SYNTAX, UNKNOWN, FAILING]
    query, mutation, count, syntax, unknown, failing = node.run(
        "graphql-sse.mjs", {"url": serving.url, "operations": operations}
    )
    assert query[0]["data"] == {"hello": "hello client"}
    assert list(mutation[0]["data"]) == ["bump"]
    assert [result["data"]["count"] for result in count] == [1, 2, 3, 4, 5]
    assert [code(result) for result in (*syntax, *unknown)] == ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"]
    assert [result["data"]["fails"] for result in failing[:2]] == [0, 1]
    assert code(failing[2]) == "INTERNAL"


def test_graphql_sse_hears_of_what_is_refused_before_the_stream(node: Node) -> None:
    limiter = Limiter(Buckets(2, Clock()))
    with Serving(tiny_app(World(), limiter=limiter)) as limited:
        asked = {"url": limited.url, "operations": [QUERY, COUNT, COUNT]}
        query, count, refused = node.run("graphql-sse.mjs", asked)
        assert len(query) == 1
        assert len(count) == 5
        assert [told["status"] for told in refused] == [429]
        wrong = {**asked, "operations": [QUERY], "headers": {"Authorization": "Bearer wrong"}}
        assert node.run("graphql-sse.mjs", wrong)[0][0]["status"] == 401


async def test_gql(serving: Serving) -> None:
    def request(operation: dict[str, Any]) -> GraphQLRequest:
        return GraphQLRequest(operation["query"], variable_values=operation.get("variables"))

    async with Client(transport=HTTPXAsyncTransport(url=serving.url)) as over_http:
        assert await over_http.execute(request(QUERY)) == {"hello": "hello client"}
        assert list(await over_http.execute(request(MUTATION))) == ["bump"]
        with pytest.raises(TransportQueryError) as refused:
            await over_http.execute(request(UNKNOWN))
        assert refused.value.errors is not None
        assert refused.value.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    async with Client(transport=WebsocketsTransport(url=serving.ws_url, ping_interval=1)) as over_websocket:
        assert await over_websocket.execute(request(QUERY)) == {"hello": "hello client"}
        seen = [result["count"] async for result in over_websocket.subscribe(request(COUNT))]
        assert seen == [1, 2, 3, 4, 5]
        with pytest.raises(TransportQueryError):
            [result async for result in over_websocket.subscribe(request(FAILING))]
