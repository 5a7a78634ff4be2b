"""Bad input to the product over HTTP: an answer with a code, never a 500, a trace or a dead server."""

import json
from typing import Any

import httpx
import pytest

SIMULATE = "mutation ($input: SimulateInput!) { simulate(input: $input) { simulation { id } errors { code path } } }"
TEXT = {"text": "Answer support mail."}
NOTHING = "U2ltdWxhdGlvbjowMTkzZjNhMi0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA"

USER_ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({"scenario": {"text": ""}}, "SCENARIO_EMPTY"),
    "white space": ({"scenario": {"text": " \n\t\u3000"}}, "SCENARIO_EMPTY"),
    "zero width": ({"scenario": {"text": "\u200b\u200d\ufeff"}}, "SCENARIO_EMPTY"),
    "too long": ({"scenario": {"text": "x" * 20_001}}, "BAD_USER_INPUT"),
    "NUL": ({"scenario": {"text": "a\x00b"}}, "BAD_USER_INPUT"),
    "NUL in a key": ({"scenario": TEXT, "idempotencyKey": "\x00"}, "BAD_USER_INPUT"),
    "an empty key": ({"scenario": TEXT, "idempotencyKey": ""}, "BAD_USER_INPUT"),
    "a negative pace": ({"scenario": TEXT, "pace": -1}, "BAD_USER_INPUT"),
    "an unknown failure": ({"scenario": TEXT, "injectFailures": ["no_such\x00"]}, "BAD_USER_INPUT"),
    "too many failures": ({"scenario": TEXT, "injectFailures": ["x"] * 51}, "BAD_USER_INPUT"),
    "an unknown scenario": ({"scenario": {"scenarioId": NOTHING}}, "NOT_FOUND"),
    "no id": ({"scenario": {"scenarioId": "\u0000\U0001f600"}}, "NOT_FOUND"),
    "an unknown architecture": ({"scenario": {"architectureId": "x" * 10_000}}, "NOT_FOUND"),
    "an environment": ({"scenario": TEXT, "environmentId": "x"}, "NOT_FOUND"),
    "a package": ({"scenario": TEXT, "packageDigest": "x"}, "NOT_FOUND"),
}

REQUEST_ERRORS: dict[str, Any] = {
    "no input": {},
    "two scenarios": {"input": {"scenario": {"text": "a", "scenarioId": "b"}}},
    "no scenario": {"input": {"scenario": {}}},
    "a null text": {"input": {"scenario": {"text": None}}},
    "a number for a text": {"input": {"scenario": {"text": 5}}},
    "a list for a text": {"input": {"scenario": {"text": ["x"]}}},
    "an unknown field": {"input": {"scenario": TEXT, "unknown": 1}},
    "an unknown enum value": {"input": {"scenario": TEXT, "waitFor": "FOREVER"}},
    "a seed beyond 32 bits": {"input": {"scenario": TEXT, "seed": 2**31}},
    "a seed that is no number": {"input": {"scenario": TEXT, "seed": "7"}},
    "a pace that is no number": {"input": {"scenario": TEXT, "pace": "fast"}},
    "a list for an input": {"input": [TEXT] * 100},
}

QUERIES = {
    "a node that is none": '{ node(id: "x") { id } }',
    "a foreign id": f'{{ simulation(id: "{NOTHING}") {{ id }} scenario(id: "{NOTHING}") {{ id }} }}',
    "NUL in an id": '{ node(id: "\\u0000") { id } nodes(ids: ["\\u0000", ""]) { id } }',
    "a page too large": "{ simulations(first: 101) { totalCount } }",
    "a negative page": "{ scenarios(first: -1) { totalCount } }",
    "both ends": "{ scenarios(first: 1, last: 1) { totalCount } }",
    "a bad cursor": '{ scenarios(after: "\\u0000") { totalCount } simulations(before: "!!") { totalCount } }',
    "a search with NUL": '{ scenarios(search: "\\u0000%_\\\\") { totalCount } }',
    "a bad date": '{ simulations(filter: {createdAfter: "yesterday"}) { totalCount } }',
    "bad ids to mutations": 'mutation { cancelSimulation(input: {simulationId: "\\u0000"}) { errors { code } } '
    'deleteScenario(input: {scenarioId: ""}) { errors { code } } '
    'injectFailure(input: {simulationId: "x", code: "\\u0000"}) { errors { code } } }',
}


def post(rest: httpx.Client, **body: Any) -> httpx.Response:
    return rest.post("/graphql", json=body, headers={"Accept": "application/graphql-response+json"})


@pytest.mark.parametrize("case", USER_ERRORS)
def test_an_expected_failure_is_data(rest: httpx.Client, case: str) -> None:
    given, code = USER_ERRORS[case]
    response = post(rest, query=SIMULATE, variables={"input": given})
    assert response.status_code == 200
    payload = response.json()["data"]["simulate"]
    assert payload["simulation"] is None
    assert [error["code"] for error in payload["errors"]] == [code]
    assert payload["errors"][0]["path"][0] == "input"


@pytest.mark.parametrize("case", REQUEST_ERRORS)
def test_a_value_of_the_wrong_type_is_a_bad_request(rest: httpx.Client, case: str) -> None:
    response = post(rest, query=SIMULATE, variables=REQUEST_ERRORS[case])
    assert response.status_code == 400
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("case", QUERIES)
def test_an_odd_question_gets_an_answer_or_a_code(rest: httpx.Client, case: str) -> None:
    response = post(rest, query=QUERIES[case])
    assert response.status_code in {200, 400}
    codes = {error["extensions"]["code"] for error in response.json().get("errors", [])}
    assert codes <= {"BAD_USER_INPUT", "NOT_FOUND", "GRAPHQL_VALIDATION_FAILED"}
    assert "Traceback" not in response.text
    assert "INTERNAL" not in json.dumps(response.json())


def test_the_server_is_well_after_all_that(rest: httpx.Client) -> None:
    assert rest.get("/readyz").json()["status"] == "ready"
    assert 'status="5' not in rest.get("/metrics").text
