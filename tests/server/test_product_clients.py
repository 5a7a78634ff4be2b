"""The four clients on the product itself: ask, simulate, follow to the end."""

from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from tests.processes import Api
from tests.server.nodes import Node
from tests.server.test_rest import SCENARIO

ASK: dict[str, Any] = {"query": "{ health { status } viewer { tenant { slug } } }"}
SIMULATE: dict[str, Any] = {
    "query": """mutation ($text: String!) { simulate(input: {scenario: {text: $text}, seed: 7, pace: 100}) {
        simulation { id status } errors { code message } } }""",
    "variables": {"text": SCENARIO},
}
WATCH = "subscription ($id: ID!) { simulationEvents(simulationId: $id) { seq kind message } }"


def check(asked: dict[str, Any], simulated: dict[str, Any]) -> dict[str, Any]:
    """What to ask for next: the events of the simulation."""
    assert asked["health"]["status"] == "OK"
    assert asked["viewer"]["tenant"]["slug"] == "demo"
    assert simulated["simulate"]["errors"] == []
    return {"query": WATCH, "variables": {"id": simulated["simulate"]["simulation"]["id"]}}


def check_events(events: list[dict[str, Any]]) -> None:
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["kind"] == "SIMULATION_FINISHED"


@pytest.mark.parametrize(
    ("script", "options"),
    [("graphql-ws.mjs", {}), ("apollo.mjs", {}), ("urql.mjs", {}), ("urql.mjs", {"sse": True})],
)
def test_javascript(node: Node, product: Api, script: str, options: dict[str, Any]) -> None:
    given = {"url": f"{product.url}/graphql", **options}
    (asked,), (simulated,) = node.run(script, {**given, "operations": [ASK, SIMULATE]})
    watch = check(asked["data"], simulated["data"])
    (events,) = node.run(script, {**given, "operations": [watch]})
    check_events([event["data"]["simulationEvents"] for event in events])


async def test_python(product: Api) -> None:
    async with Client(transport=HTTPXAsyncTransport(url=f"{product.url}/graphql")) as client:
        asked = await client.execute(GraphQLRequest(ASK["query"]))
        simulated = await client.execute(GraphQLRequest(SIMULATE["query"], variable_values=SIMULATE["variables"]))
    watch = GraphQLRequest(WATCH, variable_values=check(asked, simulated)["variables"])
    async with Client(transport=WebsocketsTransport(url=product.websocket_url)) as client:
        check_events([event["simulationEvents"] async for event in client.subscribe(watch)])


def test_the_audits(node: Node, product: Api) -> None:
    audits = node.run("audit.mjs", f"{product.url}/graphql")
    assert [audit["id"] for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61
