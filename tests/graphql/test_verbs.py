"""The whole story: simulate, watch, read, disturb, cancel, delete."""

from typing import Any

import pytest

from tests.graphql.world import Client, conduct, simulation_id, told
from windtunnel.domain.events import EventKind

TEXT = (
    "An agent reads each incoming refund request, looks the order up in the CRM, and a manager approves large refunds."
)
SHOWN = "simulation { id status lastSeq scenario { id title text } architecture { id digest agents { key } } }"


async def _simulate(client: Client, **input: Any) -> Any:
    payload = await client.do("simulate", SHOWN, {"scenario": {"text": TEXT}, "seed": 5, **input})
    assert payload["errors"] == []
    return payload["simulation"]


async def _events(client: Client, id: str) -> list[Any]:
    data = await client.get(
        "query($id: ID!) { simulation(id: $id) { events(first: 1000) { events"
        " { seq kind elapsedMs agentKey message ... on DataFlowEvent { payload } } } } }",
        {"id": id},
    )
    return list(data["simulation"]["events"]["events"])


async def test_simulate_answers_with_the_planned_network(client: Client) -> None:
    shown = await _simulate(client)
    assert shown["scenario"]["text"] == TEXT
    assert shown["status"] == "QUEUED"
    assert len(shown["architecture"]["agents"]) >= 2
    assert len(shown["architecture"]["digest"]) == 64


async def test_simulate_answers_at_once_when_asked_to(client: Client) -> None:
    shown = await _simulate(client, waitFor="ACCEPTED")
    assert shown["status"] in {"PLANNING", "QUEUED"}


async def test_everything_is_told_from_the_first_event_to_the_last(client: Client) -> None:
    shown = await _simulate(client)
    await conduct(client.services)
    told = await client.watch(shown["id"])
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert (told[0]["kind"], told[-1]["kind"]) == ("SIMULATION_STARTED", "SIMULATION_FINISHED")
    assert {event["kind"] for event in told} >= {
        "PLANNER_STEP",
        "ARCHITECTURE_PLANNED",
        "AGENT_START",
        "AGENT_END",
        "FAILURE_EVENT",
        "OBSERVABILITY",
        "NARRATIVE",
    }
    assert [event["seq"] for event in await _events(client, shown["id"])] == [event["seq"] for event in told]
    data = await client.get("query($id: ID!) { simulation(id: $id) { status narrative lastSeq } }", {"id": shown["id"]})
    assert data["simulation"]["status"] == "SUCCEEDED"
    assert data["simulation"]["narrative"]
    assert data["simulation"]["lastSeq"] == len(told)


async def test_a_stream_goes_on_where_it_was_left(client: Client) -> None:
    shown = await _simulate(client)
    await conduct(client.services)
    told = await client.watch(shown["id"])
    assert await client.watch(shown["id"], after=7) == told[7:]
    assert await client.watch(shown["id"], after=len(told)) == []
    assert await client.watch(shown["id"], after=None) == []
    kinds = [EventKind.AGENT_START.value, EventKind.NARRATIVE.value]
    assert await client.watch(shown["id"], kinds=kinds) == [event for event in told if event["kind"] in kinds]
    assert await client.watch(shown["id"], kinds=[]) == []


async def test_a_stream_is_live(client: Client) -> None:
    shown = await _simulate(client)
    stream = client.subscribe(shown["id"], after=0)
    first = await anext(stream)
    await conduct(client.services)
    rest = [event async for event in stream]
    assert [event["seq"] for event in [first, *rest]] == list(range(1, len(rest) + 2))


async def test_who_stops_watching_leaves_nothing_behind(client: Client) -> None:
    shown = await _simulate(client)
    stream = client.subscribe(shown["id"])
    assert (await anext(stream))["seq"] == 1
    assert client.services.hub.followers == 1
    await stream.aclose()
    assert client.services.hub.followers == 0


