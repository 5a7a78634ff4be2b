"""The GraphiQL page: its policy, its assets, and what it says before it is built."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from graphql import parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.graphiql.page import TABS, GraphiQLPage
from schema.root import build_schema
from tests.server.nodes import missing
from tests.server.world import Serving


def client(directory: Path) -> TestClient:
    page = GraphiQLPage(directory)

    async def respond(request: Request) -> Response:
        return page.respond(request)

    return TestClient(Starlette(routes=[Route("/graphql", respond), Route("/graphiql/{name}", page.asset)]))


@pytest.fixture(scope="module")
def bundle() -> Path:
    from app.graphiql.build import OUTPUT

    if not (OUTPUT / "manifest.json").exists():
        missing("GraphiQL is not built: make graphiql")
    return OUTPUT


@pytest.fixture
def built(bundle: Path) -> Iterator[TestClient]:
    with client(bundle) as built:
        yield built


def test_without_a_bundle_the_page_says_how_to_build_it(tmp_path: Path) -> None:
    response = client(tmp_path).get("/graphql")
    assert response.status_code == 200
    assert "make graphiql" in response.text
    assert "<script" not in response.text


def test_the_page_asks_for_nothing_but_its_own_assets(built: TestClient) -> None:
    page = built.get("/graphql").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    for address in addresses:
        if not address.startswith("data:"):
            assert built.get(f"/{address}").status_code == 200
    assert "https://" not in page.replace("http-equiv", "")


def test_the_policy_names_this_server_only(built: TestClient) -> None:
    policy = built.get("/graphql", headers={"Host": "127.0.0.1:8000"}).headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; worker-src 'self'" in policy
    assert "connect-src 'self' ws://127.0.0.1:8000 wss://127.0.0.1:8000" in policy
    strange = built.get("/graphql", headers={"Host": "a; script-src *"}).headers["content-security-policy"]
    assert "script-src *" not in strange


def test_assets_are_packed_and_kept_for_ever(built: TestClient, bundle: Path) -> None:
    script = json.loads((bundle / "manifest.json").read_text("utf-8"))["script"]
    packed = built.get(f"/graphiql/{script}", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"].startswith("text/javascript")
    assert "immutable" in packed.headers["cache-control"]
    plain = built.get(f"/graphiql/{script}", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content


def test_the_licences_of_what_is_bundled_are_served(built: TestClient) -> None:
    licences = built.get("/graphiql/THIRD_PARTY_LICENSES.txt").text
    for package in ("graphiql ", "graphql ", "monaco-editor ", "react ", "graphql-ws "):
        assert re.search(rf"^{package}\d", licences, re.MULTILINE), package
    assert licences.count("Permission is hereby granted") > 50


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "manifest.json",
        "..%2Fpage.py",
        "%2e%2e/__init__.py",
        "%2Fetc%2Fpasswd",
        ".npmrc",
        "a%00.js",
        "a" * 300 + ".js",
    ],
)
def test_nothing_else_is_served(built: TestClient, name: str) -> None:
    assert built.get(f"/graphiql/{name}").status_code == 404


def test_the_tabs_fit_the_schema_and_the_window() -> None:
    schema = build_schema()._schema
    documents = sorted(TABS.glob("*.graphql"))
    assert [document.stem for document in documents] == ["1-simulate", "2-watch"]
    for document in documents:
        text = document.read_text("utf-8")
        assert validate(schema, parse(text)) == []
        assert max(map(len, text.splitlines())) <= 56
    for variables in TABS.glob("*.json"):
        assert isinstance(json.loads(variables.read_text("utf-8")), dict)


def test_a_browser_gets_the_page_and_a_program_an_answer(http: httpx.Client, serving: Serving) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    for address in ("/graphql", "/graphql?query={hello}"):
        response = http.get(address, headers={"Accept": browser})
        assert response.headers["content-type"].startswith("text/html")
    assert http.get("/graphql?query={hello}").json()["data"] == {"hello": "hello world"}
    assert http.get("/graphql").status_code == 400
