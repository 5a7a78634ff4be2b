"""Workers on PostgreSQL and Redis are killed again and again while environments are made, and taken away."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest
from redis.asyncio import Redis

from tests.clients import ask, visitor
from tests.processes import Api, WorkerProcess
from tests.waiting import a_moment

PROVISION = """mutation ($input: ProvisionEnvironmentInput!) { provisionEnvironment(input: $input) {
  environment { id } errors { message } } }"""
DELETE = """mutation ($input: DeleteEnvironmentInput!) { deleteEnvironment(input: $input) { errors { message } } }"""
HAVE = """{ environments { nodes { status isolation { namespace } cleanup { complete digest } } }
  viewer { quotas { environments { used } } } }"""
SETTLED_S = 300.0
KILLS = 4


class Cluster:
    """An API process and two workers, one of which is always being killed and started again."""

    def __init__(self, settings: dict[str, str], stack: ExitStack) -> None:
        self.settings = settings
        self.directory = Path(settings["WINDTUNNEL_DATA_DIR"])
        self.api = stack.enter_context(Api(settings, "--no-worker"))
        self.workers = [stack.enter_context(WorkerProcess(settings)) for _ in range(2)]

    async def storm(self) -> None:
        """Kill the workers in turn, each as soon as the other is back."""
        for worker in itertools.islice(itertools.cycle(self.workers), KILLS):
            worker.kill()
            await asyncio.to_thread(worker.start)


@pytest.fixture
def cluster(postgres_database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Cluster]:
    settings = {
        "WINDTUNNEL_DATABASE_URL": postgres_database_url,
        "WINDTUNNEL_REDIS_URL": redis_url,
        "WINDTUNNEL_DATA_DIR": str(tmp_path),
    }
    with ExitStack() as stack:
        yield Cluster(settings, stack)


async def test_environments_are_made_and_taken_away_though_workers_are_killed(cluster: Cluster) -> None:
    async with visitor() as client:
        made = [await _do(client, cluster, PROVISION, name=f"number {number}") for number in range(10)]
        await cluster.storm()
        have = await _settled(client, cluster, {"READY"})
        namespaces = [each["isolation"]["namespace"] for each in have["environments"]["nodes"]]
        assert all([await _left(cluster, namespace) for namespace in namespaces])
        for each in made:
            await _do(client, cluster, DELETE, environmentId=each["provisionEnvironment"]["environment"]["id"])
        await cluster.storm()
        have = await _settled(client, cluster, {"DELETED"})
    assert have["viewer"]["quotas"]["environments"]["used"] == 0
    assert all(each["cleanup"]["complete"] and each["cleanup"]["digest"] for each in have["environments"]["nodes"])
    assert [await _left(cluster, namespace) for namespace in namespaces] == [[]] * 10


async def _do(client: httpx.AsyncClient, cluster: Cluster, query: str, **given: Any) -> Any:
    data = await ask(client, cluster.api.url, query, input=given)
    (answer,) = data.values()
    assert answer["errors"] == []
    return data


async def _settled(client: httpx.AsyncClient, cluster: Cluster, statuses: set[str]) -> Any:
    async with asyncio.timeout(SETTLED_S):
        while True:
            have = await ask(client, cluster.api.url, HAVE)
            if {each["status"] for each in have["environments"]["nodes"]} == statuses:
                # Asked once more: fields of one answer are read side by side, each as of its own moment.
                return await ask(client, cluster.api.url, HAVE)
            await a_moment()


async def _left(cluster: Cluster, namespace: str) -> list[str]:
    """Schemas, roles, users of Redis and files that are named after an environment."""
    connection = await asyncpg.connect(cluster.settings["WINDTUNNEL_DATABASE_URL"])
    try:
        rows = await connection.fetch("SELECT nspname FROM pg_namespace UNION ALL SELECT rolname FROM pg_roles")
    finally:
        await connection.close()
    redis = Redis.from_url(cluster.settings["WINDTUNNEL_REDIS_URL"])
    try:
        users = [str(user) for user in await redis.execute_command("ACL LIST")]  # type: ignore[no-untyped-call]
    finally:
        await redis.aclose()
    files = await asyncio.to_thread(_files, cluster.directory)
    return [name for name in [*(row[0] for row in rows), *users, *files] if namespace in name]


def _files(directory: Path) -> list[str]:
    """Unlike `rglob`, it goes on where something goes while it looks."""
    return [f"{folder}/{name}" for folder, inner, names in os.walk(directory) for name in inner + names]
