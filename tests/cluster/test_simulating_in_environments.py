"""An environment on PostgreSQL and Redis: its runs survive the processes that conduct them, and end with it."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest

from schema.ids import decode
from tests.clients import ask, events, follow_unsteadily, visitor
from tests.processes import Api, WorkerProcess
from tests.servers import RedisServer
from tests.waiting import a_moment
from windtunnel.domain.ids import namespace_of

TEXT = "Customers write to us. Route each message to a specialist; refunds need a manager."
SIMULATE = """mutation ($input: SimulateInput!) { simulate(input: $input) {
  simulation { id environment { id } } errors { code message } } }"""
PROVISION = """mutation { provisionEnvironment(input: { name: "try" }) {
  environment { id } errors { code message } } }"""
DELETE = """mutation ($id: ID!) { deleteEnvironment(input: { environmentId: $id }) {
  environment { status } errors { code message } } }"""
LOOK = "query ($id: ID!) { environment(id: $id) { status failure usage { simulations } cleanup { complete } } }"
SETTLED_S = 300.0


class Cluster:
    """Everything that runs, by name."""

    def __init__(self, apis: list[Api], workers: list[WorkerProcess], database_url: str) -> None:
        self.apis = apis
        self.workers = workers
        self.database_url = database_url

    async def conducting_worker(self, simulation_id: str) -> WorkerProcess:
        """The worker that conducts a simulation in an environment."""
        raw = (decode(simulation_id) or ("", ""))[1]
        connection = await asyncpg.connect(self.database_url)
        try:
            async with asyncio.timeout(SETTLED_S):
                while True:
                    owner = await connection.fetchval(
                        f"SELECT lease_owner FROM wte_{namespace_of(raw)}.simulations"
                        " WHERE id = $1 AND status = 'RUNNING'",
                        raw,
                    )
                    for worker in self.workers:
                        if owner and f":{worker.pid}:" in f":{owner}:":
                            return worker
                    await a_moment()
        finally:
            await connection.close()


@pytest.fixture
def cluster(tmp_path: Path, postgres_database_url: str, redis_server: RedisServer) -> Iterator[Cluster]:
    settings = {
        "WINDTUNNEL_DATABASE_URL": postgres_database_url,
        "WINDTUNNEL_REDIS_URL": redis_server.url,
        "WINDTUNNEL_DATA_DIR": str(tmp_path / "data"),
    }
    with ExitStack() as stack:
        apis = [stack.enter_context(Api(settings, "--no-worker")) for _ in range(2)]
        workers = [stack.enter_context(WorkerProcess(settings)) for _ in range(2)]
        yield Cluster(apis, workers, postgres_database_url)


async def until_status(client: httpx.AsyncClient, api: Api, id: str, status: str) -> Any:
    async with asyncio.timeout(SETTLED_S):
        while (found := (await ask(client, api.url, LOOK, id=id))["environment"])["status"] != status:
            await a_moment()
    return found


async def _simulate(client: httpx.AsyncClient, api: Api, environment: str | None, **more: Any) -> str:
    asked = {"scenario": {"text": TEXT}, "seed": 11, "environmentId": environment, **more}
    payload = (await ask(client, api.url, SIMULATE, input=asked))["simulate"]
    assert payload["errors"] == []
    assert (payload["simulation"]["environment"] or {}).get("id") == environment
    simulation_id: str = payload["simulation"]["id"]
    return simulation_id


async def test_runs_in_an_environment_survive_their_conductor_and_end_with_it(cluster: Cluster) -> None:
    one, two = cluster.apis
    urls = [api.websocket_url for api in cluster.apis]
    async with visitor() as client:
        environment = (await ask(client, one.url, PROVISION))["provisionEnvironment"]["environment"]["id"]
        await until_status(client, two, environment, "READY")
        calm = await _simulate(client, one, None, waitFor="FINISHED")
        expected = await follow_unsteadily(urls, calm, seed=0, losses=0)
        stormy = await _simulate(client, two, environment, pace=expected[-1]["elapsedMs"] / 1000 / 4)
        followers = [
            asyncio.create_task(follow_unsteadily(urls, stormy, seed=number, losses=number)) for number in range(4)
        ]
        conductor = await cluster.conducting_worker(stormy)
        async with asyncio.timeout(SETTLED_S), aclosing(events(one.websocket_url, stormy)) as stream:
            async for event in stream:
                if event["seq"] > len(expected) // 2:
                    break
        conductor.kill()
        cluster.workers.remove(conductor)
        async with asyncio.timeout(SETTLED_S):
            for received in await asyncio.gather(*followers):
                assert received == expected

        endless = await _simulate(client, one, environment, pace=0.001)
        last = asyncio.create_task(follow_unsteadily(urls, endless, seed=0, losses=0))
        await cluster.conducting_worker(endless)
        assert (await ask(client, two.url, DELETE, id=environment))["deleteEnvironment"]["errors"] == []
        async with asyncio.timeout(SETTLED_S):
            assert (await last)[-1]["kind"] == "SIMULATION_FINISHED"
        gone = await until_status(client, one, environment, "DELETED")
        assert gone["cleanup"] == {"complete": True}
        assert gone["usage"] == {"simulations": 2}
    connection = await asyncpg.connect(cluster.database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'wte\\_%'") == 0
    finally:
        await connection.close()
