"""Small GraphQL clients over HTTP and graphql-transport-ws, with the connection in the test's hands."""

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

EVENTS = """subscription ($id: ID!, $after: Int) { simulationEvents(simulationId: $id, after: $after) {
  seq kind elapsedMs agentKey message
  ... on ToolUsedEvent { toolKey input output latencyMs } ... on DataFlowEvent { linkKey payload bytes }
  ... on FailureEvent { failureKey code outcome detail } ... on ObservabilityEvent { signal name value attributes }
  ... on AgentStepEvent { task status durationMs } ... on NarrativeEvent { text }
} }"""


ANSWER_S = 120.0
"""However busy the machine is, an answer comes within that."""
AFRESH = httpx.Limits(max_connections=None, max_keepalive_connections=0)
"""A connection for each request: one that rests may be closed by its server in the very moment it is used again."""


def visitor(url: str = "") -> httpx.AsyncClient:
    """A client of servers in other processes."""
    return httpx.AsyncClient(base_url=url, timeout=ANSWER_S, limits=AFRESH)


async def ask(client: httpx.AsyncClient, url: str, query: str, **variables: Any) -> dict[str, Any]:
    """One GraphQL request that must succeed; returns `data`."""
    answer = await client.post(f"{url}/graphql", json={"query": query, "variables": variables})
    body: dict[str, Any] = answer.json()
    assert "errors" not in body, body
    data: dict[str, Any] = body["data"]
    return data


async def events(
    websocket_url: str, simulation_id: str, after: int = 0, query: str = EVENTS
) -> AsyncGenerator[dict[str, Any]]:
    """Events of one subscription on one connection; raises ConnectionClosed when it is lost."""
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(
        websocket_url, subprotocols=[protocol], compression=None, max_size=None, max_queue=None
    ) as socket:
        await socket.send('{"type":"connection_init"}')
        assert orjson.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": query, "variables": {"id": simulation_id, "after": after}}
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        while True:
            message = orjson.loads(await socket.recv())
            if message["type"] == "next":
                yield message["payload"]["data"]["simulationEvents"]
            elif message["type"] == "complete":
                return
            else:
                assert message["type"] == "ping", message


async def follow_unsteadily(
    websocket_urls: list[str], simulation_id: str, seed: int, losses: int
) -> list[dict[str, Any]]:
    """Every event of a simulation, over connections that break at random moments and move between servers."""
    choice = random.Random(seed)
    seen: list[dict[str, Any]] = []
    while True:
        patience = choice.randint(1, 60) if losses > 0 else None
        losses -= 1
        try:
            async with aclosing(
                events(choice.choice(websocket_urls), simulation_id, after=seen[-1]["seq"] if seen else 0)
            ) as stream:
                async for event in stream:
                    seen.append(event)
                    if patience is not None and (patience := patience - 1) == 0:
                        break
                else:
                    return seen
        except (ConnectionClosed, OSError):
            continue
