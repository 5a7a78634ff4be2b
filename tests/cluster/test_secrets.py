"""A secret of production is written and never read: grepped for in all that servers keep, log and answer."""

import asyncio
import base64
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.graphql.trusted import hash_of
from tests.clients import visitor
from tests.processes import Api
from tests.traces import files, forms, rows, traces
from windtunnel.domain.audit_forms import AuditForm

CONFIGURE = """mutation($input: ConfigureProductionInput!) { configureProduction(input: $input) {
  production { revision configuration { key value secret } }
  errors { __typename code message path ... on ValidationError { rule } } } }"""
LITERAL = """mutation { configureProduction(input: {set: [{key: "LITERAL", value: %s, secret: true}]}) {
  production { revision } errors { code } } }"""
SHOW = """{ production { revision configuration { key value secret } }
  auditLog(first: 100) { nodes { action reason subjectId details } } verifyAudit { valid }
  notifications { nodes { title body } } webhooks { url deliveries { nodes { lastError } } }
  health { status components { name detail } } viewer { user { name } } }"""


@dataclass
class Client:
    """Asks, and keeps every answer with its head."""

    http: httpx.AsyncClient
    answers: list[bytes] = field(default_factory=list)

    async def post(self, query: Any, variables: Any = None, **more: Any) -> dict[str, Any]:
        return await self.send(json.dumps({"query": query, "variables": variables, **more}).encode())

    async def send(self, body: bytes) -> dict[str, Any]:
        answer = await self.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
        self.answers += [answer.content, repr(answer.headers).encode()]
        found: dict[str, Any] = answer.json()
        return found

    async def configure(self, *wanted: dict[str, Any], **input: Any) -> dict[str, Any]:
        answer = await self.post(CONFIGURE, {"input": {"set": [*wanted], **input}})
        found: dict[str, Any] = answer["data"]["configureProduction"]
        return found


@dataclass(frozen=True)
class Place:
    """Where a server keeps things; `url` None: in its directory alone."""

    directory: Path
    url: str | None

    @property
    def settings(self) -> dict[str, str]:
        kept = {} if self.url is None else {"WINDTUNNEL_DATABASE_URL": self.url}
        return {"WINDTUNNEL_DATA_DIR": str(self.directory), "WINDTUNNEL_LOG_LEVEL": "debug", **kept}

    async def contents(self) -> dict[str, bytes]:
        return files(self.directory) | ({} if self.url is None else await rows(self.url))

    async def run(self, *arguments: str) -> str:
        """What a command prints; in a thread of its own, as it has an event loop of its own."""
        result = await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=self.settings)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    url = request.getfixturevalue("postgres_database_url") if request.param == "postgres" else None
    return Place(tmp_path, url)


def new_secret() -> str:
    """One that looks different in every encoding, in all alignments of base64."""
    return f'hünter\'s "2" /+=&%\\ {secrets.token_hex(20)}?>~'


async def test_a_secret_is_found_nowhere(place: Place) -> None:
    first, second, never, clear = new_secret(), new_secret(), new_secret(), f"in-clear-{secrets.token_hex(16)}"
    with Api(place.settings) as server:
        async with visitor(server.url) as http:
            client = Client(http)
            await _configure(client, first, second, clear)
            await _stumble(client, never)
            token = (await place.run(*CREATE)).splitlines()[0]
            http.headers["Authorization"] = f"Bearer {token}"
            refused = await client.post(CONFIGURE, {"input": {"set": [_secret("A", never)]}})
            assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            running = await place.contents()
        told = {"answers": b"\n".join(client.answers), "log": "\n".join(server.log).encode()}
        kept = files(server.directory)
        server.kill()
    exported = {form.value: (await place.run("audit", "export", "--format", form.value)).encode() for form in AuditForm}
    everything = [running, await place.contents(), kept, told, exported]
    for content in everything:
        for secret in (first, second, never):
            assert traces(secret, content) == []
    # What is no secret is found, so that the rest was looked for in the right places.
    assert any(name.endswith(("-wal", "webhooks")) for name in running)
    assert all(
        traces(clear, content) for content in (running, everything[1], told, *({k: v} for k, v in exported.items()))
    )
    assert len(server.log) > 3


