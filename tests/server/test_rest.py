"""The REST doors of the product: `/simulate`, the event stream, the probes."""

import json
import signal
from collections import deque
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.processes import Api
from windtunnel.domain.events import EventKind

SCENARIO = "Customers write to our support. Sort each message by topic, look up the order and draft an answer."


def simulate(rest: httpx.Client, **body: Any) -> httpx.Response:
    return rest.post("/simulate", json=body)


def messages(response: httpx.Response) -> list[dict[str, str]]:
    """The messages of a finished event stream, as their fields."""
    blocks = [block for block in response.text.strip().split("\n\n") if block and not block.startswith(":")]
    return [
        {name: value.strip() for name, _, value in (line.partition(":") for line in block.split("\n"))}
        for block in blocks
    ]


def test_simulate_answers_with_the_network_and_where_its_events_are(rest: httpx.Client) -> None:
    response = simulate(rest, scenario=SCENARIO, seed=7)
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {"simulationId", "architecture", "eventsUrl"}
    assert answer["architecture"]["agents"]
    assert answer["architecture"]["links"]
    query = "query ($id: ID!) { simulation(id: $id) { seed architecture { render(format: JSON) } } }"
    variables = {"id": answer["simulationId"]}
    found = rest.post("/graphql", json={"query": query, "variables": variables}).json()["data"]["simulation"]
    assert found["seed"] == 7
    assert json.loads(found["architecture"]["render"]) == answer["architecture"]


def test_the_events_are_streamed_with_their_numbers_and_resume(rest: httpx.Client) -> None:
    events_url = simulate(rest, scenario=SCENARIO, seed=7).json()["eventsUrl"]
    assert events_url.startswith(str(rest.base_url))
    response = rest.get(events_url)
    assert response.headers["content-type"].startswith("text/event-stream")
    found = messages(response)
    assert [int(message["id"]) for message in found] == list(range(1, len(found) + 1))
    events = [json.loads(message["data"]) for message in found]
    assert [event["seq"] for event in events] == list(range(1, len(found) + 1))
    assert {event["kind"] for event in events} <= set(EventKind)
    assert events[0]["kind"] == "SIMULATION_STARTED"
    assert events[-1]["kind"] == "SIMULATION_FINISHED"
    assert events[-1]["status"] == "SUCCEEDED"

    last = len(found)
    assert messages(rest.get(events_url, params={"after": last - 3})) == found[-3:]
    assert messages(rest.get(events_url, headers={"Last-Event-ID": str(last - 2)}, params={"after": 0})) == found[-2:]
    assert rest.get(events_url, params={"after": last}).status_code == 204  # an EventSource stops coming


def test_events_have_the_names_that_they_have_in_graphql(rest: httpx.Client) -> None:
    answer = simulate(rest, scenario=SCENARIO, seed=7).json()
    streamed = [json.loads(message["data"]) for message in messages(rest.get(answer["eventsUrl"]))]
    query = """query ($id: ID!) { simulation(id: $id) { events(first: 100) { events { seq kind at elapsedMs agentKey
      message ... on AgentStepEvent { task status durationMs } ... on ToolUsedEvent { toolKey input output latencyMs }
      ... on DataFlowEvent { linkKey sourceKey targetKey payload bytes } ... on ArchitecturePlannedEvent {
      architecture { id } } } } } }"""
    asked = {"query": query, "variables": {"id": answer["simulationId"]}}
    listed = rest.post("/graphql", json=asked).json()["data"]["simulation"]["events"]["events"]
    for one, other in zip(streamed, listed, strict=False):
        planned = other.pop("architecture", None)
        assert one.items() >= other.items()
        assert one.get("architectureId") == (planned and planned["id"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "BAD_USER_INPUT"),
        ({"scenario": None}, 400, "BAD_USER_INPUT"),
        ({"scenario": 5}, 400, "BAD_USER_INPUT"),
        ({"scenario": ["x"]}, 400, "BAD_USER_INPUT"),
        ({"scenario": ""}, 400, "SCENARIO_EMPTY"),
        ({"scenario": " \n\t "}, 400, "SCENARIO_EMPTY"),
        ({"scenario": "\u200b\u2060\ufeff"}, 400, "SCENARIO_EMPTY"),
        ({"scenario": "x" * 20_001}, 400, "BAD_USER_INPUT"),
        ({"scenario": "a\u0000b"}, 400, "BAD_USER_INPUT"),
        ({"scenario": SCENARIO, "seed": "7"}, 400, "BAD_USER_INPUT"),
        ({"scenario": SCENARIO, "seed": True}, 400, "BAD_USER_INPUT"),
        ({"scenario": SCENARIO, "seed": 1.5}, 400, "BAD_USER_INPUT"),
        ({"scenario": SCENARIO, "seed": 2**31}, 400, "BAD_USER_INPUT"),
        ({"scenario": SCENARIO, "seed": 10**30}, 400, "BAD_USER_INPUT"),
        ([SCENARIO], 400, "BAD_USER_INPUT"),
    ],
)
def test_a_bad_scenario_or_seed_is_refused(rest: httpx.Client, body: Any, status: int, code: str) -> None:
    response = rest.post("/simulate", json=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"]


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "BAD_USER_INPUT"),
        (b"", "application/json", 400, "BAD_USER_INPUT"),
        (b"null", "application/json", 400, "BAD_USER_INPUT"),
        (b'{"scenario":"\\ud800"}', "application/json", 400, "BAD_USER_INPUT"),
        (b"\xff", "application/json", 400, "BAD_USER_INPUT"),
        (b"scenario=x", "application/x-www-form-urlencoded", 415, "BAD_USER_INPUT"),
        (b'{"scenario":"x"}', "text/plain", 415, "BAD_USER_INPUT"),
        (b'{"scenario":"' + b"x" * 1024 * 1024 + b'"}', "application/json", 413, "LIMIT_EXCEEDED"),
    ],
)
def test_a_bad_body_is_refused(rest: httpx.Client, content: bytes, content_type: str, status: int, code: str) -> None:
    response = rest.post("/simulate", content=content, headers={"Content-Type": content_type})
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/simulate", "GET", 405),
        ("/nothing", "GET", 404),
        ("/simulations/nothing/events", "GET", 404),
        ("/simulations/U2NlbmFyaW86MQ/events", "GET", 404),
        ("/simulations/U2ltdWxhdGlvbjowMTkzZjNhMi0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA/events", "GET", 404),
        ("/graphiql/nothing.js", "GET", 404),
    ],
)
def test_what_is_not_there_is_a_json_error(rest: httpx.Client, path: str, method: str, status: int) -> None:
    response = rest.request(method, path)
    assert response.status_code == status
    assert response.json()["error"]["code"] == ("NOT_FOUND" if status == 404 else "BAD_USER_INPUT")


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "\u0661", "9" * 30])
def test_a_bad_sequence_number_is_refused(rest: httpx.Client, after: str) -> None:
    events_url = simulate(rest, scenario=SCENARIO, seed=7).json()["eventsUrl"]
    response = rest.get(events_url, params={"after": after})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_USER_INPUT")