async def test_a_stream_of_what_is_deleted_ends_in_an_error(client: Client) -> None:
    shown = await _simulate(client)
    stream = client.subscribe(shown["id"], after=shown["lastSeq"] - 1)
    assert (await anext(stream))["seq"] == shown["lastSeq"]
    await client.do("deleteScenario", "deletedId", {"scenarioId": shown["scenario"]["id"]})
    with pytest.raises(ValueError, match="NOT_FOUND"):
        await anext(stream)


async def test_the_architecture_arrives_with_its_event(client: Client) -> None:
    shown = await _simulate(client)
    await conduct(client.services)
    planned = [
        event
        for event in await client.watch(
            shown["id"], fields="... on ArchitecturePlannedEvent { architecture { digest } }"
        )
        if event["kind"] == "ARCHITECTURE_PLANNED"
    ]
    assert [event["architecture"]["digest"] for event in planned] == [shown["architecture"]["digest"]]


async def test_the_same_seed_tells_the_same_story(client: Client) -> None:
    first = await _simulate(client)
    again = await _simulate(client, scenario={"scenarioId": first["scenario"]["id"]})
    drawn = await _simulate(client, scenario={"architectureId": first["architecture"]["id"]})
    other = await _simulate(client, seed=6)
    await conduct(client.services)
    assert again["architecture"]["digest"] == first["architecture"]["digest"]
    assert drawn["architecture"]["id"] == first["architecture"]["id"]
    stories = [
        [event for event in await _events(client, one["id"]) if event["elapsedMs"] or event["kind"] == "AGENT_START"]
        for one in (first, again, drawn, other)
    ]
    for story in stories:
        for event in story:
            event.pop("seq")
    assert stories[0] == stories[1] == stories[2] != stories[3]


async def test_the_same_key_leads_to_the_same_simulation(client: Client) -> None:
    first = await _simulate(client, idempotencyKey="k-1")
    assert (await _simulate(client, idempotencyKey="k-1"))["id"] == first["id"]
    payload = await client.do(
        "simulate", "simulation { id }", {"scenario": {"text": TEXT}, "seed": 6, "idempotencyKey": "k-1"}
    )
    assert payload["simulation"] is None
    (error,) = payload["errors"]
    assert (error["__typename"], error["code"]) == ("ConflictError", "IDEMPOTENCY_MISMATCH")
    assert error["path"] == ["input", "idempotencyKey"]


async def test_a_cancelled_simulation_is_over(client: Client) -> None:
    shown = await _simulate(client)
    payload = await client.do("cancelSimulation", "simulation { id status finishedAt }", {"simulationId": shown["id"]})
    assert payload["errors"] == []
    assert (payload["simulation"]["id"], payload["simulation"]["status"]) == (shown["id"], "CANCELLED")
    assert (await client.watch(shown["id"]))[-1]["kind"] == "SIMULATION_FINISHED"
    again = await client.do("cancelSimulation", "simulation { status }", {"simulationId": shown["id"]})
    assert again == {"simulation": {"status": "CANCELLED"}, "errors": []}


async def test_a_simulation_that_came_to_its_end_cannot_be_cancelled(client: Client) -> None:
    assert client.viewer
    simulation = await told(client.services.store, client.viewer)
    refused = await client.do("cancelSimulation", "simulation { id }", {"simulationId": simulation_id(simulation)})
    (error,) = refused["errors"]
    assert (refused["simulation"], error["__typename"], error["code"]) == (None, "ConflictError", "CONFLICT")
    assert error["current"] == "SUCCEEDED"
    assert set(error["allowed"]) == {"PLANNING", "QUEUED", "RUNNING"}


