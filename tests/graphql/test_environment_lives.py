"""Whole lives of environments, made and taken away for real: what runs in them is seen in them alone."""

import hashlib
import json
import secrets
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from schema.ids import Kind, decode, encode
from tests.graphql.environments import ONE, asked, do, followed, tend
from tests.graphql.world import Client
from tests.queries import counted
from windtunnel.operations.services import Services
from windtunnel.vault.sealing import KEY_BYTES, Vault

SIMULATIONS = """query ($first: Int, $after: String) { environments { nodes { name
  simulations(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id environment { name } } } } } simulations { totalCount } }"""
MINE = """query ($f: SimulationFilter) { simulations(filter: $f) {
  totalCount nodes { id environment { id } createdBy { name } } } }"""


async def ready(client: Client, name: str = "try") -> Any:
    made = await asked(client, name)
    await tend(client.services)
    return (await client.get(ONE, {"id": made["id"]}))["environment"]


async def simulated(client: Client, environment: Any, text: str = "Answer mail.") -> str:
    """The id of a simulation in the environment."""
    given = {"scenario": {"text": text}, "environmentId": environment["id"], "waitFor": "ACCEPTED"}
    payload = await client.do("simulate", "simulation { id environment { id } }", given)
    assert payload["errors"] == []
    assert payload["simulation"]["environment"] == {"id": environment["id"]}
    return str(payload["simulation"]["id"])


async def test_an_environment_is_made_and_taken_away(client: Client) -> None:
    made = await ready(client)
    assert (made["status"], made["failure"], made["isolation"]["verifiedAt"] is not None) == ("READY", None, True)
    assert len(made["isolation"]["probes"]) == 12
    assert {each["status"] for each in made["resources"]} == {"CREATED"}
    await do(client, "delete", environmentId=made["id"])
    await tend(client.services)
    gone = (await client.get(ONE, {"id": made["id"]}))["environment"]
    cleanup = gone["cleanup"]
    assert (gone["status"], cleanup["complete"], cleanup["remaining"]) == ("DELETED", True, [])
    assert [each["key"] for each in cleanup["removed"]] == [each["key"] for each in made["resources"]]
    assert hashlib.sha256(cleanup["receipt"].encode()).hexdigest() == cleanup["digest"]
    assert {each["probe"] for each in json.loads(cleanup["receipt"])["resources"]} == {"ABSENT"}
    async with aclosing(followed(client, made["id"])) as stream:
        events = [event async for event in stream]
    assert [event["seq"] for event in events] == list(range(1, gone["lastSeq"] + 1))
    assert (events[0]["status"], events[-1]["status"], events[-1]["progress"]) == ("PROVISIONING", "DELETED", 1.0)


async def test_what_was_told_and_recorded_names_it(client: Client) -> None:
    made = await ready(client)
    await do(client, "delete", environmentId=made["id"])
    await tend(client.services)
    subject = {"__typename": "Environment", "id": made["id"]}
    told = await client.get("{ notifications { nodes { kind subject { __typename id } } } }")
    assert told["notifications"]["nodes"] == [{"kind": "ENVIRONMENT_READY", "subject": subject}]
    fields = "action subjectId actor { id } details subject { __typename id }"
    document = f"query ($f: AuditFilter) {{ auditLog(filter: $f) {{ nodes {{ {fields} }} }} }}"
    nodes = (await client.get(document, {"f": {"subjectId": made["id"]}}))["auditLog"]["nodes"]
    assert [node["action"] for node in reversed(nodes)] == [
        "ENVIRONMENT_REQUESTED",
        "ENVIRONMENT_READY",
        "ENVIRONMENT_DELETE_REQUESTED",
        "ENVIRONMENT_DELETED",
    ]
    assert [node["subject"] for node in nodes] == [subject] * 4
    assert [node["actor"] is None for node in reversed(nodes)] == [False, True, False, True]
    digest = (await client.get(ONE, {"id": made["id"]}))["environment"]["cleanup"]["digest"]
    assert digest in nodes[0]["details"].values()


