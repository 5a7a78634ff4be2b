"""A cluster with a pipeline: two API processes, two workers, people with tokens, and what always holds of it."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import orjson
from typer.testing import CliRunner
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from app.cli import cli
from schema.ids import Kind, raw_of
from tests.clients import visitor
from tests.cluster.attempts import Attempt, Person
from tests.cluster.never import TWICE
from tests.packages.world import FILES, package
from tests.processes import Api, WindtunnelProcess, WorkerProcess
from windtunnel.domain.policy import PACKAGE_UPLOADS_AT_ONCE_PER_TENANT, ROLLBACK_WINDOW_MS

LOOK = """query ($id: ID!) { deployment(id: $id) { id status failure lastSeq agent { id } version { id version }
  package { digest checks { code passed } } review { status votes { decision reviewer { email } } } } }"""
EVENTS = """subscription ($id: ID!, $after: Int!) {
  deploymentEvents(deploymentId: $id, after: $after) { status step } }"""
AUDIT = """query ($id: ID!) { auditLog(first: 100, filter: {subjectId: $id}) { nodes { seq action } } }"""
NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
RETURNED = {
    "rollbackDeployment": "rollback { id deployment { id } toVersion { id version } }",
    "releaseHold": "agent { id }",
    "setMemberRoles": "user { id }",
    "releaseQuarantine": "version { id }",
    "configureProduction": "production { revision }",
}
"""What is asked of a mutation when it is not the deployment."""


@dataclass(frozen=True)
class Servers:
    """What runs, and where it keeps things."""

    apis: list[Api]
    settings: dict[str, str]

    @property
    def directory(self) -> Path:
        return Path(self.settings["WINDTUNNEL_DATA_DIR"])

    def hired(self, name: str, *roles: str) -> Person:
        """A token of theirs; the next one, when they have one."""
        email = f"{name}@acme.test"
        who = ["--tenant", "acme", "--user", email, *(part for role in roles for part in ("--role", role))]
        result = CliRunner().invoke(cli, ["token", "create", *who], env=self.settings)
        assert result.exit_code == 0, result.output
        return Person(email, result.stdout.strip())

    @asynccontextmanager
    async def asked(self, auditor: Person) -> AsyncIterator["Cluster"]:
        """Ways to ask it; in the end everything is looked at once more."""
        database = await asyncpg.connect(self.settings["WINDTUNNEL_DATABASE_URL"])
        try:
            async with visitor() as http:
                cluster = Cluster(self, http, database)
                yield cluster
                for what, query in TWICE.items():
                    assert await database.fetch(query) == [], what
                verified = await cluster.ask(auditor, "{ verifyAudit { valid brokenAtSeq } }")
                assert verified == {"verifyAudit": {"valid": True, "brokenAtSeq": None}}
        finally:
            await database.close()


@contextmanager
def running(settings: dict[str, str]) -> Iterator[Servers]:
    """Two API processes without a worker, and two workers."""
    settings = settings | {"WINDTUNNEL_AUTH": "token", "WINDTUNNEL_RATE_LIMIT": "off"}
    first, second = [Api(settings, "--no-worker") for _ in range(2)]
    others = [second, *(WorkerProcess(settings) for _ in range(2))]
    with ThreadPoolExecutor(4) as threads:
        try:
            first.start()
            list(threads.map(WindtunnelProcess.start, others))
            yield Servers([first, second], settings)
        finally:
            list(threads.map(WindtunnelProcess.stop, [first, *others]))


class Cluster:
    """Asks the API processes; attempts of a race go to both, one after the other and all at once."""

    def __init__(self, servers: Servers, http: httpx.AsyncClient, database: Any) -> None:
        self.servers = servers
        self._http = http
        self._database = database
        self._uploads = asyncio.Semaphore(PACKAGE_UPLOADS_AT_ONCE_PER_TENANT)

    async def ask(self, who: Person, query: str, place: int = 0, **variables: Any) -> Any:
        answer = await self._answer(who, query, place, variables)
        assert "errors" not in answer, json.dumps(answer)
        return answer["data"]

    async def _answer(self, who: Person, query: str, place: int, variables: Any) -> Any:
        url = self.servers.apis[place % 2].url
        body = {"query": query, "variables": variables}
        return (await self._http.post(f"{url}/graphql", json=body, headers=who.headers)).json()

    async def do(self, who: Person, verb: str, place: int = 0, /, **given: Any) -> Any:
        """The payload; who may not, or has no role left to sign in with, has that among its errors, too."""
        what = RETURNED.get(verb, "deployment { id status }")
        kind = f"{verb[0].upper()}{verb[1:]}Input!"
        query = f"mutation ($input: {kind}) {{ {verb}(input: $input) {{ {what} errors {{ code message }} }} }}"
        answer = await self._answer(who, query, place, {"input": given})
        if codes := [each["extensions"]["code"] for each in answer.get("errors", ())]:
            assert codes in (["FORBIDDEN"], ["UNAUTHENTICATED"]), json.dumps(answer)
            return {"errors": [{"code": codes[0]}]}
        return answer["data"][verb]

    async def done(self, who: Person, verb: str, **given: Any) -> Any:
        payload = await self.do(who, verb, **given)
        assert payload["errors"] == [], payload
        return payload

    async def race(self, *attempts: Attempt, first: int = 0) -> tuple[list[Any], list[str]]:
        """All at once, beginning with that one: what those got who got something, and the codes of the others."""
        begin = first % len(attempts)
        order = [*attempts[begin:], *attempts[:begin]]
        answers = await asyncio.gather(
            *(self.do(each.who, each.verb, place + first, **each.given) for place, each in enumerate(order))
        )
        got = [each.get("deployment") or each.get("rollback") for each in answers if not each["errors"]]
        return got, sorted(error["code"] for each in answers for error in each["errors"])

    async def registered(self, who: Person, slug: str) -> str:
        query = """mutation ($input: RegisterAgentInput!) { registerAgent(input: $input) {
          agent { id } errors { message } } }"""
        given = {"slug": slug, "name": slug.title(), "description": "Sorts."}
        agent_id: str = (await self.ask(who, query, input=given))["registerAgent"]["agent"]["id"]
        return agent_id

    async def uploaded(self, who: Person, slug: str, version: str, note: str = "", **declared: Any) -> str:
        """The digest of a package; with another note it is another one."""
        data = package(FILES | {"notes.txt": note.encode()}, name=f"acme/{slug}", version=version, **declared)
        url = self.servers.apis[0].url
        async with self._uploads:
            answer = await self._http.put(f"{url}/packages", content=data, headers=who.headers)
        assert answer.status_code == 201, answer.text
        digest: str = answer.json()["digest"]
        return digest

    async def sign(self, who: Person, digest: str, envelope: bytes) -> None:
        url = f"{self.servers.apis[0].url}/packages/{digest}/signature"
        answer = await self._http.put(url, content=envelope, headers=who.headers)
        assert answer.status_code == 201, answer.text

    async def look(self, who: Person, deployment_id: str) -> Any:
        return (await self.ask(who, LOOK, id=deployment_id))["deployment"]

    async def until(self, who: Person, deployment_id: str, *statuses: str) -> Any:
        """The deployment, once it is in one of these states; by its events."""
        found = await self.look(who, deployment_id)
        if found["status"] not in statuses:
            async with aclosing(self.events(who, deployment_id, found["lastSeq"])) as events:
                async for event in events:
                    if event["status"] in statuses:
                        break
            found = await self.look(who, deployment_id)
        assert found["status"] in statuses, json.dumps(found, indent=1)
        return found

    async def reached(self, who: Person, deployment_id: str, step: str) -> None:
        async with aclosing(self.events(who, deployment_id, 0)) as events:
            async for event in events:
                if event["step"] == step:
                    return
        raise AssertionError(f"it has ended without {step}")

    async def events(self, who: Person, deployment_id: str, after: int) -> AsyncGenerator[Any, None]:
        url = self.servers.apis[1].websocket_url
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], open_timeout=60) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": who.headers}))
            assert orjson.loads(await socket.recv())["type"] == "connection_ack"
            payload = {"query": EVENTS, "variables": {"id": deployment_id, "after": after}}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            async for raw in socket:
                message = orjson.loads(raw)
                if message["type"] == "complete":
                    return
                if message["type"] == "ping":
                    await socket.send('{"type":"pong"}')
                else:
                    assert message["type"] == "next", message
                    yield message["payload"]["data"]["deploymentEvents"]

    async def seq_of(self, auditor: Person, subject_id: str, action: str) -> int:
        """Which entry of the audit log has the last of this."""
        nodes = (await self.ask(auditor, AUDIT, id=subject_id))["auditLog"]["nodes"]
        return max(int(each["seq"]) for each in nodes if each["action"] == action)

    async def on_record(self, auditor: Person, subject_id: str) -> list[str]:
        """What was done to it, the newest first."""
        nodes = (await self.ask(auditor, AUDIT, id=subject_id))["auditLog"]["nodes"]
        return [each["action"] for each in nodes]

    async def bring_forward(self, deployment_id: str, column: str, in_ms: int) -> None:
        """Have a deadline of the deployment come so soon."""
        await self._database.execute(
            f"UPDATE deployments SET {column} = {NOW_MS} + $1 WHERE id = $2",
            in_ms,
            raw_of(Kind.DEPLOYMENT, deployment_id),
        )

    async def bring_window_to_its_end(self, agent_id: str, in_ms: int) -> int:
        """Have what is in production be there for thirty days so soon; when that is, in ms."""
        query = f"UPDATE pointers SET live_since_ms = {NOW_MS} + $1 WHERE agent_id = $2 RETURNING live_since_ms"
        live_since = await self._database.fetchval(query, in_ms - ROLLBACK_WINDOW_MS, raw_of(Kind.AGENT, agent_id))
        return int(live_since) + ROLLBACK_WINDOW_MS

    async def started_at(self, rollback_id: str) -> int:
        """When the rollback was accepted, in ms."""
        query = "SELECT started_ms FROM rollbacks WHERE id = $1"
        return int(await self._database.fetchval(query, raw_of(Kind.ROLLBACK, rollback_id)))

    async def lower_policy(self, deployment_id: str) -> None:
        """Have one vote be enough, as somebody does who owns the database and knows how to get past its triggers."""
        async with self._database.transaction():
            await self._database.execute("SET LOCAL session_replication_role = replica")
            await self._database.execute(
                "UPDATE reviews SET policy = replace(policy, '\"quorum\":2', '\"quorum\":1') WHERE deployment_id = $1",
                raw_of(Kind.DEPLOYMENT, deployment_id),
            )
