"""Whatever is sent, the answer is a typed error with a code."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.ids import Kind, encode
from tests.graphql.world import Client
from windtunnel.domain.policy import SCENARIO_MAX_CHARS

UNKNOWN = "01938f2c-7b1e-7abc-8def-0123456789ab"
SIMULATION = encode(Kind.SIMULATION, UNKNOWN)
SCENARIO = encode(Kind.SCENARIO, UNKNOWN)
ARCHITECTURE = encode(Kind.ARCHITECTURE, UNKNOWN)
FINE = {"text": "An agent answers mail."}
INPUT = "input"

Case = tuple[dict[str, Any], str, str, list[str]]
SIMULATE: list[Case] = [
    ({"scenario": {"text": ""}}, "ValidationError", "SCENARIO_EMPTY", [INPUT, "scenario", "text"]),
    ({"scenario": {"text": " \t\n"}}, "ValidationError", "SCENARIO_EMPTY", [INPUT, "scenario", "text"]),
    ({"scenario": {"text": "\u200b\ufeff\u2060"}}, "ValidationError", "SCENARIO_EMPTY", [INPUT, "scenario", "text"]),
    ({"scenario": {"text": "a\0b"}}, "ValidationError", "BAD_USER_INPUT", [INPUT, "scenario", "text"]),
    ({"scenario": {"text": "a\ud800b"}}, "ValidationError", "BAD_USER_INPUT", [INPUT, "scenario", "text"]),
    (
        {"scenario": {"text": "a" * (SCENARIO_MAX_CHARS + 1)}},
        "ValidationError",
        "BAD_USER_INPUT",
        [INPUT, "scenario", "text"],
    ),
    ({"scenario": {"scenarioId": SCENARIO}}, "NotFoundError", "NOT_FOUND", [INPUT, "scenario", "scenarioId"]),
    ({"scenario": {"scenarioId": SIMULATION}}, "NotFoundError", "NOT_FOUND", [INPUT, "scenario", "scenarioId"]),
    ({"scenario": {"scenarioId": "nonsense"}}, "NotFoundError", "NOT_FOUND", [INPUT, "scenario", "scenarioId"]),
    ({"scenario": {"scenarioId": ""}}, "NotFoundError", "NOT_FOUND", [INPUT, "scenario", "scenarioId"]),
    ({"scenario": {"scenarioId": "\0"}}, "NotFoundError", "NOT_FOUND", [INPUT, "scenario", "scenarioId"]),
    (
        {"scenario": {"architectureId": ARCHITECTURE}},
        "NotFoundError",
        "NOT_FOUND",
        [INPUT, "scenario", "architectureId"],
    ),
    ({"scenario": {"architectureId": "x"}}, "NotFoundError", "NOT_FOUND", [INPUT, "scenario", "architectureId"]),
    ({"scenario": FINE, "environmentId": "x"}, "NotFoundError", "NOT_FOUND", [INPUT, "environmentId"]),
    ({"scenario": FINE, "environmentId": SIMULATION}, "NotFoundError", "NOT_FOUND", [INPUT, "environmentId"]),
    ({"scenario": FINE, "packageDigest": "ab" * 32}, "NotFoundError", "NOT_FOUND", [INPUT, "packageDigest"]),
    ({"scenario": FINE, "packageDigest": ""}, "NotFoundError", "NOT_FOUND", [INPUT, "packageDigest"]),
    ({"scenario": FINE, "pace": -1}, "ValidationError", "BAD_USER_INPUT", [INPUT, "pace"]),
    ({"scenario": FINE, "pace": 1e300}, "ValidationError", "BAD_USER_INPUT", [INPUT, "pace"]),
    ({"scenario": FINE, "injectFailures": [""]}, "ValidationError", "BAD_USER_INPUT", [INPUT, "injectFailures", "0"]),
    (
        {"scenario": FINE, "injectFailures": ["tool_api_timeout", "no_such_code"]},
        "ValidationError",
        "BAD_USER_INPUT",
        [INPUT, "injectFailures", "1"],
    ),
    (
        {"scenario": FINE, "injectFailures": ["\ud800"]},
        "ValidationError",
        "BAD_USER_INPUT",
        [INPUT, "injectFailures", "0"],
    ),
    (
        {"scenario": FINE, "injectFailures": ["tool_api_timeout"] * 51},
        "ValidationError",
        "BAD_USER_INPUT",
        [INPUT, "injectFailures"],
    ),
    (
        {"scenario": FINE, "failures": "NONE", "injectFailures": ["tool_api_timeout"]},
        "ValidationError",
        "BAD_USER_INPUT",
        [INPUT, "injectFailures"],
    ),
    ({"scenario": FINE, "idempotencyKey": ""}, "ValidationError", "BAD_USER_INPUT", [INPUT, "idempotencyKey"]),
    ({"scenario": FINE, "idempotencyKey": "k" * 201}, "ValidationError", "BAD_USER_INPUT", [INPUT, "idempotencyKey"]),
    ({"scenario": FINE, "idempotencyKey": "\0"}, "ValidationError", "BAD_USER_INPUT", [INPUT, "idempotencyKey"]),
    ({"scenario": FINE, "idempotencyKey": "\ud800"}, "ValidationError", "BAD_USER_INPUT", [INPUT, "idempotencyKey"]),
]


async def test_simulate_refuses(client: Client) -> None:
    for sent, kind, code, path in SIMULATE:
        payload = await client.do("simulate", "simulation { id }", sent)
        (error,) = payload["errors"]
        shown = (payload["simulation"], error["__typename"], error["code"], error["path"])
        assert shown == (None, kind, code, path), sent
        assert error["message"][-1] == "."
        if kind == "NotFoundError":
            value: Any = {INPUT: sent}
            for word in path:
                value = value[word]
            assert error["resourceId"] == (value or None)
    scenarios = await client.get("{ scenarios { totalCount } }")
    assert scenarios["scenarios"]["totalCount"] == 0, "nothing is left behind"


MISFITS: list[dict[str, Any]] = [
    {},
    {"scenario": {}},
    {"scenario": None},
    {"scenario": {"text": None}},
    {"scenario": {"text": "a", "scenarioId": "b"}},
    {"scenario": {"text": 5}},
    {"scenario": {"words": "a"}},
    {"scenario": FINE, "seed": 2**31},
    {"scenario": FINE, "seed": -(2**31) - 1},
    {"scenario": FINE, "seed": 1.5},
    {"scenario": FINE, "seed": "1"},
    {"scenario": FINE, "pace": "fast"},
    {"scenario": FINE, "pace": float("nan")},
    {"scenario": FINE, "pace": float("inf")},
    {"scenario": FINE, "failures": "SOME"},
    {"scenario": FINE, "waitFor": "DONE"},
    {"scenario": FINE, "injectFailures": [None]},
    {"scenario": FINE, "unknown": 1},
]


async def test_what_does_not_fit_the_schema_is_refused_before(client: Client) -> None:
    document = "mutation($i: SimulateInput!) { simulate(input: $i) { errors { code } } }"
    for sent in MISFITS:
        answer = await client.ask(document, {"i": sent})
        assert (answer.data, set(answer.codes)) == (None, {"BAD_USER_INPUT"}), sent


async def test_nulls_mean_the_defaults(client: Client) -> None:
    nulls = dict.fromkeys(
        ("environmentId", "packageDigest", "seed", "pace", "failures", "injectFailures", "waitFor", "idempotencyKey")
    )
    payload = await client.do("simulate", "simulation { status seed architecture { id } }", {"scenario": FINE, **nulls})
    assert payload["errors"] == []
    assert payload["simulation"]["architecture"], "waited until planned"


NO_SIMULATIONS = ["", "nonsense", "\0", "\ud800", SCENARIO, SIMULATION, "A" * 10_000]


async def test_verbs_on_what_does_not_exist(client: Client) -> None:
    for unknown in NO_SIMULATIONS:
        for verb, result, sent in (
            ("cancelSimulation", "simulation { id }", {"simulationId": unknown}),
            ("deleteScenario", "deletedId", {"scenarioId": SIMULATION if unknown == SCENARIO else unknown}),
            ("injectFailure", "simulation { id }", {"simulationId": unknown, "code": "tool_api_timeout"}),
        ):
            (name,) = [name for name in sent if name.endswith("Id")]
            payload = await client.do(verb, result, sent)
            (error,) = payload["errors"]
            told = (error["__typename"], error["code"], error["path"])
            assert told == ("NotFoundError", "NOT_FOUND", [INPUT, name]), sent
            assert error["resourceId"] == (None if unknown in {"", "\ud800"} else sent[name])
            assert UNKNOWN not in error["message"]


async def test_a_stream_of_what_does_not_exist(client: Client) -> None:
    for unknown in NO_SIMULATIONS:
        with pytest.raises(ValueError, match="NOT_FOUND"):
            await client.watch(unknown)


NO_INJECTIONS = [
    ({"code": "no_such_code"}, "code"),
    ({"code": ""}, "code"),
    ({"code": "\ud800"}, "code"),
    ({"code": "tool_api_timeout", "target": "nobody"}, "target"),
    ({"code": "tool_api_timeout", "target": ""}, "target"),
    ({"code": "tool_api_timeout", "target": "\ud800"}, "target"),
    ({"code": "tool_api_timeout", "idempotencyKey": ""}, "idempotencyKey"),
    ({"code": "tool_api_timeout", "idempotencyKey": "\0"}, "idempotencyKey"),
]


async def test_inject_failure_refuses(client: Client) -> None:
    shown = await client.do("simulate", "simulation { id }", {"scenario": FINE})
    for sent, field in NO_INJECTIONS:
        given_input = {"simulationId": shown["simulation"]["id"], **sent}
        payload = await client.do("injectFailure", "simulation { id }", given_input)
        (error,) = payload["errors"]
        told = (error["__typename"], error["code"], error["path"])
        assert told == ("ValidationError", "BAD_USER_INPUT", [INPUT, field]), sent


NO_STRETCHES = [
    "events(first: 0) { lastSeq }",
    "events(first: 1001) { lastSeq }",
    "events(after: -1) { lastSeq }",
    "events(after: 2147483648) { lastSeq }",
    "events(kinds: [NO_SUCH_KIND]) { lastSeq }",
    "observability { logs(first: 0) { seq } }",
    "observability { logs(first: 1001) { seq } }",
    "observability { logs(afterSeq: -1) { seq } }",
    "observability { logs(minLevel: LOUD) { seq } }",
    "observability { metrics(names: [null]) { name } }",
]


async def test_a_stretch_that_cannot_be_is_refused(client: Client) -> None:
    shown = await client.do("simulate", "simulation { id }", {"scenario": FINE})
    for call in NO_STRETCHES:
        document = f"query($id: ID!) {{ simulation(id: $id) {{ {call} }} }}"
        answer = await client.ask(document, {"id": shown["simulation"]["id"]})
        assert not (answer.data or {}).get("simulation"), call
        assert answer.codes == ["BAD_USER_INPUT"], call


async def test_a_stream_from_before_the_beginning_is_refused(client: Client) -> None:
    with pytest.raises(ValueError, match="BAD_USER_INPUT"):
        await client.watch(SIMULATION, after=-1)


EVERYWHERE = """
query($id: ID!, $text: String!, $int: Int) {
  node(id: $id) { id }
  nodes(ids: [$id, $id]) { id }
  simulation(id: $id) { id }
  simulations(filter: { scenarioId: $id, environmentId: $id }) { totalCount }
  a: scenarios(after: $text) { totalCount }
  b: simulations(before: $text) { totalCount }
  c: scenarios(search: $text) { totalCount }
  d: scenarios(first: $int) { totalCount }
}
"""
VERBS = """
mutation($id: ID!, $text: String!) {
  cancelSimulation(input: { simulationId: $id }) { errors { code } }
  deleteScenario(input: { scenarioId: $id }) { errors { code } }
  injectFailure(input: { simulationId: $id, code: $text, target: $text, idempotencyKey: $text }) { errors { code } }
  simulate(input: { scenario: { scenarioId: $id }, injectFailures: [$text], idempotencyKey: $text }) { errors { code } }
}
"""


def test_any_text_gets_a_typed_answer(client: Client, runner: asyncio.Runner) -> None:
    @settings(max_examples=40, deadline=None)
    @given(text=st.text(st.characters(), max_size=40), number=st.integers(-(2**31), 2**31 - 1))
    def check(text: str, number: int) -> None:
        read = runner.run(client.ask(EVERYWHERE, {"id": text, "text": text, "int": number}))
        assert set(read.codes) <= {"BAD_USER_INPUT"}
        done = runner.run(client.get(VERBS, {"id": text, "text": text}))
        codes = {error["code"] for payload in done.values() for error in payload["errors"]}
        assert codes == {"NOT_FOUND"}

    check()
