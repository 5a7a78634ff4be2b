"""Code of a package on PostgreSQL: it dies with the worker that runs it, is run again by another, and ends for good."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.clients import ask, visitor
from tests.operations.packages_world import agent
from tests.operations.test_code_kept_in import ENDLESS
from tests.processes import Api, WorkerProcess
from tests.sandbox.house import named, new_name
from tests.servers import RedisServer
from tests.waiting import a_moment

PROVISION = """mutation { provisionEnvironment(input: { name: "try" }) {
  environment { id } errors { code message } } }"""
SIMULATE = """mutation ($input: SimulateInput!) { simulate(input: $input) {
  simulation { id packageDigest } errors { code message } } }"""
DELETE = """mutation ($id: ID!) { deleteEnvironment(input: { environmentId: $id }) {
  environment { status } errors { code message } } }"""
LOOK = """query ($id: ID!) { environment(id: $id) { status failure isolation { level allowsCode probes { outcome } }
  cleanup { complete } } }"""
SETTLED_S = 300.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SETTLED_S):
        while not condition():
            await asyncio.to_thread(named, "nobody")


async def until_status(client: httpx.AsyncClient, api: Api, id: str, status: str) -> Any:
    async with asyncio.timeout(SETTLED_S):
        while (found := (await ask(client, api.url, LOOK, id=id))["environment"])["status"] != status:
            await a_moment()
    return found


async def test_code_dies_with_its_worker_and_with_its_environment(
    tmp_path: Path, postgres_database_url: str, redis_server: RedisServer
) -> None:
    settings = {
        "WINDTUNNEL_DATABASE_URL": postgres_database_url,
        "WINDTUNNEL_REDIS_URL": redis_server.url,
        "WINDTUNNEL_DATA_DIR": str(tmp_path / "data"),
    }
    name = new_name()
    with Api(settings, "--no-worker") as api, WorkerProcess(settings) as first:
        async with visitor() as client:
            uploaded = await client.put(f"{api.url}/packages", content=agent(ENDLESS))
            asked = (await ask(client, api.url, PROVISION))["provisionEnvironment"]["environment"]["id"]
            environment = await until_status(client, api, asked, "READY")
            assert "ALLOWED" not in {each["outcome"] for each in environment["isolation"]["probes"]}
            if not environment["isolation"]["allowsCode"]:
                return  # this host runs none
            scenario = {"scenario": {"text": f"{name} reads a ticket."}, "environmentId": asked}
            wanted = scenario | {"packageDigest": uploaded.json()["digest"]}
            payload = (await ask(client, api.url, SIMULATE, input=wanted))["simulate"]
            assert payload["errors"] == []
            await until(lambda: bool(named(name)))
            first.kill()
            await until(lambda: not named(name))
            with WorkerProcess(settings):
                await until(lambda: bool(named(name)))
                begun = time.monotonic()
                assert (await ask(client, api.url, DELETE, id=asked))["deleteEnvironment"]["errors"] == []
                await until(lambda: not named(name))
                assert time.monotonic() - begun < 30
                gone = await until_status(client, api, asked, "DELETED")
                assert gone["cleanup"] == {"complete": True}
    assert list((tmp_path / "data").glob("environments*/*")) == []