def test_a_bad_token_is_401(rest: httpx.Client) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    for response in (
        rest.post("/simulate", json={"scenario": SCENARIO}, headers=wrong),
        rest.get("/simulations/x/events", headers=wrong),
    ):
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "UNAUTHENTICATED"


def test_the_probes(rest: httpx.Client) -> None:
    assert rest.get("/healthz").json() == {"status": "ok"}
    assert rest.get("/readyz").json() == {"status": "ready", "database": "up", "bus": "up"}
    rest.get(simulate(rest, scenario=SCENARIO, seed=7).json()["eventsUrl"])
    rest.post("/graphql", json={"query": "{ health { status } }"})
    text = rest.get("/metrics").text
    for line in (
        'windtunnel_http_requests_total{method="POST",route="/simulate",status="200"}',
        'windtunnel_graphql_operations_total{outcome="ok",type="query"}',
        'windtunnel_graphql_operation_seconds_bucket{le="0.1",type="query"}',
        'windtunnel_events_delivered_total{source="live"}',
        'windtunnel_events_delivered_total{source="replayed"}',
        'windtunnel_streams_open{transport="rest"} 0.0',
        "windtunnel_bus_up 1.0",
        'windtunnel_simulations{status="SUCCEEDED"}',
        'windtunnel_simulation_seconds{status="FAILED"} 0.0',
    ):
        assert line in text


def test_a_shifted_clock_is_shown(tmp_path: Path) -> None:
    settings = {"WINDTUNNEL_TEST_CLOCK": "1", "WINDTUNNEL_CLOCK_OFFSET": "PT25H", "WINDTUNNEL_GRAPHIQL": "off"}
    with Api({"WINDTUNNEL_DATA_DIR": str(tmp_path), **settings}) as api, httpx.Client(base_url=api.url) as client:
        assert client.get("/readyz").json()["clockOffset"] == "P1DT1H"
        off = client.get("/graphql", headers={"Accept": "text/html"})
        assert (off.status_code, off.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
        assert client.get("/graphiql/graphiql.js").status_code == 404


def test_a_server_that_is_told_to_stop_ends_its_streams_and_leaves(tmp_path: Path) -> None:
    with Api({"WINDTUNNEL_DATA_DIR": str(tmp_path)}) as api, httpx.Client(base_url=api.url, timeout=120) as client:
        query = "mutation { simulate(input: {scenario: {text: %s}, pace: 0.001}) { simulation { id } } }"
        answer = client.post("/graphql", json={"query": query % json.dumps(SCENARIO)}).json()
        path = f"/simulations/{answer['data']['simulate']['simulation']['id']}/events"
        with client.stream("GET", path) as response:
            lines = response.iter_lines()
            first = [next(lines) for _ in range(5)]
            psutil.Process(api.pid).send_signal(signal.SIGTERM)
            with pytest.raises(httpx.RemoteProtocolError):  # cut, not ended: nobody shall take it for complete
                deque(lines, maxlen=0)
        assert first[0] == "id: 1"
        psutil.Process(api.pid).wait(timeout=120)
        assert not api.running
