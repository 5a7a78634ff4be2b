"""Environments as a client of the API has them: asked for, waited for, deleted."""

import json
from typing import Any

import httpx
import orjson
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.processes import Api

FIELDS = """id name status expiresAt createdAt readyAt provisioningTime failure
  isolation { level namespace verifiedAt probes { name outcome detail } }
  configuration { productionRevision matchesProduction drift { key production environment } }
  resources { key kind status removedAt } limits { cpu memoryMb storageMb maxSimulations }
  usage { wallHours cpuSeconds storageBytes tokens simulations }
  cleanup { complete remaining digest startedAt finishedAt removed { key status removedAt } }"""
EVENTS = """subscription ($id: ID!) { environmentEvents(environmentId: $id) { seq status step message progress } }"""


def ask(api: Api, query: str, **variables: Any) -> Any:
    """The data of an operation that must not fail as a whole."""
    answer = httpx.post(f"{api.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
    assert "errors" not in answer, json.dumps(answer)
    return answer["data"]


def do(api: Api, verb: str, **given: Any) -> Any:
    """The payload of a mutation about one environment."""
    kind = f"{verb[0].upper()}{verb[1:]}Input!"
    fields = f"environment {{ {FIELDS} }} errors {{ code message path }}"
    query = f"mutation ($input: {kind}) {{ {verb}(input: $input) {{ {fields} }} }}"
    return ask(api, query, input=given)[verb]


def asked_for(api: Api, **given: Any) -> Any:
    """A new environment, PROVISIONING at first."""
    payload = do(api, "provisionEnvironment", **{"name": "try", **given})
    assert payload["errors"] == []
    return payload["environment"]


def look(api: Api, environment_id: str) -> Any:
    """The environment as it is now."""
    return ask(api, f"query ($id: ID!) {{ environment(id: $id) {{ {FIELDS} }} }}", id=environment_id)["environment"]


def until(api: Api, environment_id: str, *statuses: str) -> Any:
    """The environment once it is in one of these states; by its events, not by asking again and again."""
    with connect(api.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        socket.send('{"type":"connection_init"}')
        socket.recv()
        payload = {"query": EVENTS, "variables": {"id": environment_id}}
        socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        for raw in socket:
            message = orjson.loads(raw)
            assert message["type"] in {"next", "complete", "ping"}, message
            if message["type"] == "complete":
                break
            if message["type"] == "next" and message["payload"]["data"]["environmentEvents"]["status"] in statuses:
                break
    found = look(api, environment_id)
    assert found["status"] in statuses, found
    return found


def provisioned(api: Api, **given: Any) -> Any:
    """A READY environment."""
    return until(api, asked_for(api, **given)["id"], "READY")


def deleted(api: Api, environment_id: str) -> Any:
    """The environment once nothing of it remains."""
    assert do(api, "deleteEnvironment", environmentId=environment_id)["errors"] == []
    return until(api, environment_id, "DELETED")
