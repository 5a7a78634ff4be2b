"""Two API processes and two workers on PostgreSQL and Redis, while the bus and the conducting worker are killed."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest

from tests.clients import ask, events, follow_unsteadily, visitor
from tests.processes import Api, WorkerProcess
from tests.servers import RedisServer
from tests.waiting import a_moment

SUBSCRIBERS = 50
TEXT = (
    "Customers email us about billing problems, bugs and ideas. Each message goes to the right specialist, who looks "
    "the customer up, fixes the issue or issues a refund. Refunds over $200 need a manager to sign off."
)
SIMULATE = """mutation ($input: SimulateInput!) { simulate(input: $input) {
  simulation { id } errors { code message } } }"""
SETTLED_S = 300.0


class Cluster:
    """Everything that runs, by name."""

    def __init__(self, apis: list[Api], workers: list[WorkerProcess], redis: RedisServer, database_url: str) -> None:
        self.apis = apis
        self.workers = workers
        self.redis = redis
        self.database_url = database_url

    async def conducting_worker(self, simulation_id: str) -> WorkerProcess:
        """The worker process that holds the lease of the only running simulation."""
        connection = await asyncpg.connect(self.database_url)
        try:
            async with asyncio.timeout(SETTLED_S):
                while True:
                    owner = await connection.fetchval(
                        "SELECT lease_owner FROM simulations WHERE status = 'RUNNING' AND lease_owner IS NOT NULL"
                    )
                    for worker in self.workers:
                        if owner and f":{worker.pid}:" in f":{owner}:":
                            return worker
                    await a_moment()
        finally:
            await connection.close()


@pytest.fixture
def cluster(postgres_database_url: str, redis_server: RedisServer) -> Iterator[Cluster]:
    settings = {"WINDTUNNEL_DATABASE_URL": postgres_database_url, "WINDTUNNEL_REDIS_URL": redis_server.url}
    with ExitStack() as stack:
        apis = [stack.enter_context(Api(settings, "--no-worker")) for _ in range(2)]
        workers = [stack.enter_context(WorkerProcess(settings)) for _ in range(2)]
        yield Cluster(apis, workers, redis_server, postgres_database_url)


async def _simulate(client: httpx.AsyncClient, api: Api, **more: Any) -> str:
    data = await ask(client, api.url, SIMULATE, input={"scenario": {"text": TEXT}, "seed": 11, **more})
    assert data["simulate"]["errors"] == []
    simulation_id: str = data["simulate"]["simulation"]["id"]
    return simulation_id


async def test_fifty_subscribers_get_exactly_every_event_while_bus_and_conductor_are_killed(cluster: Cluster) -> None:
    urls = [api.websocket_url for api in cluster.apis]
    async with visitor() as client:
        calm = await _simulate(client, cluster.apis[0], waitFor="FINISHED")
        expected = await follow_unsteadily(urls, calm, seed=0, losses=0)
        assert [event["seq"] for event in expected] == list(range(1, len(expected) + 1))
        pace = expected[-1]["elapsedMs"] / 1000 / 6  # about six seconds of real time

        stormy = await _simulate(client, cluster.apis[1], pace=pace)
        followers = [
            asyncio.create_task(follow_unsteadily(urls, stormy, seed=number, losses=number % 4))
            for number in range(SUBSCRIBERS)
        ]
        conductor = await cluster.conducting_worker(stormy)
        await _reached(cluster.apis[0], stormy, len(expected) // 4)
        cluster.redis.kill()
        await _reached(cluster.apis[0], stormy, len(expected) // 3)
        await asyncio.to_thread(cluster.redis.start)
        await _reached(cluster.apis[0], stormy, len(expected) // 2)
        conductor.kill()
        async with asyncio.timeout(SETTLED_S):
            received = await asyncio.gather(*followers)
        told = await ask(client, cluster.apis[0].url, "{ notifications { nodes { seq subject { id } } } }")

    for stream in received:
        assert stream == expected
    # Whoever takes over brings about the one end, and tells of it once.
    assert told["notifications"]["nodes"] == [
        {"seq": 2, "subject": {"id": stormy}},
        {"seq": 1, "subject": {"id": calm}},
    ]


async def _reached(api: Api, simulation_id: str, seq: int) -> None:
    async with asyncio.timeout(SETTLED_S), aclosing(events(api.websocket_url, simulation_id)) as stream:
        async for event in stream:
            if event["seq"] >= seq:
                return


async def test_a_killed_planner_process_loses_nothing_that_was_acknowledged(cluster: Cluster) -> None:
    urls = [cluster.apis[1].websocket_url]
    async with visitor() as client:
        accepted = [
            await _simulate(client, cluster.apis[0], waitFor="ACCEPTED", idempotencyKey=f"accepted-{number}")
            for number in range(5)
        ]
        cluster.apis[0].kill()
        async with asyncio.timeout(SETTLED_S):
            streams = await asyncio.gather(*(follow_unsteadily(urls, id_, seed=1, losses=0) for id_ in accepted))
    assert all(stream == streams[0] for stream in streams)
    assert streams[0][-1]["kind"] == "SIMULATION_FINISHED"
