"""Experiments and networks by hand as a client sees them."""

import asyncio
from contextlib import aclosing
from typing import Any

from strawberry.types import ExecutionResult

from schema.ids import Kind, decode, encode
from tests.graphql.world import Client, told
from tests.operations.experiment_world import conduct_all
from tests.queries import counted

SHOWN = """experiment { id status seed replications tasks arrivalRate progress lastSeq createdAt finishedAt
  architecture { digest } environment { name } createdBy { name } overrides variant packageDigest
  result { bottleneck } error { code message stage } }"""
ESTIMATE = "{ mean low high }"
RESULT = f"""{{ successRate {ESTIMATE} latencyP50Ms {ESTIMATE} latencyP95Ms {ESTIMATE} latencyP99Ms {ESTIMATE}
  throughputPerS {ESTIMATE} costUsdPerTask {ESTIMATE} tokensPerTask {ESTIMATE} analytic bottleneck warmupTasks
  nodes {{ key utilisation {ESTIMATE} waitMs {ESTIMATE} failures retries blastRadius }}
  failureModes {{ code probability impact provenance }} latencies {{ fromMs toMs tasks }} }}"""
LOOKUP = f"""query ($id: ID!) {{ experiment(id: $id) {{ status progress result {RESULT} variantResult {RESULT}
  difference {{ successRate {ESTIMATE} latencyP95Ms {ESTIMATE} }} }} node(id: $id) {{ __typename id }} }}"""
EVENTS = """subscription ($id: ID!, $after: Int) {
  experimentEvents(experimentId: $id, after: $after) { experimentId seq status progress } }"""
LIST = """{ experiments { totalCount nodes { id status architecture { digest agents { key } } environment { id }
  createdBy { name } } } }"""
NETWORK = {
    "title": "Refunds by mail",
    "agents": [
        {"key": "reader", "name": "Reader", "role": "ROUTER", "responsibility": "Reads.", "toolKeys": ["crm"]},
        {
            "key": "payer",
            "name": "Payer",
            "role": "WORKER",
            "responsibility": "Pays.",
            "toolKeys": ["pay"],
            "policy": {"maxAttempts": 4, "timeoutMs": None},
        },
    ],
    "links": [{"source": "reader", "target": "payer", "kind": "HANDOFF", "probability": 0.5}],
    "tools": [
        {"key": "crm", "kind": "crm", "name": "Customers"},
        {"key": "pay", "kind": "payments", "name": "Payments"},
    ],
    "entryPoints": ["reader"],
    "exitPoints": ["payer"],
}
DEFINED = """architecture { id digest summary changes basedOn { id } scenario { id } agents { key layer policy {
  maxAttempts timeoutMs } } links { key label } failureModes { key } }"""


async def architecture_of(client: Client) -> str:
    made = await told(client.services.store, client.signed_in)
    return encode(Kind.ARCHITECTURE, made.architecture_id or "")


async def run(client: Client, **input: Any) -> Any:
    usual = {"replications": 5, "tasks": 20, "arrivalRate": 0.01, "seed": 5}
    return await client.do("runExperiment", SHOWN, usual | input)


async def watched(client: Client, id: str) -> list[Any]:
    found = []
    async with aclosing(await client.schema.stream(EVENTS, {"id": id, "after": 0}, client.context())) as results:
        async for result in results:
            assert isinstance(result, ExecutionResult)
            assert result.data
            found.append(result.data["experimentEvents"])
    return found