CREATE = ("token", "create", "--tenant", "demo", "--user", "dev@demo.local", "--role", "DEVELOPER")


def _secret(key: str, value: object) -> dict[str, Any]:
    return {"key": key, "value": value, "secret": True}


async def _configure(client: Client, first: str, second: str, clear: str) -> None:
    """All that can be done with a secret, and all that shows the configuration."""
    wanted = [_secret("A", first), {"key": "MODEL", "value": clear}]
    for _ in range(2):
        assert (await client.configure(*wanted, idempotencyKey="once"))["errors"] == []
    assert (await client.configure(_secret("A", second), idempotencyKey="once"))["errors"][0]["code"]
    refused = await client.configure({"key": "A", "value": first, "secret": False})
    assert [error["rule"] for error in refused["errors"]] == ["secret_value"]
    assert (await client.configure({"key": "A", "value": second}))["production"]["revision"] == 2
    await client.configure(_secret("B", first), _secret("C", first + second), unset=["A"])
    await client.configure({"key": "B", "value": clear, "secret": False}, _secret("D", second))
    literal = LITERAL % json.dumps(first, ensure_ascii=False)
    assert (await client.post(literal))["data"]["configureProduction"]["errors"] == []
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": hash_of(literal)}}
    assert "errors" not in await client.post(literal, extensions=persisted)
    assert "errors" not in await client.post(None, extensions=persisted)
    shown = await client.post(SHOW)
    assert "errors" not in shown
    assert [entry["key"] for entry in shown["data"]["production"]["configuration"]] == [
        "B",
        "C",
        "D",
        "LITERAL",
        "MODEL",
    ]


async def _stumble(client: Client, secret: str) -> None:
    """Every way to say it wrong that a client could think of: refused, without a word of the value."""
    wrong: list[Any] = [
        {"set": [{"value": secret, "secret": True}]},
        {"set": [_secret("A", secret) | {"sekret": True}]},
        {"set": [_secret("A", secret) | {"secret": secret}]},
        {"set": [_secret("A", "") | {"valu": secret}]},
        {"set": [_secret("A", [secret])]},
        {"set": [_secret("A", {"value": secret})]},
        {"set": secret},
        {"set": [secret]},
        {"unset": {secret: secret}},
        {"set": [_secret("A", secret)], "idempotencyKey": [secret]},
        secret,
        [secret],
    ]
    for given in wrong:
        assert "errors" in await client.post(CONFIGURE, {"input": given}), given
    quoted = json.dumps(secret, ensure_ascii=False)
    for value in (f"[{quoted}]", f"{{value: {quoted}}}", f"{quoted} {quoted}", f"{quoted}, {quoted}"):
        assert "errors" in await client.post(LITERAL % value), value
    for query in (LITERAL.replace("true", "%s") % (quoted, quoted), f"{{ production {quoted} }}", quoted, [secret]):
        assert "errors" in await client.post(query)
    for body in (
        b'{"query": "{ production { revision } }", "variables": {"a": %b}',
        b"%b",
        b'{"query": %b, "variables": 1}',
    ):
        assert "errors" in await client.send(body % json.dumps(secret).encode())
    assert (await client.configure(_secret("not a key", secret)))["errors"][0]["rule"] == "bad_key"
    assert (await client.configure(*[_secret("A", secret)] * 2))["errors"][0]["rule"] == "key_repeated"
    assert (await client.configure(_secret("A", secret + "\0")))["errors"][0]["rule"] == "string_unstorable"
    too_long = await client.configure(_secret("A", secret * 2_000))
    assert too_long["errors"][0]["rule"] == "string_too_long"


@pytest.mark.parametrize("shift", range(8))
def test_every_form_is_recognised(shift: int) -> None:
    secret = new_secret()
    around = "x" * shift + secret + "y" * 5
    contents = {
        "a": around.encode(),
        "b": base64.b64encode(around.encode()),
        "c": base64.urlsafe_b64encode(around.encode()),
        "d": around.encode().hex().upper().encode(),
        "e": json.dumps({"details": json.dumps(around)}).encode(),
    }
    assert all(traces(secret, {name: content}) for name, content in contents.items())
    assert len(set(forms(secret).values())) >= 30
    assert traces(new_secret(), contents) == []
