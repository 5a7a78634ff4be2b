"""Documents by their ids: of a manifest, and as Apollo's and urql's clients teach them to the server."""

from typing import Any

import httpx
import pytest

from app.graphql.trusted import TrustedDocuments, hash_of
from tests.server.sockets import open_socket
from tests.server.test_streams import SSE, sse
from tests.server.world import Serving, World, tiny_app

HELLO = 'query Hello($name: String = "you") { hello(name: $name) }'
BUMP = "mutation { bump(input: {by: 0}) }"
COUNT = "subscription { count(to: 2) }"
MANIFEST = {hash_of(HELLO): HELLO, "sha256:" + hash_of(BUMP): BUMP, "d41d8cd98f00b204e9800998ecf8427e": COUNT}
GRAPHQL = {"Accept": "application/graphql-response+json"}
UNKNOWN = hash_of("{ other }")


def serving(mode: Any, manifest: dict[str, str] | None = None) -> Serving:
    return Serving(tiny_app(World(), documents=TrustedDocuments(mode, manifest)))


def apollo(hash_: str, **fields: object) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_}}, **fields}


def post(serving: Serving, **fields: object) -> httpx.Response:
    token = fields.pop("token", None)
    headers = {**GRAPHQL, **({"Authorization": f"Bearer {token}"} if token else {})}
    return httpx.post(serving.url, json=fields, headers=headers)


def problem(response: httpx.Response) -> tuple[int, str, str]:
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


@pytest.mark.parametrize("mode", ["allow", "only"])
def test_a_document_of_the_manifest_runs_by_any_of_its_ids(mode: str) -> None:
    with serving(mode, MANIFEST) as server:
        for id_ in (hash_of(HELLO), "sha256:" + hash_of(HELLO)):
            asked = {"documentId": id_, "variables": {"name": "me"}, "operationName": "Hello"}
            assert post(server, **asked).json()["data"] == {"hello": "hello me"}
            assert post(server, **asked, query=HELLO).json()["data"] == {"hello": "hello me"}
            got = httpx.get(server.url, params={"documentId": id_, "variables": '{"name": "me"}'}, headers=GRAPHQL)
            assert got.json()["data"] == {"hello": "hello me"}
        assert post(server, **apollo(hash_of(HELLO))).json()["data"] == {"hello": "hello you"}
        assert "errors" not in post(server, documentId=hash_of(BUMP)).json()
        assert httpx.get(server.url, params={"documentId": hash_of(BUMP)}, headers=GRAPHQL).status_code == 405
        named = {"documentId": "d41d8cd98f00b204e9800998ecf8427e"}
        assert [data for _, data in sse(httpx.post(server.url, json=named, headers=SSE))] == [
            *({"data": {"count": 1}}, {"data": {"count": 2}}),
            None,
        ]
        got = httpx.get(server.url, params=named, headers=SSE)
        assert len(sse(got)) == 3


