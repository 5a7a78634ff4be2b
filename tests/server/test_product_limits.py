"""The product with limits set: what its queries cost, REST included, and that only known documents run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.graphql.trusted import hash_of
from tests.processes import Api

LIMIT = 3_000
"""Fifty points come back in a second, and a client that keeps on asking spends several hundred."""
PAGE = "{ scenarios(first: 100) { nodes { id } } rateLimit { limit cost remaining used resetAt } }"
RATE = "{ rateLimit { limit cost remaining used resetAt } }"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = {"WINDTUNNEL_DATA_DIR": str(tmp_path_factory.mktemp("limited")), "WINDTUNNEL_RATE_LIMIT": str(LIMIT)}
    with Api(settings) as api, httpx.Client(base_url=api.url, timeout=60) as client:
        yield client


def ask(client: httpx.Client, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/graphql", json={"query": query}).json()
    return answer


def test_pages_cost_their_rows_and_the_query_tells_the_same_as_the_answer(limited: httpx.Client) -> None:
    before = ask(limited, RATE)["data"]["rateLimit"]
    answer = ask(limited, PAGE)
    cost, told = answer["extensions"]["cost"], answer["data"]["rateLimit"]
    assert told["cost"] == cost["requested"] == 101
    assert told["limit"] == cost["limit"] == LIMIT
    assert told["remaining"] == cost["remaining"] == LIMIT - told["used"]
    assert told["resetAt"] == cost["resetAt"] > before["resetAt"]
    assert before["remaining"] - 101 <= told["remaining"] <= LIMIT


def test_rest_pays_too_until_nothing_is_left_and_the_probes_answer_all_the_same(limited: httpx.Client) -> None:
    for dear in ("{ scenarios(first: 100) { nodes { id } } }", RATE):
        while "errors" not in (answer := ask(limited, dear)):
            continue
        assert answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    refused = [
        limited.post("/simulate", json={"scenario": "Sort each message by topic."}),
        limited.post("/simulate", json={}),
    ]
    for response in refused:
        assert response.status_code == 429
        assert 0 < int(response.headers["retry-after"]) <= 60
        assert response.json()["error"]["code"] == "RATE_LIMITED"
    for path in ("/healthz", "/readyz", "/metrics"):
        assert limited.get(path).status_code == 200


def test_only_known_documents_run_and_there_is_no_page_to_write_others(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({hash_of(RATE): RATE}), "utf-8")
    settings = {
        "WINDTUNNEL_DATA_DIR": str(tmp_path),
        "WINDTUNNEL_DOCUMENTS": "only",
        "WINDTUNNEL_DOCUMENT_MANIFEST": str(tmp_path / "manifest.json"),
    }
    with Api(settings) as api, httpx.Client(base_url=api.url) as client:
        known = client.post("/graphql", json={"documentId": f"sha256:{hash_of(RATE)}"}).json()
        assert known["extensions"] == {"cost": {"requested": 1}}
        unlimited = known["data"]["rateLimit"]
        assert (unlimited["limit"], unlimited["remaining"], unlimited["used"], unlimited["cost"]) == (
            *(2147483647, 2147483647),
            *(0, 1),
        )
        assert ask(client, "{ health { status } }")["errors"][0]["extensions"]["code"] == "PERSISTED_DOCUMENT_NOT_FOUND"
        assert client.get("/graphql", headers={"Accept": "text/html"}).status_code == 404
