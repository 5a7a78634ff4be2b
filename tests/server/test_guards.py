"""Who may ask: names of this machine, pages of this origin; and headers that keep browsers careful."""

import asyncio

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from app.guards import Guards
from tests.server.world import Serving

ASK = {"query": "{ hello }"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("[::1]:8000", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:8000", 403),
        ("evil.example:127.0.0.1", 403),
        ("127.0.0.1@evil.example", 403),
        ("[::1", 403),
        ("0.0.0.0", 403),
        ("evil.example@localhost", 403),
        ("localhost/evil", 403),
        ("localhost?evil", 403),
        ("localhost#evil", 403),
        ("localhost:", 403),
        ("localhost:http", 403),
        ("localhost, evil.example", 403),
        ("", 403),
    ],
)
def test_only_names_of_this_machine_are_answered(http: httpx.Client, host: str, status: int) -> None:
    for response in (
        http.post("/graphql", json=ASK, headers={"Host": host}),
        http.get("/graphql", params=ASK, headers={"Host": host}),
    ):
        assert response.status_code == status
        if status == 403:
            assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("hosts", "loopback_only", "status"),
    [
        (["localhost"], True, 200),
        (["localhost", "evil.example"], True, 403),
        (["localhost", "localhost"], True, 403),
        ([], True, 403),
        (["windtunnel_api:8000"], False, 200),
        (["user@windtunnel.example"], False, 403),
        (["windtunnel.example", "evil.example"], False, 403),
        ([], False, 200),  # an HTTP/1.0 health check
    ],
)
def test_there_must_be_one_plain_host(hosts: list[str], loopback_only: bool, status: int) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    headers = [(b"host", host.encode()) for host in hosts]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    asyncio.run(Guards(Response(), loopback_only=loopback_only)(scope, receive, send))
    assert sent[0]["status"] == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1", 403),
        ("http://localhost:{port}", 403),
        ("http://127.0.0.1:{port}", 200),
        ("https://studio.example", 200),
        ("https://STUDIO.example", 200),
        ("https://studio.example:444", 403),
        ("https://studio.example.evil.example", 403),
        ("", 403),
    ],
)
def test_only_pages_of_this_origin_or_an_allowed_one_may_post(
    http: httpx.Client, serving: Serving, origin: str, status: int
) -> None:
    headers = {"Origin": origin.format(port=serving.port)}
    assert http.post("/graphql", json=ASK, headers=headers).status_code == status
    assert http.get("/graphql", params=ASK, headers=headers).status_code == 200  # changes nothing, and cannot be read


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Mode": "cors", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Mode": "cors", "Origin": "https://studio.example"}, 200),
        ({"Sec-Fetch-Mode": "navigate", "Accept": "text/html,*/*;q=0.8"}, 200),
    ],
)
def test_pages_of_other_origins_may_not_read_either(
    http: httpx.Client, site: str, headers: dict[str, str], status: int
) -> None:
    sent = {**headers, "Sec-Fetch-Site": site}
    answer = http.get("/graphql", params=ASK, headers=sent)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html" if "Accept" in headers else "application/json")
    stream = http.get("/simulations/x/events", headers=sent)
    assert (stream.status_code == 403) == (headers.get("Origin") != "https://studio.example")
    for own in ("same-origin", "none"):
        assert http.get("/graphql", params=ASK, headers={"Sec-Fetch-Site": own}).status_code == 200


@pytest.mark.parametrize(("graphiql", "status"), [(True, 200), (False, 403)])
def test_where_there_is_no_page_nobody_is_sent_to_it(graphiql: bool, status: int) -> None:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await Response()(scope, receive, send)

    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    async def follow() -> int:
        transport = httpx.ASGITransport(Guards(page, loopback_only=True, graphiql=graphiql))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
            assert (await browser.get("/healthz", headers=headers)).status_code == 200
            return (await browser.get("/graphql", params=ASK, headers=headers)).status_code

    assert asyncio.run(follow()) == status


def test_every_answer_carries_the_security_headers(http: httpx.Client) -> None:
    for response in (
        http.post("/graphql", json=ASK),
        http.post("/graphql", json=ASK, headers={"Host": "evil.example"}),
        http.get("/nothing"),
        http.get("/graphql", headers={"Accept": "text/html"}),
    ):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "same-origin"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-request-id"]
        assert "server" not in response.headers


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", "line\tbreak", "ümläut-12"])
def test_a_request_id_that_could_confuse_a_log_is_replaced(http: httpx.Client, given: str) -> None:
    headers = {b"X-Request-Id": given.encode("latin-1")}
    response = http.post("/graphql", json={"query": "{ request }"}, headers=headers)
    assert response.headers["x-request-id"] != given
    assert response.json()["data"]["request"] == response.headers["x-request-id"]


async def broken(*_: object) -> None:
    raise RecursionError


@pytest.mark.parametrize("is_closed", [False, True])
async def test_a_socket_that_meets_a_defect_is_closed_and_not_cut(is_closed: bool) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        if is_closed:
            raise RuntimeError("after sending 'websocket.close'")
        sent.append(message)

    scope = {"type": "websocket", "path": "/graphql", "headers": [(b"host", b"localhost")]}
    with capture_logs() as logs:
        await Guards(broken, loopback_only=True)(scope, nothing, send)
    assert [(line["event"], line["path"]) for line in logs] == [("defect", "/graphql")]
    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", 1011)][is_closed:]


async def nothing() -> Message:
    raise AssertionError
