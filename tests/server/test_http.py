"""GraphQL over HTTP: media types, statuses, and an error with a code for whatever is wrong."""

from typing import Any

import httpx
import pytest

from tests.server.world import SECRET

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


def post(http: httpx.Client, query: str, accept: str = GRAPHQL, **fields: Any) -> httpx.Response:
    return http.post("/graphql", json={"query": query, **fields}, headers={"Accept": accept})


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (GRAPHQL, GRAPHQL),
        (JSON, JSON),
        ("*/*", JSON),
        ("", JSON),
        ("application/*", JSON),
        (f"{JSON};q=0.5, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed", GRAPHQL),  # urql
        (f"{GRAPHQL},{JSON};q=0.9", GRAPHQL),  # Apollo
        ("text/plain, */*;q=0.1", JSON),
    ],
)
def test_the_answer_has_the_media_type_that_the_client_likes_best(
    http: httpx.Client, accept: str, media_type: str
) -> None:
    response = post(http, "{ hello }", accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.json()["data"] == {"hello": "hello world"}


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ hello", None, "GRAPHQL_PARSE_FAILED"),
        ("   ", None, "GRAPHQL_PARSE_FAILED"),
        ('{ hello(name: "\\uD800") }', None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ thing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID!) { echoId(id: $id) }", {}, "BAD_USER_INPUT"),
        ("query ($id: ID!) { echoId(id: $id) }", {"id": [1]}, "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", None, "BAD_USER_INPUT"),
        ("{" + "thing {" * 15 + "name" + "}" * 16, None, "QUERY_TOO_COMPLEX"),
        ("{" + " ".join(f"a{n}: hello" for n in range(51)) + "}", None, "QUERY_TOO_COMPLEX"),
        ("{" + " hello" * 501 + "}", None, "QUERY_TOO_COMPLEX"),
        ("{" + " hello" * 2001 + "}", None, "QUERY_TOO_COMPLEX"),
        ("{ echoId(id: " + "[" * 1900, None, "QUERY_TOO_COMPLEX"),
        ("{" + "thing {" * 900, None, "QUERY_TOO_COMPLEX"),
    ],
)
def test_what_cannot_be_executed_is_400_without_data(
    http: httpx.Client, query: str, variables: dict[str, Any] | None, code: str
) -> None:
    for accept, status in ((GRAPHQL, 400), (JSON, 200)):
        response = post(http, query, accept, variables=variables)
        assert response.status_code == status
        assert "data" not in response.json()
        assert set(codes(response)) == {code}


def test_an_unknown_operation_name_is_the_clients_mistake(http: httpx.Client) -> None:
    response = post(http, "query A { hello }", operationName="Z")
    assert response.status_code == 400
    assert codes(response) == ["BAD_USER_INPUT"]
    assert "Z" in response.json()["errors"][0]["message"]


def test_the_named_one_of_several_operations_is_executed(http: httpx.Client) -> None:
    for _ in range(2):  # from the cache, too
        response = post(http, 'query A { hello } query B { hello(name: "B") }', operationName="B")
        assert response.json()["data"] == {"hello": "hello B"}


def test_a_failing_field_is_null_beside_the_others(http: httpx.Client) -> None:
    response = post(http, "{ hello missing broken }")
    body = response.json()
    assert response.status_code == 200
    assert body["data"] == {"hello": "hello world", "missing": None, "broken": None}
    by_path = {error["path"][0]: error for error in body["errors"]}
    assert by_path["missing"]["message"] == "There is no such thing."
    assert by_path["missing"]["extensions"] == {"code": "NOT_FOUND"}


def test_a_defect_is_masked_and_findable_by_its_request_id(http: httpx.Client) -> None:
    response = http.post(
        "/graphql", json={"query": "{ broken tooLarge request }"}, headers={"X-Request-Id": "find-me-1"}
    )
    assert SECRET not in response.text
    assert response.headers["x-request-id"] == "find-me-1"
    assert response.json()["data"]["request"] == "find-me-1"
    for error in response.json()["errors"]:
        assert error["message"] == "Internal server error."
        assert error["extensions"] == {"code": "INTERNAL", "requestId": "find-me-1"}


def test_a_lone_surrogate_can_be_answered(http: httpx.Client) -> None:
    response = post(http, "{ loneSurrogate }")
    assert response.status_code == 200
    assert b'"\\ud800"' in response.content