async def test_an_experiment_from_the_request_to_its_result(client: Client, eve: Client) -> None:
    architecture = await architecture_of(client)
    await run(client, architectureId=architecture)
    found = await client.get("query ($id: ID!) { architecture(id: $id) { agents { key } } }", {"id": architecture})
    key = found["architecture"]["agents"][0]["key"]
    variant = {"nodes": {key: {"max_attempts": 1}}}
    payload = await run(client, architectureId=architecture, variant=variant)
    assert payload["errors"] == []
    made = payload["experiment"]
    assert (made["status"], made["progress"], made["seed"], made["variant"]) == ("QUEUED", 0.0, 5, variant)
    assert (made["result"], made["error"], made["environment"]) == (None, None, None)
    following = asyncio.create_task(watched(client, made["id"]))
    await conduct_all(client.services)
    events = await following
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[-1]["status"], events[-1]["progress"]) == ("SUCCEEDED", 1.0)
    shown = await client.get(LOOKUP, {"id": made["id"]})
    assert shown["node"] == {"__typename": "Experiment", "id": made["id"]}
    result = shown["experiment"]["result"]
    assert result["successRate"]["low"] <= result["successRate"]["mean"] <= result["successRate"]["high"]
    assert key in {node["key"] for node in result["nodes"]}
    assert max(node["blastRadius"] for node in result["nodes"]) > 0
    assert result["failureModes"]
    assert result["costUsdPerTask"] is None  # nobody has given prices
    assert shown["experiment"]["variantResult"]["nodes"]
    assert shown["experiment"]["difference"]["latencyP95Ms"] is not None
    assert await eve.get(LOOKUP, {"id": made["id"]}) == {"experiment": None, "node": None}
    with counted(client.services.store) as statements:
        listed = await client.get(LIST)
    assert listed["experiments"]["totalCount"] == 2
    assert len(statements) <= 4, statements
    assert (await eve.get(LIST))["experiments"]["totalCount"] == 0
    cancelled = await client.do("cancelExperiment", "experiment { status }", {"experimentId": made["id"]})
    assert [error["code"] for error in cancelled["errors"]] == ["CONFLICT"]


async def test_what_is_wrong_is_told_in_the_clients_words(client: Client, eve: Client) -> None:
    architecture = await architecture_of(client)
    for wrong, path in (
        ({"replications": 20_000}, ["input", "replications"]),
        ({"arrivalRate": 0}, ["input", "arrivalRate"]),
        ({"overrides": {"nodes": {"nobody": {}}}}, ["input", "overrides", "nodes", "nobody"]),
        (
            {"variant": {"nodes": {"my_key": {"max_attempts": 0}}}},
            ["input", "variant", "nodes", "my_key", "max_attempts"],
        ),
        ({"packageDigest": "0" * 64}, ["input", "packageDigest"]),
        ({"environmentId": encode(Kind.SCENARIO, "x")}, ["input", "environmentId"]),
    ):
        payload = await run(client, architectureId=architecture, **wrong)
        assert payload["experiment"] is None
        assert [error["path"] for error in payload["errors"]] == [path]
    theirs = await run(eve, architectureId=architecture)
    assert [(error["code"], error["path"]) for error in theirs["errors"]] == [
        ("NOT_FOUND", ["input", "architectureId"])
    ]
    filtered = "query ($id: ID!) { experiments(filter: {architectureId: $id, statuses: [QUEUED]}) { totalCount } }"
    made = await run(client, architectureId=architecture)
    stopped = await client.do("cancelExperiment", "experiment { status }", {"experimentId": made["experiment"]["id"]})
    assert stopped == {"experiment": {"status": "CANCELLED"}, "errors": []}
    assert (await client.get(filtered, {"id": architecture}))["experiments"]["totalCount"] == 0


async def test_a_network_by_hand_is_defined_and_edited(client: Client, eve: Client) -> None:
    payload = await client.do("defineArchitecture", DEFINED, NETWORK)
    assert payload["errors"] == []
    made = payload["architecture"]
    assert (made["summary"], made["changes"], made["basedOn"], made["scenario"]) == ("Refunds by mail", [], None, None)
    assert made["agents"][1] == {"key": "payer", "layer": 1, "policy": {"maxAttempts": 4, "timeoutMs": None}}
    assert made["links"] == [{"key": "reader__payer", "label": "handoff"}]
    assert made["failureModes"]
    edited = NETWORK | {"basedOn": made["id"], "title": "Refunds"}
    other = (await client.do("defineArchitecture", DEFINED, edited))["architecture"]
    assert (other["changes"], other["basedOn"]) == (["The title is another one."], {"id": made["id"]})
    assert decode(other["id"]) != decode(made["id"])
    refused = await client.do("defineArchitecture", DEFINED, NETWORK | {"entryPoints": ["x"], "exitPoints": ["y"]})
    assert refused["architecture"] is None
    assert [error["path"] for error in refused["errors"]] == [
        ["input", "entryPoints", "0"],
        ["input", "exitPoints", "0"],
    ]
    assert {error["__typename"] for error in refused["errors"]} == {"ValidationError"}
    foreign = await eve.do("defineArchitecture", DEFINED, edited)
    assert [error["path"] for error in foreign["errors"]] == [["input", "basedOn"]]
    words = "simulation { scenario { id } architecture { id } }"
    run = await client.do("simulate", words, {"scenario": {"architectureId": made["id"]}})
    assert run == {"simulation": {"scenario": None, "architecture": {"id": made["id"]}}, "errors": []}
