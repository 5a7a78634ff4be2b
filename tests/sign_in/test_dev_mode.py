"""`dev`: without a token you are the demo's first person; printed tokens make you another one, bad ones nobody."""

import re
from collections.abc import Iterator

import pytest

from tests.processes import Api
from tests.server.sockets import open_socket
from tests.sign_in.world import NEWS, WHO, Client, command, kept_in

EVERY_ROLE = ["DEVELOPER", "SECURITY_REVIEWER", "OPERATOR", "AUDITOR", "ADMIN"]
PRINTED = re.compile(r'^  (\S+@demo\.local) +\{"Authorization": "Bearer (wt_\w+)"\}$')


@pytest.fixture(scope="module")
def server(settings: dict[str, str]) -> Iterator[Api]:
    """A server as `make run` starts it."""
    with Api(settings) as server:
        yield server


def printed(server: Api) -> dict[str, str]:
    """The secrets in its greeting, by address."""
    found = {match[1]: match[2] for line in server.log if (match := PRINTED.match(line))}
    assert list(found) == ["dev@demo.local", "reviewer@demo.local"]
    return found


def test_without_a_token_you_are_the_first_person(server: Api) -> None:
    nobody = Client(server)
    assert nobody.who() == ("you@demo.local", "demo", EVERY_ROLE)
    with nobody.following() as socket:
        assert socket.ask("3", WHO)["data"]["viewer"]["user"]["email"] == "you@demo.local"


def test_printed_tokens_make_you_somebody_else(server: Api) -> None:
    secrets = printed(server)
    assert Client(server, secrets["dev@demo.local"]).who() == ("dev@demo.local", "demo", ["DEVELOPER"])
    reviewer = Client(server, secrets["reviewer@demo.local"])
    assert reviewer.who() == ("reviewer@demo.local", "demo", ["SECURITY_REVIEWER"])
    with reviewer.following() as socket:
        assert socket.ask("3", WHO)["data"]["viewer"]["roles"] == ["SECURITY_REVIEWER"]
    listed = Client(server).ask("{ viewer { apiTokens { user { email } issuedBy { email } expiresAt } } }")
    tokens = listed["viewer"]["apiTokens"]
    assert {token["user"]["email"] for token in tokens} == set(secrets)
    assert all(token["user"] == token["issuedBy"] and token["expiresAt"] for token in tokens)


def test_a_bad_token_makes_you_nobody(server: Api) -> None:
    for bad in ("wrong", "wt_" + "0" * 64, "eyJhbGciOiJub25lIn0.e30."):
        assert Client(server, bad).who() is None
        assert Client(server, bad).post(NEWS, "text/event-stream").status_code == 401
        with open_socket(server.websocket_url) as socket:
            socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {bad}"}})
            assert socket.refused() == 4401


def test_a_token_of_any_tenant_counts(server: Api, settings: dict[str, str]) -> None:
    created = command(
        settings, "token", "create", "--tenant", "acme", "--user", "ada@acme.example", "--role", "AUDITOR"
    )
    assert Client(server, created).who() == ("ada@acme.example", "acme", ["AUDITOR"])


def test_each_start_prints_new_tokens_and_the_old_ones_end(server: Api, url: str) -> None:
    before = printed(server)
    directory = server.directory
    with Client(server, before["dev@demo.local"]).following() as socket:
        server._process.send_signal(2)  # type: ignore[union-attr]
        socket.until_closed()
    server._collect()
    server.log.clear()
    server.start()
    after = printed(server)
    assert server.directory == directory
    assert not set(before.values()) & set(after.values())
    for email in before:
        assert Client(server, before[email]).who() is None
        assert Client(server, after[email]).who()
    server.restart()
    last = printed(server)
    assert Client(server, last["dev@demo.local"]).who()
    # On SQLite there is one server, on PostgreSQL there may be others, whose tokens it leaves alone.
    alive = Client(server, after["dev@demo.local"]).who() is not None
    assert alive == url.startswith("postgres:")
    kept = kept_in(url)
    for secret in (*before.values(), *after.values(), *last.values()):
        assert secret[11:].encode() not in kept