@pytest.mark.parametrize("text", ["\\u0000", "\\u200b", "\U0001f600", "a\\u0000b", "\\ud83d\\ude00"])
def test_odd_characters_pass(http: httpx.Client, text: str) -> None:
    content = '{"query": "query ($n: String!) { hello(name: $n) }", "variables": {"n": "%s"}}' % text  # noqa: UP031
    response = http.post("/graphql", content=content.encode(), headers={"Content-Type": JSON})
    assert response.json()["data"]["hello"].startswith("hello ")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"5", 400),
        (b"null", 400),
        (b'"x"', 400),
        (b"[]", 400),
        (b'[{"query":"{hello}"}]', 400),
        (b"{}", 400),
        (b'{"query":null}', 400),
        (b'{"query":""}', 400),
        (b'{"query":5}', 400),
        (b'{"query":["{hello}"]}', 400),
        (b'{"query":"{hello}","variables":"x"}', 400),
        (b'{"query":"{hello}","variables":[1]}', 400),
        (b'{"query":"{hello}","operationName":5}', 400),
        (b'{"query":"{hello}","extensions":[]}', 400),
        (b'{"query":"{hello}","variables":{"n":"\\ud800"}}', 400),
        (b'{"query":"\xff\xfe{hello}"}', 400),
        (b'{"query":"{hello}"} trailing', 400),
        (b'{"variables":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}", 400),
        (b'{"query":"{hello}","variables":{"n":1e999}}', 400),
        (b'{"query":"{hello}","padding":"' + b"x" * 1024 * 1024 + b'"}', 413),
    ],
)
def test_a_bad_body_is_refused_with_a_code_in_both_media_types(http: httpx.Client, content: bytes, status: int) -> None:
    for accept in (JSON, GRAPHQL):
        response = http.post("/graphql", content=content, headers={"Content-Type": JSON, "Accept": accept})
        assert response.status_code == status
        assert response.headers["content-type"] == f"{accept}; charset=utf-8"
        assert codes(response) == ["LIMIT_EXCEEDED" if status == 413 else "BAD_USER_INPUT"]
        assert "data" not in response.json()


def test_a_body_without_a_length_is_limited_while_it_comes(http: httpx.Client) -> None:
    response = http.post("/graphql", content=(b"x" * 65536 for _ in range(40)), headers={"Content-Type": JSON})
    assert response.status_code == 413
    assert codes(response) == ["LIMIT_EXCEEDED"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_only_uncompressed_json_is_read(http: httpx.Client, headers: dict[str, str]) -> None:
    response = http.post("/graphql", content=b'{"query":"{hello}"}', headers=headers)
    assert response.status_code == 415
    assert codes(response) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405(http: httpx.Client, method: str) -> None:
    response = http.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert codes(response) == ["BAD_USER_INPUT"]


def test_an_answer_that_cannot_be_had_is_406(http: httpx.Client) -> None:
    response = post(http, "{ hello }", "application/xml")
    assert response.status_code == 406
    assert codes(response) == ["BAD_USER_INPUT"]


def test_queries_come_by_get(http: httpx.Client) -> None:
    response = http.get(
        "/graphql",
        params={"query": "query Q($n: String!) { hello(name: $n) }", "variables": '{"n":"get"}', "operationName": "Q"},
        headers={"Accept": JSON},
    )
    assert response.json()["data"] == {"hello": "hello get"}


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 400),
        ({"query": ""}, 400),
        ({"query": "{hello}", "variables": "{"}, 400),
        ({"query": "{hello}", "variables": "[]"}, 400),
        ({"query": "{hello}", "extensions": "5"}, 400),
        ({"query": "mutation { bump(input: {by: 1}) }"}, 405),
        ({"query": "subscription { wait }"}, 406),
    ],
)
def test_a_bad_get_is_refused(http: httpx.Client, params: dict[str, str], status: int) -> None:
    response = http.get("/graphql", params=params, headers={"Accept": JSON})
    assert response.status_code == status
    assert codes(response) == ["BAD_USER_INPUT"]


def test_a_mutation_by_get_names_the_method_to_use_and_changes_nothing(http: httpx.Client) -> None:
    before = post(http, "{ row }").json()
    response = http.get("/graphql", params={"query": "mutation { bump(input: {by: 1}) }"})
    assert response.headers["allow"] == "POST"
    assert post(http, "{ row }").json() == before


def test_each_operation_has_loaders_of_its_own(http: httpx.Client) -> None:
    before = post(http, "{ row }").json()["data"]["row"]
    assert post(http, "mutation { bump(input: {by: 3}) }").json()["data"] == {"bump": before + 3}
    assert post(http, "{ row }").json()["data"]["row"] == before + 3


def test_a_token_is_honoured_or_refused_but_never_ignored(http: httpx.Client) -> None:
    def who(authorization: str) -> httpx.Response:
        return http.post("/graphql", json={"query": "{ who }"}, headers={"Authorization": authorization})

    assert http.post("/graphql", json={"query": "{ who }"}).json()["data"]["who"] == "demo"
    assert who("Bearer other").json()["data"]["who"] == "other"
    assert who("bearer  other").json()["data"]["who"] == "other"
    for bad in ("Bearer wrong", "Bearer", "Basic b3RoZXI=", "other"):
        response = who(bad)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert codes(response) == ["UNAUTHENTICATED"]


def test_introspection_of_graphql_js_passes_the_limits(http: httpx.Client) -> None:
    from graphql import get_introspection_query

    response = post(http, get_introspection_query(input_value_deprecation=True, schema_description=True))
    assert response.status_code == 200
    assert response.json()["data"]["__schema"]["queryType"]["name"] == "Query"


def test_introspection_that_goes_round_in_circles_is_refused(http: httpx.Client) -> None:
    response = post(http, "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }")
    assert response.status_code == 400
    assert set(codes(response)) <= {"GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_COMPLEX"}