async def test_a_deleted_scenario_takes_everything_along(client: Client) -> None:
    shown = await _simulate(client)
    scenario_id = shown["scenario"]["id"]
    payload = await client.do("deleteScenario", "deletedId", {"scenarioId": scenario_id})
    assert payload == {"deletedId": scenario_id, "errors": []}
    ids = [scenario_id, shown["id"], shown["architecture"]["id"]]
    data = await client.get("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids})
    assert data["nodes"] == [None, None, None]
    again = await client.do("deleteScenario", "deletedId", {"scenarioId": scenario_id})
    (error,) = again["errors"]
    assert (error["__typename"], error["code"], error["resourceId"]) == ("NotFoundError", "NOT_FOUND", scenario_id)
    assert error["path"] == ["input", "scenarioId"]


async def test_an_injected_failure_shows(client: Client) -> None:
    shown = await _simulate(client, failures="NONE")
    code = "llm_rate_limited"
    payload = await client.do("injectFailure", "simulation { id }", {"simulationId": shown["id"], "code": code})
    assert payload == {"simulation": {"id": shown["id"]}, "errors": []}
    await conduct(client.services)
    data = await client.get(
        "query($id: ID!) { simulation(id: $id) { failureModes { definition { code } triggeredSeqs } } }",
        {"id": shown["id"]},
    )
    struck = {
        mode["definition"]["code"]: mode["triggeredSeqs"]
        for mode in data["simulation"]["failureModes"]
        if mode["triggeredSeqs"]
    }
    assert list(struck) == [code]
    late = await client.do("injectFailure", "simulation { id }", {"simulationId": shown["id"], "code": code})
    (error,) = late["errors"]
    assert (error["__typename"], error["current"]) == ("ConflictError", "SUCCEEDED")


async def test_listed_failures_are_the_only_ones(client: Client) -> None:
    codes = ["human_approval_delay", "tool_api_timeout"]
    shown = await _simulate(client, failures="ONLY_LISTED", injectFailures=codes)
    await conduct(client.services)
    told = await client.watch(shown["id"], kinds=["FAILURE_EVENT"], fields="... on FailureEvent { code }")
    assert {event["code"] for event in told} == set(codes)


async def test_what_a_mutation_shows_is_read_after_it(client: Client) -> None:
    shown = await _simulate(client)
    data = await client.get(
        "mutation($id: ID!, $s: ID!) {"
        " a: cancelSimulation(input: { simulationId: $id })"
        " { simulation { status scenario { simulations { nodes { status } } } } }"
        " b: cancelSimulation(input: { simulationId: $id }) { errors { code } }"
        " c: deleteScenario(input: { scenarioId: $s }) { deletedId } }",
        {"id": shown["id"], "s": shown["scenario"]["id"]},
    )
    assert data["a"]["simulation"]["status"] == "CANCELLED"
    assert data["a"]["simulation"]["scenario"]["simulations"]["nodes"] == [{"status": "CANCELLED"}]
    assert data["b"]["errors"] == []
    assert data["c"]["deletedId"] == shown["scenario"]["id"]


async def test_events_never_show_what_was_true_before(client: Client) -> None:
    shown = await _simulate(client)
    fields = (
        "... on ArchitecturePlannedEvent { architecture { scenario { simulations { nodes { status } } } } }"
        " ... on LifecycleEvent { status }"
    )
    await client.do("cancelSimulation", "simulation { id }", {"simulationId": shown["id"]})
    told = await client.watch(shown["id"], fields=fields)
    (planned,) = [event for event in told if event["kind"] == "ARCHITECTURE_PLANNED"]
    assert planned["architecture"]["scenario"]["simulations"]["nodes"] == [{"status": "CANCELLED"}]
    assert told[-1]["status"] == "CANCELLED"


async def test_quotas_count_what_runs(client: Client) -> None:
    document = "{ viewer { user { name } tenant { slug } roles quotas { simulationsRunning { limit used remaining }"
    document += " environments { limit used remaining } versionsPerAgent scenarioMaxChars architectureMaxAgents"
    document += " environmentMaxLifetime } } }"
    viewer = (await client.get(document))["viewer"]
    assert (viewer["user"]["name"], viewer["tenant"]["slug"]) == ("You", "demo")
    assert viewer["roles"] == ["DEVELOPER", "SECURITY_REVIEWER", "OPERATOR", "AUDITOR", "ADMIN"]
    assert viewer["quotas"] == {
        "simulationsRunning": {"limit": 100, "used": 0, "remaining": 100},
        "environments": {"limit": 10, "used": 0, "remaining": 10},
        "versionsPerAgent": 10,
        "scenarioMaxChars": 20000,
        "architectureMaxAgents": 64,
        "environmentMaxLifetime": "P7D",
    }
