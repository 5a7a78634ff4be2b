"""Environments: asked for -> READY (goal: p95 1 s embedded, 5 s on PostgreSQL), deleted -> DELETED (1 s); 100 at once.

Then create-run-delete again and again: what the server holds afterwards must be what it held before.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
from websockets.asyncio.client import ClientConnection

from benchmarks.server import TEXT, ms, percentile, print_row
from benchmarks.sign_in import secrets, signed_in
from tests.databases import migrate_url, postgres_database
from tests.processes import Api
from tests.servers import PostgresServer
from windtunnel.domain.viewers import Role

ROUNDS = 30
TENANTS, EACH = 10, 10
CYCLES = 500
WARM_CYCLES = 20
PROVISION = """mutation ($input: ProvisionEnvironmentInput!) { done: provisionEnvironment(input: $input) {
  environment { id } errors { message } } }"""
DELETE = """mutation ($input: DeleteEnvironmentInput!) { done: deleteEnvironment(input: $input) {
  environment { id } errors { message } } }"""
SIMULATE = """mutation ($input: SimulateInput!) { done: simulate(input: $input) {
  simulation { status } errors { message } } }"""
EVENTS = "subscription ($id: ID!) { environmentEvents(environmentId: $id) { status message } }"


class Tenant:
    """A developer of one tenant, with a client and a socket that stay open."""

    def __init__(self, client: httpx.AsyncClient, socket: ClientConnection) -> None:
        self._client = client
        self._socket = socket
        self._number = 0

    async def create(self) -> tuple[str, float]:
        """The id of a new environment, and the seconds until it was READY."""
        begin = time.perf_counter()
        made = await self._do(PROVISION, name="benchmark")
        await self._until(made["environment"]["id"], "READY")
        return made["environment"]["id"], time.perf_counter() - begin

    async def run(self, environment_id: str) -> None:
        """Simulate in it, to the end."""
        await self._do(SIMULATE, scenario={"text": TEXT}, environmentId=environment_id, waitFor="FINISHED")

    async def delete(self, environment_id: str) -> float:
        """The seconds until nothing of it was left."""
        begin = time.perf_counter()
        await self._do(DELETE, environmentId=environment_id)
        await self._until(environment_id, "DELETED")
        return time.perf_counter() - begin

    async def _do(self, query: str, **given: Any) -> Any:
        answer = (await self._client.post("/graphql", json={"query": query, "variables": {"input": given}})).json()
        assert "errors" not in answer, answer
        assert answer["data"]["done"]["errors"] == [], answer
        return answer["data"]["done"]

    async def _until(self, environment_id: str, status: str) -> None:
        self._number += 1
        name, payload = str(self._number), {"query": EVENTS, "variables": {"id": environment_id}}
        await self._socket.send(orjson.dumps({"id": name, "type": "subscribe", "payload": payload}).decode())
        while True:
            message = orjson.loads(await self._socket.recv())
            if message.get("id") != name:
                continue
            assert message["type"] == "next", message
            event = message["payload"]["data"]["environmentEvents"]
            assert event["status"] not in {"FAILED", "DELETE_STUCK"}, event
            if event["status"] == status:
                break
        await self._socket.send(orjson.dumps({"id": name, "type": "complete"}).decode())


@asynccontextmanager
async def tenant(api: Api, token: str) -> AsyncIterator[Tenant]:
    """Signed in with the token."""
    async with signed_in(api, token) as (client, socket):
        yield Tenant(client, socket)


async def tokens(url: str) -> list[str]:
    """The secrets of one developer in each of the tenants, on a migrated database."""
    return await secrets(
        url, [(f"tenant-{number}", "developer@example.com", Role.DEVELOPER) for number in range(TENANTS)]
    )


def held(api: Api, directory: Path) -> str:
    """What the server holds: file descriptors, threads, memory; and directories of environments."""
    process = psutil.Process(api.pid)
    places = len(list(directory.glob("environments*/*")))
    memory = process.memory_info().rss / 1024**2
    return f"{process.num_fds()} fds, {process.num_threads()} threads, {memory:.0f} MiB, {places} directories"


async def measure(api: Api, directory: Path, secrets: list[str]) -> None:
    """Print everything for one server."""
    async with tenant(api, secrets[0]) as one:
        created, deleted = [], []
        for _ in range(ROUNDS):
            environment_id, took = await one.create()
            created.append(took)
            await one.run(environment_id)
            deleted.append(await one.delete(environment_id))
        for what, times in (("asked for -> READY", created), ("deleted -> DELETED", deleted)):
            print_row(f"  {what}", f"p50 {ms(percentile(times, 0.5))}", f"p95 {ms(percentile(times, 0.95))}")
    await at_once(api, secrets)
    async with tenant(api, secrets[0]) as one:
        for number in range(CYCLES + 1):
            if number in {WARM_CYCLES, CYCLES}:
                print_row(f"  after {number} times create, run, delete", held(api, directory))
            environment_id, _ = await one.create()
            await one.run(environment_id)
            await one.delete(environment_id)


async def at_once(api: Api, secrets: list[str]) -> None:
    """As many as all the tenants may have, asked for in the same moment."""

    async def ten(token: str) -> list[float]:
        async with AsyncExitStack() as stack:
            tenants = [await stack.enter_async_context(tenant(api, token)) for _ in range(EACH)]
            made = await asyncio.gather(*(each.create() for each in tenants))
            await asyncio.gather(*(each.delete(name) for each, (name, _) in zip(tenants, made, strict=True)))
        return [took for _, took in made]

    begin = time.perf_counter()
    times = [took for each in await asyncio.gather(*map(ten, secrets)) for took in each]
    whole = time.perf_counter() - begin
    print_row(
        f"  {TENANTS * EACH} at once, over {TENANTS} tenants",
        f"p95 {ms(percentile(times, 0.95))}",
        f"all made and deleted {whole:.1f} s",
    )


def engines() -> Iterator[tuple[str, str | None]]:
    """The engines by name, and the URL of a fresh database (None: the default)."""
    yield "SQLite", None
    with PostgresServer() as server, postgres_database(server.url) as url:
        migrate_url(url)
        yield "PostgreSQL", url


def main() -> None:
    """One server after the other."""
    for name, url in engines():
        with tempfile.TemporaryDirectory(prefix="windtunnel-bench-") as made:
            directory = Path(made)
            settings = {"WINDTUNNEL_DATA_DIR": made, "WINDTUNNEL_LOG_LEVEL": "error"}
            if url:
                settings["WINDTUNNEL_DATABASE_URL"] = url
            secrets = asyncio.run(tokens(url or f"sqlite:///{directory / 'windtunnel.db'}"))
            with Api(settings) as api:
                print(name, flush=True)
                asyncio.run(measure(api, directory, secrets))


if __name__ == "__main__":
    main()