async def test_simulations_are_seen_in_their_environment_alone(client: Client) -> None:
    one, other = await ready(client, "one"), await ready(client, "other")
    mine = [await simulated(client, one, f"Answer mail {number}.") for number in range(3)]
    its = await simulated(client, other)
    data = await client.get(SIMULATIONS)
    assert data["simulations"]["totalCount"] == 0
    seen = {each["name"]: each["simulations"] for each in data["environments"]["nodes"]}
    assert [node["id"] for node in seen["one"]["nodes"]] == mine[::-1]
    assert (seen["one"]["totalCount"], [node["id"] for node in seen["other"]["nodes"]]) == (3, [its])
    assert {node["environment"]["name"] for node in seen["one"]["nodes"]} == {"one"}
    assert seen["one"]["pageInfo"]["hasNextPage"] is False
    first = (await client.get(SIMULATIONS, {"first": 2}))["environments"]["nodes"][1]["simulations"]
    assert [node["id"] for node in first["nodes"]] == mine[:0:-1]
    after = first["pageInfo"]["endCursor"]
    rest = (await client.get(SIMULATIONS, {"first": 2, "after": after}))["environments"]["nodes"][1]["simulations"]
    assert [node["id"] for node in rest["nodes"]] == mine[:1]


async def test_simulations_are_found_by_their_environment(client: Client, eve: Client) -> None:
    one = await ready(client)
    theirs = await ready(eve)
    mine = await simulated(client, one)
    await simulated(eve, theirs)
    found = (await client.get(MINE, {"f": {"environmentId": one["id"]}}))["simulations"]
    node = {"id": mine, "environment": {"id": one["id"]}, "createdBy": {"name": client.signed_in.user.name}}
    assert found == {"totalCount": 1, "nodes": [node]}
    nothing = {"totalCount": 0, "nodes": []}
    conditions: list[dict[str, Any]] = [
        {"environmentId": theirs["id"]},
        {"environmentId": "nonsense"},
        {"environmentId": encode(Kind.SCENARIO, (decode(one["id"]) or ("", ""))[1])},
        {"environmentId": one["id"], "statuses": ["FAILED"]},
        {"environmentId": one["id"], "createdAfter": "2999-01-01T00:00:00Z"},
        {},
    ]
    for condition in conditions:
        assert (await client.get(MINE, {"f": condition}))["simulations"] == nothing, condition


async def test_with_the_environment_its_simulations_are_gone(client: Client) -> None:
    one = await ready(client)
    mine = await simulated(client, one)
    await do(client, "delete", environmentId=one["id"])
    document = "query ($id: ID!) { simulation(id: $id) { id } node(id: $id) { id } }"
    for _ in range(2):  # on its way out, and when nothing is left
        assert await client.get(document, {"id": mine}) == {"simulation": None, "node": None}
        assert (await client.get(MINE, {"f": {"environmentId": one["id"]}}))["simulations"]["totalCount"] == 0
        nodes = (await client.get(SIMULATIONS))["environments"]["nodes"]
        assert [node["simulations"]["totalCount"] for node in nodes] == [0]
        await tend(client.services)


async def test_a_list_of_simulations_costs_no_more_statements(client: Client) -> None:
    one = await ready(client)
    for _ in range(4):
        await simulated(client, one)
    document = "{ environments { nodes { simulations { nodes { environment { name } createdBy { name } } } } } }"
    with counted(client.services.store) as statements:
        await client.get(document)
    assert len(statements) == 3, statements  # the list, the environment of the simulations, people


async def test_where_it_lies_is_not_told_when_it_cannot_be_opened(services: Services, client: Client) -> None:
    one = await ready(client)
    mine = await simulated(client, one)
    namespace = one["isolation"]["namespace"]
    await services.places.close(namespace)
    store = services.store
    if store.dialect == "sqlite":
        (services.environments_dir / namespace / "environment.db").write_bytes(b"no database" * 1_000)
    else:
        await services.places.databases.remove(namespace)
    for document in (SIMULATIONS, f'{{ simulation(id: "{mine}") {{ id }} }}'):
        answer = await client.ask(document)
        assert (answer.codes, answer.messages) == (
            ["UNAVAILABLE"],
            ["The environment cannot be opened right now. Try again in a moment."],
        )


async def test_without_the_key_it_can_be_deleted_all_the_same(client: Client) -> None:
    one = await ready(client)
    await simulated(client, one)
    await client.services.places.close()
    keyless = replace(client, services=replace(client.services, vault=Vault([secrets.token_bytes(KEY_BYTES)])))
    answer = await keyless.ask(SIMULATIONS)
    assert answer.codes == ["UNAVAILABLE"]
    assert "Delete it" in answer.messages[0]
    await do(keyless, "delete", environmentId=one["id"])
    await tend(keyless.services)
    gone = (await keyless.get(ONE, {"id": one["id"]}))["environment"]
    assert (gone["status"], gone["cleanup"]["complete"]) == ("DELETED", True)
