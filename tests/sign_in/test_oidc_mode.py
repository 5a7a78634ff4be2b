"""`oidc`: a real OpenID provider signs people and programs in; nobody else can."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt

from tests.processes import Api
from tests.server.nodes import Node
from tests.server.sockets import open_socket
from tests.sign_in.world import AUDIENCE, Client, Provider, command, eventually, kept_in, new_key

PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {
        "tenant": "acme",
        "roles": ["ADMIN", "DEVELOPER", "KING"],
        "name": "Ada",
        "email": "Ada@acme.example",
        "email_verified": True,
    },
    "eve": {"tenant": "evil", "roles": ["ADMIN"], "email": "ada@acme.example"},
    "nomad": {"roles": ["ADMIN"]},
    "robot": {"tenant": "acme", "roles": ["OPERATOR"]},
}


@pytest.fixture(scope="module")
def provider(node: Node) -> Iterator[Provider]:
    """The provider that the server trusts."""
    with Provider(node, PEOPLE) as provider:
        yield provider


@pytest.fixture(scope="module")
def server(settings: dict[str, str], provider: Provider) -> Iterator[Api]:
    """A server that trusts the provider."""
    oidc = {
        "WINDTUNNEL_AUTH": "oidc",
        "WINDTUNNEL_OIDC_ISSUER": provider.issuer,
        "WINDTUNNEL_OIDC_AUDIENCE": AUDIENCE,
        "WINDTUNNEL_RATE_LIMIT": "1000000",
    }
    with Api({**settings, **oidc}) as server:
        yield server


@pytest.fixture(scope="module")
def adas(server: Api, provider: Provider) -> str:
    """What the provider has issued to Ada, by its key of the moment."""
    assert server.running
    return provider.token_of_person("ada")


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refused(server: Api, token: str) -> bool:
    """By HTTP and by WebSocket."""
    with open_socket(server.websocket_url) as socket:
        socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        assert socket.refused() == 4401
    return Client(server, token).who() is None


def test_a_person_signs_in(server: Api, provider: Provider, adas: str) -> None:
    ada = Client(server, adas)
    assert ada.who() == ("ada@acme.example", "acme", ["DEVELOPER", "ADMIN"])
    with ada.following() as socket:
        assert socket.ask("3", "{ viewer { user { name } } }")["data"] == {"viewer": {"user": {"name": "Ada"}}}
    again = Client(server, provider.token_of_person("ada"))
    assert again.ask("{ viewer { user { id } } }") == ada.ask("{ viewer { user { id } } }")
    assert Client(server).who() is None


def test_a_program_signs_in_by_the_provider_or_by_a_token_of_ours(
    server: Api, provider: Provider, adas: str, settings: dict[str, str]
) -> None:
    assert Client(server, provider.token_of_program()).who() == ("robot", "acme", ["OPERATOR"])
    issued = Client(server, adas).do("issueApiToken", "secret", name="robot", roles=["DEVELOPER"])
    assert Client(server, issued["secret"]).who() == ("ada@acme.example", "acme", ["DEVELOPER"])
    created = command(settings, "token", "create", "--tenant", "acme", "--user", "x@y.de", "--role", "AUDITOR")
    assert Client(server, created).who() == ("x@y.de", "acme", ["AUDITOR"])
    assert refused(server, "wt_" + "0" * 64)


def test_tenants_stay_apart_and_addresses_are_not_believed(server: Api, provider: Provider, adas: str) -> None:
    eve = Client(server, provider.token_of_person("eve"))
    assert eve.who() == ("eve", "evil", ["ADMIN"])
    here = provider.forged(claims_of(adas), sub="impostor", name="Impostor", email_verified=False, roles=["AUDITOR"])
    assert Client(server, here).who() == ("Impostor", "acme", ["AUDITOR"])
    assert Client(server, adas).who() == ("ada@acme.example", "acme", ["DEVELOPER", "ADMIN"])
    assert refused(server, provider.token_of_person("nomad"))


def test_another_audience_or_issuer_is_refused(server: Api, provider: Provider, node: Node) -> None:
    assert refused(server, provider.token_of_program("urn:somebody-else"))
    with Provider(node, PEOPLE) as other:
        assert refused(server, other.token_of_program())
    assert refused(server, provider.forged(claims_of(provider.token_of_program()), iss=other.issuer))


def test_forged_tokens_are_refused(server: Api, provider: Provider, adas: str) -> None:
    head, body, signature = adas.split(".")
    known = {"alg": "HS256", "typ": "at+jwt", "kid": provider.key.kid}
    symmetric = f"{part(known)}.{body}"
    public = provider.key.as_pem(private=False)
    mac = urlsafe_b64encode(hmac.digest(public, symmetric.encode(), "sha256")).rstrip(b"=").decode()
    another = new_key()
    for forged in (
        f"{part({**known, 'alg': 'none'})}.{body}.",
        f"{part({**known, 'alg': 'none'})}.{body}.{signature}",
        f"{symmetric}.{mac}",
        f"{head}.{part({**claims_of(adas), 'roles': ['AUDITOR']})}.{signature}",
        jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims_of(adas), another),
        jwt.encode({"alg": "RS256", "kid": another.kid}, claims_of(adas), another),
        adas[:-10],
    ):
        assert refused(server, forged)


def test_a_token_that_no_parser_likes_is_refused_like_any_other(server: Api, provider: Provider) -> None:
    header = '{"alg":"RS256","kid":"k1","x":' + "[" * 1_400 + "]" * 1_400 + "}"
    deep = urlsafe_b64encode(header.encode()).rstrip(b"=").decode() + ".e30.AAAA"
    for token in (deep, "x" * 20_000, f"{deep}." + "[" * 2_000):
        assert refused(server, token)
    assert not [line for line in server.log if "Traceback" in line or "defect" in line]


def test_time_counts(server: Api, provider: Provider, adas: str) -> None:
    claims, now = claims_of(adas), int(datetime.now(UTC).timestamp())
    assert refused(server, provider.forged(claims, exp=now - 10))
    assert refused(server, provider.forged(claims, exp=None))
    assert refused(server, provider.forged(claims, nbf=now + 60))
    soon = Client(server, provider.forged(claims, exp=now + 3))
    with soon.following() as socket, soon.events() as lines:
        assert socket.closing() == (4401, "Unauthorized: The token has expired.")
        assert list(lines)[-2:] == ["event: complete", "data: "]


def test_the_newest_word_about_roles_counts(server: Api, provider: Provider) -> None:
    now = int(datetime.now(UTC).timestamp())
    claims = {**claims_of(provider.token_of_program()), "sub": "cy", "name": "Cy"}
    older = Client(server, provider.forged(claims, iat=now - 2, roles=["AUDITOR", "OPERATOR"]))
    with older.following() as socket:
        newer = Client(server, provider.forged(claims, iat=now - 1, roles=["OPERATOR"]))
        assert newer.who() == ("Cy", "acme", ["OPERATOR"])
        assert socket.closing() == (4401, "Unauthorized: A role was taken away.")
    assert older.who() == ("Cy", "acme", ["OPERATOR"])


def test_new_keys_are_found_and_old_ones_go(server: Api, provider: Provider) -> None:
    old = provider.token_of_program()
    assert Client(server, old).who()
    provider.kill()
    assert Client(server, old).who()
    provider.key = new_key()
    provider.start()
    new = provider.token_of_program()
    eventually(lambda: Client(server, new).who() is not None)
    assert Client(server, old).who() is None


def test_tokens_are_found_nowhere(server: Api, adas: str, url: str) -> None:
    log, kept = "\n".join(server.log), kept_in(url)
    for piece in adas.split(".")[1:]:
        assert piece not in log
        assert piece.encode() not in kept
    assert "token refused" in log
