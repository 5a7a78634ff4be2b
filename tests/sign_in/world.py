"""Clients of a server that checks who they are, a real OpenID provider, and what a database holds."""

import asyncio
import re
import sqlite3
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from typer.testing import CliRunner

from app.cli import cli
from tests.children import Server
from tests.processes import Api
from tests.server.nodes import Node
from tests.server.sockets import Socket, open_socket

AUDIENCE = "windtunnel"
RESOURCE = "urn:windtunnel"
REDIRECT = "http://127.0.0.1:1/signed-in"
GRAPHQL = "application/graphql-response+json"
WHO = "{ viewer { user { name email } tenant { slug } roles } }"
NEWS = "subscription { notificationReceived { seq } }"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Client:
    """Asks one server, with a token or without."""

    def __init__(self, server: Api, token: str | None = None) -> None:
        self.server = server
        self.headers = {} if token is None else bearer(token)

    def post(self, query: str, accept: str = "application/json", **variables: Any) -> httpx.Response:
        body = {"query": query, "variables": variables}
        headers = {**self.headers, "Accept": accept}
        return httpx.post(f"{self.server.url}/graphql", json=body, headers=headers, timeout=120)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an operation that must succeed."""
        answer = self.post(query, **variables)
        body = answer.json()
        assert (answer.status_code, body.get("errors")) == (200, None), body
        return body["data"]

    def who(self) -> tuple[str, str, list[str]] | None:
        """Address or name, tenant and roles, None for nobody."""
        answer = self.post(WHO)
        if answer.status_code == 401:
            return None
        viewer = answer.json()["data"]["viewer"]
        return viewer["user"]["email"] or viewer["user"]["name"], viewer["tenant"]["slug"], viewer["roles"]

    def do(self, verb: str, result: str, **input: object) -> Any:
        """The result of a mutation that must succeed."""
        title = verb[0].upper() + verb[1:]
        document = f"mutation($input: {title}Input!) {{ {verb}(input: $input) {{ {result} errors {{ message }} }} }}"
        payload = self.ask(document, input=input)[verb]
        assert payload.pop("errors") == []
        return payload

    @contextmanager
    def following(self) -> Iterator[Socket]:
        """A socket on which a subscription has begun."""
        with open_socket(self.server.websocket_url) as socket:
            socket.initialise(**{"AUTHORIZATION": self.headers["Authorization"]} if self.headers else {})
            socket.subscribe("1", NEWS)
            assert socket.ask("2", "{ viewer { roles } }")["data"]
            yield socket

    @contextmanager
    def events(self) -> Iterator[Iterator[str]]:
        """The lines of an event stream that has begun."""
        headers = {**self.headers, "Accept": "text/event-stream"}
        with (
            httpx.Client(timeout=60) as client,
            client.stream("POST", f"{self.server.url}/graphql", json={"query": NEWS}, headers=headers) as response,
        ):
            assert response.status_code == 200
            yield (line for line in response.iter_lines() if line and not line.startswith(":"))


def command(settings: Mapping[str, str], *arguments: str) -> str:
    """What a command prints on standard output; it must succeed."""
    result = CliRunner().invoke(cli, arguments, env=dict(settings))
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.strip()


def eventually(true: Callable[[], bool]) -> None:
    """Wait until another process has noticed."""
    for _ in range(1_200):
        if true():
            return
        threading.Event().wait(0.1)
    raise AssertionError("it never came true")


def kept_in(url: str) -> bytes:
    """Everything that the database holds, and for SQLite everything in its files."""
    if url.startswith("sqlite:"):
        path = Path(url.removeprefix("sqlite:///"))
        with sqlite3.connect(path) as database:
            rows = "\n".join(database.iterdump())
        return rows.encode() + b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    return asyncio.run(_dump(url))


async def _dump(url: str) -> bytes:
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        rows = [row for table in tables for row in await connection.fetch(f"SELECT t::text FROM {table[0]} AS t")]
        return repr(rows).encode()
    finally:
        await connection.close()


class Provider(Server):
    """A real OpenID provider under node; `key` is what it signs with. `people` are its accounts' claims."""

    ready = "provider ready"

    def __init__(self, node: Node, people: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__()
        self.people = people
        self.key = new_key()
        self._node = node

    def command(self) -> Sequence[str]:
        key = {**self.key.as_dict(private=True), "alg": "RS256", "use": "sig"}
        return self._node.command(
            "provider.mjs", {"port": self.port, "audience": AUDIENCE, "people": self.people, "key": key}
        )

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def restart_with_new_key(self) -> None:
        self.key = new_key()
        self.restart()

    def token_of_program(self, resource: str = RESOURCE) -> str:
        """A token of the program `robot`, by the client credentials grant."""
        answer = httpx.post(
            f"{self.issuer}/token",
            data={"grant_type": "client_credentials", "resource": resource, "scope": "api"},
            auth=("robot", "robot-secret"),
            timeout=30,
        )
        token: str = answer.json()["access_token"]
        return token

    def token_of_person(self, login: str) -> str:
        """A token of somebody who signs in with a browser: authorization code with PKCE, login and consent pages."""
        verifier = token_urlsafe(40)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        with httpx.Client(base_url=self.issuer, timeout=120) as browser:
            page = browser.get(
                "/auth",
                params={
                    "client_id": "studio",
                    "response_type": "code",
                    "redirect_uri": REDIRECT,
                    "scope": "openid api",
                    "resource": RESOURCE,
                    "code_challenge": challenge,
                    "code_challenge_method": "S256",
                },
            )
            while not (target := page.headers.get("location", "")).startswith(REDIRECT):
                page = browser.get(target) if target else self._submit(browser, page.text, login)
            answer = browser.post(
                "/token",
                data={
                    "grant_type": "authorization_code",
                    "client_id": "studio",
                    "code": httpx.URL(target).params["code"],
                    "redirect_uri": REDIRECT,
                    "code_verifier": verifier,
                    "resource": RESOURCE,
                },
            )
        token: str = answer.json()["access_token"]
        return token

    def forged(self, claims: Mapping[str, Any], **changes: Any) -> str:
        """A token by the provider's own key that it has never issued: `changes` of given claims, None to drop one."""
        made = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid, "typ": "at+jwt"}, made, self.key)

    @staticmethod
    def _submit(browser: httpx.Client, page: str, login: str) -> httpx.Response:
        prompt, action = re.search(r'name="prompt" value="(\w+)"', page), re.search(r'action="([^"]+)"', page)
        assert prompt
        assert action
        return browser.post(action[1], data={"prompt": prompt[1], "login": login, "password": "any"})


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": token_urlsafe(12)})
