"""Simulating packages as clients ask for it: in an environment with their code, and what is refused."""

from typing import Any

from schema.ids import Kind, raw_of
from tests.graphql.environments import asked, do, tend
from tests.graphql.world import Client
from tests.operations.environment_world import conduct_in
from tests.operations.packages_world import agent, uploaded
from tests.packages.world import package
from windtunnel.storage import environments

TEXT = "Customers report outages; sort each ticket by urgency."
SHOWN = """simulation { id status packageDigest plannerMode environment { name }
  architecture { agents { key } tools { name } } error { code message stage } }"""
ENDED = """query ($id: ID!) { node(id: $id) { ... on Simulation { status error { code message stage }
  events(first: 200, kinds: [OBSERVABILITY]) {
    events { message ... on ObservabilityEvent { name attributes } } } } } }"""
LEAVES = "def run(given): return {}\ndef lookup(given): raise LookupError(given['tool'])"
GREEDY = "def run(given): return {'size': len(bytearray(1 << 30))}"


async def simulate(client: Client, digest: str, **more: Any) -> Any:
    return await client.do("simulate", SHOWN, {"scenario": {"text": TEXT}, "packageDigest": digest} | more)


async def carried_out(client: Client, data: bytes) -> tuple[Any, Any]:
    """The simulation of a package in a new environment, as it was accepted and as it has ended."""
    digest = await uploaded(client.services, client.signed_in, data)
    environment = await asked(client)
    await tend(client.services)
    payload = await simulate(client, digest, environmentId=environment["id"])
    assert payload["errors"] == []
    raw = raw_of(Kind.ENVIRONMENT, environment["id"]) or ""
    stored = await environments.get(client.services.store, client.signed_in.tenant_id, raw)
    assert stored
    await conduct_in(client.services, stored)
    ended = (await client.get(ENDED, {"id": payload["simulation"]["id"]}))["node"]
    assert (await do(client, "delete", environmentId=environment["id"]))["errors"] == []
    await tend(client.services)
    return payload["simulation"], ended


async def test_a_package_is_simulated_with_its_code(client: Client) -> None:
    begun, ended = await carried_out(client, agent(LEAVES, "lookup"))
    assert begun["plannerMode"] == "OFFLINE"
    assert begun["environment"] == {"name": "try"}
    assert [each["key"] for each in begun["architecture"]["agents"]] == ["triage"]
    assert [each["name"] for each in begun["architecture"]["tools"]] == ["lookup"]
    assert (ended["status"], ended["error"]) == ("SUCCEEDED", None)
    tried = [event for event in ended["events"]["events"] if event.get("name", "").startswith("package.")]
    assert [(event["name"], event["attributes"]["result"]) for event in tried] == [
        ("package.health", "OK"),
        ("package.entrypoint", "OK"),
        ("package.tool", "RAISED"),
    ]
    assert tried[2]["message"] == "The tool lookup of the package does not work. LookupError: lookup"


async def test_a_digest_may_be_pasted_with_the_name_of_its_hash(client: Client) -> None:
    digest = await uploaded(client.services, client.signed_in, agent(LEAVES))
    payload = await simulate(client, f"sha256:{digest}")
    assert payload["errors"] == []
    assert payload["simulation"]["packageDigest"] == digest


async def test_a_broken_limit_is_named(client: Client) -> None:
    _, ended = await carried_out(client, agent(GREEDY))
    assert ended["status"] == "FAILED"
    assert ended["error"]["code"] == "LIMIT_EXCEEDED"
    assert ended["error"]["message"] == (
        "The package broke its memory limit in the entry point. It used more than 128 MiB of memory."
    )
    assert ended["error"]["stage"] == "simulating"


async def test_what_cannot_be_simulated_is_said_at_the_digest(client: Client, eve: Client) -> None:
    foreign = await uploaded(eve.services, eve.signed_in, package(name=f"{eve.signed_in.tenant.slug}/triage"))
    broken = await uploaded(client.services, client.signed_in, b"no archive")
    path = ["input", "packageDigest"]
    refusals = [(await simulate(client, digest))["errors"] for digest in (foreign, "0" * 64, broken)]
    echoed = [refusal[0].pop("resourceId") for refusal in refusals[:2]]
    assert echoed == [foreign, "0" * 64]
    assert refusals[0] == refusals[1]
    assert [(error["code"], error["path"]) for (error,) in refusals] == [
        ("NOT_FOUND", path),
        ("NOT_FOUND", path),
        ("PACKAGE_INVALID", path),
    ]
