"""People of one tenant at a server: each with a client and a socket that stay open, and what they ask and wait for."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import httpx
import orjson
from websockets.asyncio.client import ClientConnection

from benchmarks.sign_in import secrets, signed_in
from tests.processes import Api
from windtunnel.domain.policy import PACKAGE_UPLOADS_AT_ONCE_PER_TENANT
from windtunnel.domain.viewers import Role

PATIENCE_S = 120.0
TENANT = "acme"
ROLES = (Role.DEVELOPER, Role.SECURITY_REVIEWER, Role.OPERATOR)
STATUSES = "subscription ($id: ID!) { deploymentEvents(deploymentId: $id) { status message } }"
PRODUCTION = "subscription ($id: ID!) { productionEvents(agentIds: [$id], after: 0) { kind } }"


class Person:
    """Somebody who is signed in. Get one from `signed_in`."""

    def __init__(self, client: httpx.AsyncClient, socket: ClientConnection) -> None:
        self._client = client
        self._socket = socket
        self._heard: dict[str, asyncio.Queue[Any]] = {}
        self._uploads = asyncio.Semaphore(PACKAGE_UPLOADS_AT_ONCE_PER_TENANT)

    async def do(self, verb: str, shown: str, **given: Any) -> Any:
        """The payload of a mutation that must succeed."""
        kind = f"{verb[0].upper()}{verb[1:]}Input!"
        query = f"mutation ($input: {kind}) {{ done: {verb}(input: $input) {{ {shown} errors {{ message }} }} }}"
        answer = (await self._client.post("/graphql", json={"query": query, "variables": {"input": given}})).json()
        assert "errors" not in answer, answer
        assert answer["data"]["done"]["errors"] == [], answer
        return answer["data"]["done"]

    async def registered(self, slug: str) -> str:
        """The id of a new agent."""
        made = await self.do("registerAgent", "agent { id }", slug=slug, name=slug, description="Sorts.")
        return str(made["agent"]["id"])

    async def uploaded(self, data: bytes) -> str:
        """The digest of a package."""
        async with self._uploads:
            answer = await self._client.put("/packages", content=data)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["digest"])

    async def submitted(self, agent_id: str, digest: str) -> str:
        """The id of a new deployment."""
        made = await self.do("submitDeployment", "deployment { id }", agentId=agent_id, packageDigest=digest)
        return str(made["deployment"]["id"])

    async def until(
        self, deployment_id: str, status: str, never: Collection[str] = ("INVALID", "DEPLOY_FAILED")
    ) -> None:
        """Wait until the deployment is so, by its events."""
        async with self._following(STATUSES, deployment_id) as heard:
            while (event := await _next(heard, "deploymentEvents"))["status"] != status:
                assert event["status"] not in {"INVALID", "DEPLOY_FAILED"}, event

    async def restored(self, agent_id: str, before: int) -> None:
        """Take back what is in production, and wait until what was there is again; `before` were taken back before."""
        async with self._following(PRODUCTION, agent_id) as heard:
            await self.do("rollbackDeployment", "rollback { id }", agentId=agent_id, reason="It sorts the wrong way.")
            done = 0
            while done <= before:
                event = await _next(heard, "productionEvents")
                assert event["kind"] != "ROLLBACK_FAILED", event
                done += event["kind"] == "ROLLBACK_COMPLETED"

    @asynccontextmanager
    async def _following(self, query: str, thing: str) -> AsyncIterator[asyncio.Queue[Any]]:
        """What a subscription about something tells."""
        name, heard = f"{len(self._heard)}-{thing}", asyncio.Queue[Any]()
        self._heard[name] = heard
        await self._say(id=name, type="subscribe", payload={"query": query, "variables": {"id": thing}})
        yield heard
        await self._say(id=name, type="complete")

    async def _say(self, **message: Any) -> None:
        await self._socket.send(orjson.dumps(message).decode())

    async def listen(self) -> None:
        """Hear what the server says, until it is cancelled."""
        async for raw in self._socket:
            message = orjson.loads(raw)
            if message["type"] == "ping":
                await self._say(type="pong")
            else:
                self._heard[message["id"]].put_nowait(message)


async def _next(heard: asyncio.Queue[Any], field: str) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        message = await heard.get()
    assert message["type"] == "next", message
    assert "errors" not in message["payload"], message
    return message["payload"]["data"][field]


class Team(NamedTuple):
    """One for each role."""

    developer: Person
    reviewer: Person
    operator: Person


@asynccontextmanager
async def team(api: Api, given: Collection[str]) -> AsyncIterator[Team]:
    """Everybody, signed in with the secrets that `tokens` has given."""
    async with AsyncExitStack() as stack:
        yield Team(*[await stack.enter_async_context(_person(api, secret)) for secret in given])


async def tokens(url: str) -> list[str]:
    """The secret of one person for each role, on a database that is migrated when need be."""
    return await secrets(url, [(TENANT, f"{role.value.lower().replace('_', '-')}@acme.test", role) for role in ROLES])


@asynccontextmanager
async def _person(api: Api, secret: str) -> AsyncIterator[Person]:
    async with signed_in(api, secret) as (client, socket):
        person = Person(client, socket)
        listening = asyncio.create_task(person.listen())
        try:
            yield person
        finally:
            listening.cancel()