def test_where_only_the_manifest_runs_nothing_else_does() -> None:
    words = "Only documents of this server's manifest are run here."
    refused = (400, "PERSISTED_DOCUMENT_NOT_FOUND", words)
    with serving("only", MANIFEST) as server:
        assert post(server, query=HELLO).json()["data"] == {"hello": "hello you"}  # the text itself is as good
        for fields in (
            {"query": "{ hello }"},
            {"query": HELLO + " "},
            {"query": "{ __schema { queryType { name } } }"},
            {"documentId": UNKNOWN},
            {"documentId": UNKNOWN, "query": "{ other }"},
            apollo(UNKNOWN),
            apollo(UNKNOWN, query="{ other }"),
        ):
            assert problem(post(server, **fields)) == refused
        assert problem(httpx.get(server.url, params={"query": "{ hello }"}, headers=GRAPHQL)) == refused
        (_, told), end = sse(httpx.post(server.url, json={"query": "{ hello }"}, headers=SSE))
        assert (told["errors"][0]["message"], end) == (words, ("complete", None))
        with open_socket(server.ws_url) as socket:
            socket.initialise()
            socket.send({"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}})
            message = socket.receive()
            assert (message["type"], message["payload"][0]["message"]) == ("error", words)
            socket.send({"type": "subscribe", "id": "1", "payload": {"documentId": hash_of(HELLO)}})
            assert socket.receive()["payload"]["data"] == {"hello": "hello you"}


@pytest.mark.parametrize("mode", ["allow", "only"])
def test_an_id_with_another_documents_text_is_a_mistake(mode: str) -> None:
    with serving(mode, MANIFEST) as server:
        for fields in (
            {"documentId": hash_of(HELLO), "query": BUMP},
            {"documentId": "d41d8cd98f00b204e9800998ecf8427e", "query": HELLO},
            apollo(hash_of(HELLO), query="{ hello }"),
        ):
            assert problem(post(server, **fields))[:2] == (400, "BAD_USER_INPUT")
        with open_socket(server.ws_url) as socket:
            socket.initialise()
            socket.subscribe("1", "{ hello }", documentId=hash_of(HELLO))
            assert socket.receive()["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    with serving("allow") as server:
        assert problem(post(server, **apollo(UNKNOWN, query="{ hello }")))[:2] == (400, "BAD_USER_INPUT")


def test_a_document_is_learnt_with_its_hash_and_by_its_tenant_alone() -> None:
    hash_ = hash_of("{ hello }")
    not_found = (400, "PERSISTED_DOCUMENT_NOT_FOUND", "PersistedQueryNotFound")
    with serving("allow") as server:
        assert problem(post(server, **apollo(hash_))) == not_found
        assert post(server, **apollo(hash_, query="{ hello }")).json()["data"] == {"hello": "hello world"}
        assert post(server, **apollo(hash_)).json()["data"] == {"hello": "hello world"}
        assert post(server, documentId=f"sha256:{hash_}").json()["data"] == {"hello": "hello world"}
        assert problem(post(server, **apollo(hash_), token="other")) == not_found
        plainly = httpx.post(server.url, json=apollo(UNKNOWN), headers={"Accept": "application/json"})
        assert problem(plainly) == (200, *not_found[1:])


def test_nothing_is_learnt_that_is_not_valid() -> None:
    broken = "{ nothing }"
    with serving("allow") as server:
        assert problem(post(server, **apollo(hash_of(broken), query=broken)))[1] == "GRAPHQL_VALIDATION_FAILED"
        assert problem(post(server, **apollo(hash_of(broken))))[1] == "PERSISTED_DOCUMENT_NOT_FOUND"


def test_switched_off_ids_are_nothing() -> None:
    with serving("off", MANIFEST) as server:
        assert problem(post(server, **apollo(hash_of(HELLO)))) == (
            *(400, "PERSISTED_DOCUMENT_NOT_FOUND"),
            "PersistedQueryNotSupported",
        )
        assert problem(post(server, documentId=hash_of(HELLO)))[1] == "PERSISTED_DOCUMENT_NOT_FOUND"
        assert post(server, query=HELLO, documentId=UNKNOWN).json()["data"] == {"hello": "hello you"}


@pytest.mark.parametrize(
    "fields",
    [
        {"documentId": 5},
        {"documentId": ["x"]},
        {"documentId": ""},
        {"extensions": {"persistedQuery": 5}},
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": UNKNOWN}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 5}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": ""}}},
    ],
)
def test_a_malformed_id_is_refused(serving: Serving, fields: dict[str, Any]) -> None:
    assert problem(post(serving, **fields))[:2] == (400, "BAD_USER_INPUT")
    with open_socket(serving.ws_url) as socket:
        socket.initialise()
        socket.send({"type": "subscribe", "id": "1", "payload": fields})
        assert socket.closing()[0] == 4400
