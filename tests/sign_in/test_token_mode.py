"""`token`: without one there is the server's health and nothing else; with one you are its person, while it lasts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.processes import Api
from tests.server.sockets import open_socket
from tests.sign_in.world import GRAPHQL, NEWS, WHO, Client, command, eventually, kept_in
from windtunnel.domain.viewers import NO_ROLE

ADMIN = ("--tenant", "acme", "--user", "ada@acme.example", "--role", "ADMIN", "--role", "DEVELOPER")
INTROSPECTION = "{ __schema { queryType { name } } __typename }"
SIMULATE = 'mutation { simulate(input: { scenario: { text: "x" } }) { errors { code } } }'


@pytest.fixture(scope="module")
def server(settings: dict[str, str]) -> Iterator[Api]:
    """A server that wants tokens."""
    with Api({**settings, "WINDTUNNEL_AUTH": "token"}) as server:
        yield server


@pytest.fixture(scope="module")
def secrets() -> list[str]:
    """Every secret that was told."""
    return []


@pytest.fixture(scope="module")
def ada(server: Api, settings: dict[str, str], secrets: list[str]) -> Client:
    """An ADMIN, whose token was created beside the running server."""
    secrets.append(command(settings, "token", "create", *ADMIN))
    return Client(server, secrets[-1])


def issue(ada: Client, secrets: list[str], *roles: str, expires_at: datetime | None = None) -> tuple[Client, str]:
    issued = ada.do(
        "issueApiToken",
        "secret token { id }",
        name="robot",
        roles=roles or ["DEVELOPER"],
        expiresAt=expires_at and expires_at.isoformat(),
    )
    secrets.append(issued["secret"])
    return Client(ada.server, issued["secret"]), issued["token"]["id"]


def test_without_a_token_there_is_health_and_introspection(server: Api) -> None:
    nobody = Client(server)
    assert nobody.ask("{ health { status version } }")["health"]["status"] == "OK"
    assert nobody.ask(INTROSPECTION)["__schema"]["queryType"] == {"name": "Query"}
    for path in ("/healthz", "/readyz", "/metrics"):
        assert httpx.get(server.url + path).status_code == 200


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL])
@pytest.mark.parametrize("query", [WHO, "{ scenarios { totalCount } }", SIMULATE, '{ node(id: "x") { id } }'])
def test_without_a_token_nothing_else(server: Api, query: str, accept: str) -> None:
    answer = Client(server).post(query, accept)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"].startswith(accept)
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"UNAUTHENTICATED"}
    assert not any((answer.json()["data"] or {}).values())


def test_what_may_be_known_is_told_beside_the_refusal(server: Api) -> None:
    answer = Client(server).post('{ health { status } scenario(id: "x") { id } }')
    assert answer.status_code == 401
    assert answer.json()["data"] == {"health": {"status": "OK"}, "scenario": None}


@pytest.mark.parametrize(
    "authorization", ["Bearer wrong", "Bearer wt_" + "0" * 64, "Bearer", "", "Basic YTpi", "wt_" + "0" * 64]
)
def test_a_bad_token_is_refused_everywhere(server: Api, authorization: str) -> None:
    headers = {"Authorization": authorization}
    for query in ("{ health { status } }", INTROSPECTION, NEWS):
        answer = httpx.post(f"{server.url}/graphql", json={"query": query}, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    rest = httpx.post(f"{server.url}/simulate", json={"scenario": "x"}, headers=headers)
    assert (rest.status_code, rest.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    with open_socket(server.websocket_url) as socket:
        socket.send({"type": "connection_init", "payload": {"Authorization": authorization}})
        assert socket.closing()[0] == 4401


def test_streams_and_rest_want_a_token_too(server: Api) -> None:
    for method, path in (("POST", "/simulate"), ("GET", "/simulations/x/events")):
        answer = httpx.request(method, server.url + path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    streamed = Client(server).post(NEWS, "text/event-stream")
    assert (streamed.status_code, streamed.headers["www-authenticate"]) == (401, "Bearer")
    assert streamed.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    health = Client(server).post("{ health { status } }", "text/event-stream")
    assert health.status_code == 200
    assert health.text.endswith("event: complete\ndata: \n\n")
    with open_socket(server.websocket_url) as socket:
        socket.send({"type": "connection_init"})
        assert socket.refused() == 4401


def test_a_token_signs_its_person_in(ada: Client, secrets: list[str]) -> None:
    assert ada.who() == ("ada@acme.example", "acme", ["DEVELOPER", "ADMIN"])
    robot, _ = issue(ada, secrets)
    assert robot.who() == ("ada@acme.example", "acme", ["DEVELOPER"])
    with robot.following() as socket:
        assert socket.ask("3", WHO)["data"]["viewer"]["roles"] == ["DEVELOPER"]
    refused = robot.post('mutation { setMemberRoles(input: { email: "a@b.de", roles: [] }) { errors { code } } }')
    assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_use_is_noted(ada: Client, secrets: list[str]) -> None:
    _, id_ = issue(ada, secrets)
    robot = Client(ada.server, secrets[-1])

    def last_used() -> object:
        found = ada.ask("query($id: ID!) { node(id: $id) { ... on ApiToken { lastUsedAt } } }", id=id_)
        return found["node"]["lastUsedAt"]

    assert last_used() is None
    assert robot.who()
    eventually(lambda: last_used() is not None)


def test_a_revoked_token_is_refused_at_once_and_what_it_follows_ends(ada: Client, secrets: list[str]) -> None:
    robot, id_ = issue(ada, secrets)
    with robot.following() as socket, robot.events() as lines, ada.following() as mine:
        assert ada.do("revokeApiToken", "revokedId", tokenId=id_) == {"revokedId": id_}
        assert robot.who() is None
        assert socket.closing() == (4401, "Unauthorized: The token was revoked or has expired.")
        event, data, *end = list(lines)
        assert event == "event: next"
        (error,) = json.loads(data.removeprefix("data: "))["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert end == ["event: complete", "data: "]
        assert mine.ask("3", WHO)["data"]


def test_events_over_rest_end_too(ada: Client, secrets: list[str]) -> None:
    robot, id_ = issue(ada, secrets)
    scenario = {"text": "Customers write to a web shop. Sort each message by topic. Draft an answer."}
    started = robot.do("simulate", "simulation { id }", scenario=scenario, pace=0.001)["simulation"]
    address = f"{robot.server.url}/simulations/{started['id']}/events"
    with httpx.Client(timeout=60) as client, client.stream("GET", address, headers=robot.headers) as response:
        lines = response.iter_lines()
        assert next(lines).startswith("id: 1")
        ada.do("revokeApiToken", "revokedId", tokenId=id_)
        rest = [line for line in lines if line and not line.startswith(":")]
    assert rest[-2] == "event: error"
    assert json.loads(rest[-1].removeprefix("data: "))["code"] == "UNAUTHENTICATED"


def test_a_change_is_on_record_with_its_token_and_request(ada: Client, secrets: list[str]) -> None:
    robot, _ = issue(ada, secrets, "ADMIN")
    robot.headers["X-Request-Id"] = "request-12345678"
    cy = robot.do("setMemberRoles", "user { id }", email="cy@acme.example", roles=["AUDITOR"])["user"]
    found = ada.ask(
        "query($id: ID!) { auditLog(filter: { subjectId: $id }) { nodes { action requestId actor { email } } } }",
        id=cy["id"],
    )
    entry = {"action": "MEMBER_ROLES_SET", "requestId": "request-12345678", "actor": {"email": "ada@acme.example"}}
    assert found["auditLog"]["nodes"] == [entry]


def test_a_token_that_the_operator_revokes_ends_too(ada: Client, secrets: list[str], settings: dict[str, str]) -> None:
    robot, id_ = issue(ada, secrets)
    with robot.following() as socket:
        command(settings, "token", "revoke", id_)
        assert robot.who() is None
        assert socket.closing()[0] == 4401


def test_what_is_followed_with_a_role_ends_with_it(ada: Client, secrets: list[str], settings: dict[str, str]) -> None:
    bo = ("--tenant", "acme", "--user", "bo@acme.example", "--role", "OPERATOR", "--role", "AUDITOR")
    secrets.append(command(settings, "token", "create", *bo))
    robot = Client(ada.server, secrets[-1])
    with robot.following() as socket:
        ada.do("setMemberRoles", "user { email }", email="bo@acme.example", roles=["OPERATOR", "AUDITOR", "DEVELOPER"])
        assert socket.ask("3", WHO)["data"]["viewer"]["roles"] == ["OPERATOR", "AUDITOR"]
        ada.do("setMemberRoles", "user { email }", email="bo@acme.example", roles=["OPERATOR"])
        assert socket.closing() == (4401, "Unauthorized: A role was taken away.")
    assert robot.who() == ("bo@acme.example", "acme", ["OPERATOR"])


def test_whoever_has_no_role_left_is_not_let_in(ada: Client, secrets: list[str], settings: dict[str, str]) -> None:
    di = ("--tenant", "acme", "--user", "di@acme.example", "--role", "DEVELOPER")
    secrets.append(command(settings, "token", "create", *di))
    robot = Client(ada.server, secrets[-1])
    started = robot.do("simulate", "simulation { id }", scenario={"text": "Answer mail."}, waitFor="ACCEPTED")
    with robot.following() as socket, robot.events() as lines:
        ada.do("setMemberRoles", "user { email }", email="di@acme.example", roles=[])
        assert socket.closing()[0] == 4401
        assert list(lines)[-2:] == ["event: complete", "data: "]
    for query in (WHO, "{ scenarios { totalCount } }", NEWS, SIMULATE):
        answer = robot.post(query)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json().keys() == {"errors"}
        assert answer.json()["errors"][0]["message"] == NO_ROLE
    events = f"/simulations/{started['simulation']['id']}/events"
    for method, path in (("POST", "/simulate"), ("GET", events), ("PUT", "/packages")):
        rest = httpx.request(method, robot.server.url + path, headers=robot.headers)
        assert (rest.status_code, rest.json()["error"]) == (401, {"code": "UNAUTHENTICATED", "message": NO_ROLE})
    with open_socket(robot.server.websocket_url) as socket:
        socket.send({"type": "connection_init", "payload": {"authorization": robot.headers["Authorization"]}})
        assert socket.closing() == (4401, f"Unauthorized: {NO_ROLE}")
    ada.do("setMemberRoles", "user { email }", email="di@acme.example", roles=["AUDITOR"])
    assert robot.who() is None  # the token never had this role
    ada.do("setMemberRoles", "user { email }", email="di@acme.example", roles=["DEVELOPER"])
    assert robot.who() == ("di@acme.example", "acme", ["DEVELOPER"])


def test_a_token_ends_with_its_time(ada: Client, secrets: list[str]) -> None:
    robot, _ = issue(ada, secrets, expires_at=datetime.now(UTC) + timedelta(seconds=2))
    with robot.following() as socket, robot.events() as lines:
        assert socket.closing()[0] == 4401
        assert list(lines)[-2:] == ["event: complete", "data: "]
    assert robot.who() is None


def test_tenants_are_made_apart(ada: Client, secrets: list[str], settings: dict[str, str]) -> None:
    eve = ("--tenant", "evil", "--user", "ada@acme.example", "--role", "ADMIN")
    secrets.append(command(settings, "token", "create", *eve))
    other = Client(ada.server, secrets[-1])
    _, id_ = issue(ada, secrets)
    assert other.who() == ("ada@acme.example", "evil", ["ADMIN"])
    assert len(other.ask("{ viewer { apiTokens { id } } }")["viewer"]["apiTokens"]) == 1
    assert other.ask("query($id: ID!) { node(id: $id) { id } }", id=id_) == {"node": None}
    refused = other.post(
        "mutation($id: ID!) { revokeApiToken(input: { tokenId: $id }) { revokedId errors { code } } }", id=id_
    )
    assert refused.json()["data"]["revokeApiToken"] == {"revokedId": None, "errors": [{"code": "NOT_FOUND"}]}


def test_secrets_are_found_nowhere(ada: Client, secrets: list[str], url: str) -> None:
    issue(ada, secrets)
    listed = json.dumps(ada.ask("{ viewer { apiTokens { id name prefix roles } } }"))
    kept, log = kept_in(url), "\n".join(ada.server.log)
    assert len(secrets) > 1
    for secret in secrets:
        hidden = secret.removeprefix("wt_")[8:]
        assert hidden not in listed
        assert hidden not in log
        assert hidden.encode() not in kept
        assert hidden.encode().hex().encode() not in kept
    assert b"robot" in kept
