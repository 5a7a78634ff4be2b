"""Workers on PostgreSQL and Redis are killed while they deploy: another finishes in time, production comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.operations.deploying import through_review
from tests.operations.pipeline_world import stored, told
from tests.operations.world import process
from tests.processes import WorkerProcess
from tests.waiting import a_moment
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.operations.services import Services
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.sandbox import sweeping
from windtunnel.streams.bus import open_bus
from windtunnel.vault.sealing import Vault

STEPS = ["approval", "starting"]
"""Those that leave time enough to be killed in."""
FINISHED_WITHIN_S = 120.0
"""Fifteen seconds of which are the lease and what follows it; the rest is for machines that are busy with others."""
SLOW = {"kind": "command", "command": ["python", "-c", "import select; select.select([], [], [], 2)"], "timeoutS": 20}
SETTLED_S = 300.0


class Cluster:
    """Two workers, and what they share."""

    def __init__(self, settings: dict[str, str], workers: list[WorkerProcess]) -> None:
        self.settings = settings
        self.directory = Path(settings["WINDTUNNEL_DATA_DIR"])
        self.workers = workers

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Services]:
        """A process that asks for deployments, as the API does."""
        bus = await open_bus(self.settings["WINDTUNNEL_REDIS_URL"])
        vault = Vault.open(self.directory / "keys" / "secrets.key")
        url = self.settings["WINDTUNNEL_DATABASE_URL"]
        async with process(url, bus=bus, vault=vault, blobs=DirectoryBlobs(self.directory / "packages")) as services:
            yield services
        await bus.close()

    def running(self, deployment: Deployment) -> int:
        """How many processes of the deployment's package there are."""
        root = self.directory / "production" / deployment.agent_id / deployment.package_digest
        found = self.directory.glob(f"production*/{deployment.agent_id}/{deployment.package_digest}")
        return sum(len(sweeping.remaining(path / "runs", path / "work")) for path in {root, *found})


@pytest.fixture
def cluster(postgres_database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Cluster]:
    settings = {
        "WINDTUNNEL_DATABASE_URL": postgres_database_url,
        "WINDTUNNEL_REDIS_URL": redis_url,
        "WINDTUNNEL_DATA_DIR": str(tmp_path),
    }
    with ExitStack() as stack:
        yield Cluster(settings, [stack.enter_context(WorkerProcess(settings)) for _ in range(2)])


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_killed_at_a_step_is_followed_by_another(cluster: Cluster, step: str) -> None:
    async with cluster.asking() as services:
        made = await through_review(services, health=SLOW)
        worker = await _worker_at(cluster, services, made, step)
        killed_at = time.monotonic()
        worker.kill()
        done = await _until(services, made, S.LIVE)
        assert time.monotonic() - killed_at < FINISHED_WITHIN_S
        assert done.attempts == 1
        assert [event.step for event in await told(services, made)].count("live") == 1


async def test_production_comes_back_when_all_workers_were_killed(cluster: Cluster) -> None:
    async with cluster.asking() as services:
        made = await through_review(services)
        await _until(services, made, S.LIVE)
        for worker in cluster.workers:
            worker.kill()
        await _settled(lambda: not cluster.running(made))
        await asyncio.to_thread(cluster.workers[0].start)
        await _settled(lambda: cluster.running(made) > 0)
        assert (await stored(services, made)).status is S.LIVE


async def _settled(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SETTLED_S):
        while not condition():
            await a_moment()


async def _worker_at(cluster: Cluster, services: Services, deployment: Deployment, step: str) -> WorkerProcess:
    """The worker that has just taken the step."""
    async with asyncio.timeout(SETTLED_S):
        while step not in [event.step for event in await told(services, deployment)]:
            await a_moment()
    owner = (await stored(services, deployment)).lease_owner
    for worker in cluster.workers:
        if f":{worker.pid}:" in f":{owner}:":
            return worker
    raise AssertionError((owner, (await stored(services, deployment)).status))


async def _until(services: Services, deployment: Deployment, status: S) -> Deployment:
    async with asyncio.timeout(SETTLED_S):
        while (now := await stored(services, deployment)).status is not status:
            assert now.status not in {S.DEPLOY_FAILED, S.LAPSED}, now.failure
            await a_moment()
    return now
