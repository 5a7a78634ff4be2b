"""Agents and their versions as clients see them."""

from datetime import timedelta

from schema.ids import Kind, encode
from tests.graphql.pipeline import AGENT, agent, agent_id, history
from tests.graphql.world import Client
from tests.operations.packages_world import agent as packaged
from tests.operations.packages_world import ready_for, simulated
from tests.operations.pipeline_world import in_review, registered
from tests.operations.releases_world import agent_with, claimed, live, reviewed, rolled
from tests.queries import counted
from windtunnel.domain.ids import new_id
from windtunnel.operations.restoring import complete

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
FIND = "query ($by: AgentBy!) { agent(by: $by) { id slug } }"
AGENTS = """query ($first: Int, $after: String, $last: Int, $before: String, $search: String) {
  agents(first: $first, after: $after, last: $last, before: $before, search: $search) {
    totalCount pageInfo { hasNextPage endCursor } edges { cursor node { slug } } nodes { slug } } }"""


async def test_an_agent_shows_what_is_in_production_and_what_can_be_restored(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await registered(services, viewer)
    shown = await agent(client, made.slug)
    assert (shown["id"], shown["name"], shown["owner"]) == (agent_id(made), "Triage", {"name": viewer.user.name})
    assert (shown["productionVersion"], shown["rollbackTargets"], shown["versions"]["nodes"]) == (None, [], [])
    assert (shown["heldSince"], shown["heldBy"]) == (None, None)

    await live(services, viewer, made, "1.0.0", "2.0.0")
    waiting = await reviewed(services, viewer, made, "3.0.0")
    shown = await agent(client, made.slug)
    assert shown["productionVersion"] == {"version": "2.0.0"}
    assert shown["rollbackTargets"] == [{"version": "1.0.0"}]
    assert [each["status"] for each in shown["deployments"]["nodes"]] == ["IN_REVIEW", "LIVE", "RETIRED"]
    versions = {each["version"]: each for each in shown["versions"]["nodes"]}
    assert list(versions) == ["3.0.0", "2.0.0", "1.0.0"]
    assert {number: each["state"] for number, each in versions.items()} == {
        "3.0.0": "CANDIDATE",
        "2.0.0": "LIVE",
        "1.0.0": "STANDBY",
    }
    assert [number for number, each in versions.items() if each["isLive"]] == ["2.0.0"]
    assert [number for number, each in versions.items() if each["rollbackEligible"]] == ["1.0.0"]
    assert versions["1.0.0"]["ineligibleReason"] is None
    assert versions["2.0.0"]["ineligibleReason"] == "It is in production now."
    assert versions["3.0.0"]["ineligibleReason"] == "It was never in production."
    assert (versions["3.0.0"]["deployedAt"], versions["2.0.0"]["deployedAt"] is None) == (None, False)
    candidate = versions["3.0.0"]
    assert candidate["agent"] == {"slug": made.slug}
    assert candidate["submittedBy"] == {"name": viewer.user.name}
    assert candidate["dataAccess"] == [
        {
            "resource": "tickets",
            "sensitivity": "INTERNAL",
            "access": "READ",
            "justification": "Reads tickets to sort them.",
        }
    ]
    package = candidate["package"]
    assert (package["digest"], package["manifest"]["version"]) == (waiting.package_digest, "3.0.0")
    assert package["sizeBytes"] > 500
    assert package["checks"] == []


async def test_after_a_rollback_its_hold_and_quarantine_are_shown(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await agent_with(services, viewer, "1.0.0", "2.0.0")
    rollback = await rolled(services, viewer, made)
    shown = await agent(client, made.slug)
    assert (shown["heldBy"], shown["heldSince"] is None) == ({"id": encode(Kind.ROLLBACK, rollback.id)}, False)
    await complete(services, await claimed(services))
    shown = await agent(client, made.slug)
    assert (shown["productionVersion"], shown["rollbackTargets"]) == ({"version": "1.0.0"}, [])
    quarantined = next(each for each in shown["versions"]["nodes"] if each["version"] == "2.0.0")
    assert (quarantined["state"], quarantined["quarantineReason"]) == ("QUARANTINED", rollback.reason)
    assert quarantined["ineligibleReason"].startswith("A rollback took it away.")


async def test_after_thirty_days_nothing_can_be_restored(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await agent_with(services, viewer, "1.0.0", "2.0.0")
    services.store.clock_offset += timedelta(days=30)
    shown = await agent(client, made.slug)
    assert shown["rollbackTargets"] == []
    first = next(each for each in shown["versions"]["nodes"] if each["version"] == "1.0.0")
    assert "30 days" in first["ineligibleReason"]


async def test_a_page_of_the_history_costs_three_statements(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await agent_with(services, viewer, *(f"{number}.0.0" for number in range(1, 13)))
    with counted(services.store) as statements:
        page = await history(client, made.slug)
    assert len(statements) == 3, statements  # the agent, its versions, people
    assert [each["state"] for each in page["nodes"]] == ["LIVE", *["STANDBY"] * 9, "PRUNED", "PRUNED"]
    assert [each["rollbackEligible"] for each in page["nodes"]] == [False, *[True] * 9, False, False]
    assert page["nodes"][-1]["ineligibleReason"].startswith("It is no longer retained")
    with counted(services.store) as statements:
        first = await history(client, made.slug, first=5)
        rest = await history(client, made.slug, first=20, after=first["pageInfo"]["endCursor"])
    assert len(statements) == 6, statements
    assert first["nodes"] + rest["nodes"] == page["nodes"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (12, True, False)


async def test_more_agents_cost_no_more_statements(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    for _ in range(4):
        await agent_with(services, viewer, "1.0.0", "2.0.0")
    document = f"{{ agents {{ nodes {{ {AGENT} }} }} }}"
    with counted(services.store) as statements:
        assert len((await client.get(document))["agents"]["nodes"]) == 4
    # The list, people, pointers, versions in production, histories, retained ones, deployments, the time, checks, and
    # agents of versions.
    assert len(statements) <= 10, statements


async def test_agents_are_found_by_id_and_by_slug(client: Client, eve: Client) -> None:
    made = await registered(client.services, client.signed_in)
    found = {"id": agent_id(made), "slug": "triage"}
    assert (await client.get(FIND, {"by": {"slug": "triage"}}))["agent"] == found
    assert (await client.get(FIND, {"by": {"id": agent_id(made)}}))["agent"] == found
    assert (await client.get(NODE, {"id": agent_id(made)}))["node"]["__typename"] == "Agent"
    for by in ({"slug": "other"}, {"slug": ""}, {"slug": "a\x00b"}, {"id": "x"}, {"id": encode(Kind.AGENT, new_id())}):
        assert (await client.get(FIND, {"by": by}))["agent"] is None, by
    for both in ({}, {"id": agent_id(made), "slug": "triage"}):
        assert (await client.ask(FIND, {"by": both})).messages, both
    for by in ({"slug": "triage"}, {"id": agent_id(made)}):
        assert (await eve.get(FIND, {"by": by}))["agent"] is None
    assert (await eve.get(NODE, {"id": agent_id(made)}))["node"] is None


async def test_agents_are_listed_and_searched(client: Client, eve: Client) -> None:
    services, viewer = client.services, client.signed_in
    for slug in ("mail", "refunds", "mailing-list"):
        await registered(services, viewer, slug)
        services.store.clock_offset += timedelta(seconds=1)
    page = (await client.get(AGENTS))["agents"]
    assert ([each["slug"] for each in page["nodes"]], page["totalCount"]) == (["mailing-list", "refunds", "mail"], 3)
    page = (await client.get(AGENTS, {"search": "MAIL"}))["agents"]
    assert [each["slug"] for each in page["nodes"]] == ["mailing-list", "mail"]
    first = (await client.get(AGENTS, {"first": 2}))["agents"]
    rest = (await client.get(AGENTS, {"first": 2, "after": first["pageInfo"]["endCursor"]}))["agents"]
    assert [each["node"]["slug"] for each in rest["edges"]] == ["mail"]
    assert (await client.ask(AGENTS, {"search": "x" * 10_000})).codes == ["BAD_USER_INPUT"]
    assert (await eve.get(AGENTS))["agents"]["nodes"] == []


async def test_what_ran_the_package_is_listed_wherever_it_lies(client: Client, eve: Client) -> None:
    services, viewer = client.services, client.signed_in
    environment = await ready_for(services)
    data = packaged("def run(input):\n    return {}\n")
    inside = await simulated(services, environment, data)
    made = await in_review(services, viewer, data=data)
    assert (made.package_digest, made.version_id is None) == (inside.package_digest, False)
    document = "mutation ($i: SimulateInput!) { simulate(input: $i) { simulation { id } errors { message } } }"
    given = {"i": {"scenario": {"text": "Try it."}, "packageDigest": inside.package_digest}}
    at_home = (await client.get(document, given))["simulate"]["simulation"]["id"]
    await client.get(document, {"i": {"scenario": {"text": "Try another."}}})
    version = encode(Kind.AGENT_VERSION, made.version_id or "")
    listed = """query ($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on AgentVersion {
      simulations(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { id } } } } }"""
    page = (await client.get(listed, {"id": version}))["node"]["simulations"]
    both = [at_home, encode(Kind.SIMULATION, inside.id)]
    assert (page["totalCount"], [each["id"] for each in page["nodes"]]) == (2, both)
    first = (await client.get(listed, {"id": version, "first": 1}))["node"]["simulations"]
    assert (first["pageInfo"]["hasNextPage"], [each["id"] for each in first["nodes"]]) == (True, both[:1])
    after = first["pageInfo"]["endCursor"]
    rest = (await client.get(listed, {"id": version, "first": 1, "after": after}))["node"]["simulations"]
    assert (rest["pageInfo"]["hasNextPage"], [each["id"] for each in rest["nodes"]]) == (False, both[1:])
    assert (await eve.get(listed, {"id": version}))["node"] is None


async def test_production_shows_what_is_live(client: Client, eve: Client) -> None:
    document = "{ production { revision versions { version agent { slug } isLive } } }"
    assert (await client.get(document))["production"]["versions"] == []
    made = [await agent_with(client.services, client.signed_in, "1.0.0", "2.0.0") for _ in range(2)]
    shown = (await client.get(document))["production"]["versions"]
    slugs = sorted(each.slug for each in made)
    assert shown == [{"version": "2.0.0", "agent": {"slug": slug}, "isLive": True} for slug in slugs]
    assert (await eve.get(document))["production"]["versions"] == []
