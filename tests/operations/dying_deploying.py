"""Processes that deploy, and are killed at one step after another.

    python -m tests.operations.dying_deploying DATABASE_URL DIRECTORY STEP|names

As `tests.operations.dying` does it: each deploys the next version of an agent of its own, is killed just before a step,
and a rescuer does what another deployer does that comes when the lease is over.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.operations.care import LEASE_OVER
from tests.operations.deploying import an_agent, deploy_all, deployed, pointer_of, release_of, runs, version_of, waiting
from tests.operations.dying import Killer, KillerAtNames, in_child
from tests.operations.pipeline_world import told
from tests.operations.world import demo, process
from windtunnel.domain.deployments import DeploymentFilter
from windtunnel.domain.pages import PageRequest
from windtunnel.operations.keep_production import Patience, keep_production
from windtunnel.operations.sandboxes import isolation_of
from windtunnel.operations.services import Services
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.sandbox import sweeping
from windtunnel.storage import audit, deployments, tenant_logs


@asynccontextmanager
async def opened(url: str, directory: Path, owner: str = "one") -> AsyncIterator[Services]:
    blobs = DirectoryBlobs(directory / "packages")
    async with process(url, environments_dir=directory / "environments", blobs=blobs, owner=owner) as services:
        yield services


async def live_and_die(url: str, directory: Path, killer: Killer) -> None:
    async with opened(url, directory) as services:
        agent = await an_agent(services)
        await deployed(services, agent)
        await waiting(services, agent)
        killer.arm(services)
        await deploy_all(services)
        killer.disarm()


async def rescue(url: str, directory: Path, at: int) -> dict[str, Any]:
    """What the killed one has left behind, and what became of it."""
    async with opened(url, directory, "rescuer") as services:
        viewer = await demo(services)
        store, tenant_id = services.store, viewer.tenant_id
        page = await deployments.page(store, tenant_id, PageRequest(2), DeploymentFilter())
        after, before = page.items
        report: dict[str, Any] = {"at": at, "found": after.status, "step": (await told(services, after))[-1].step}
        while any(_roots(directory, after.agent_id)):  # noqa: ASYNC110 - what dies with it tells nobody
            await asyncio.sleep(0)
        store.clock_offset = LEASE_OVER
        await deploy_all(services)
        await keep_production(services, Patience())
        after, before = (await deployments.page(store, tenant_id, PageRequest(2), DeploymentFilter())).items
        entries = await audit.read(store, tenant_id, 0, 10_000)
        actions = [str(entry.action) for entry in entries if entry.subject.id == after.id]
        report["audited"] = [actions.count("DEPLOYMENT_STARTED"), actions.count("DEPLOYMENT_COMPLETED")]
        report["end"] = [after.status, before.status, after.attempts, after.lease_owner]
        report["versions"] = [(await version_of(services, each)).state for each in (after, before)]
        pointer = await pointer_of(services, after)
        report["pointer"] = [pointer.release_seq, pointer.deployment_id == after.id]
        logged = await tenant_logs.read_production(store, tenant_id, 0, 10_000)
        report["logged"] = [each.version_id for each in logged].count(after.version_id)
        report["live"] = (await runs(services)).get(release_of(after))
        events = await told(services, after)
        report["gapless"] = [event.seq for event in events] == list(range(1, len(events) + 1))
        return report


def _roots(directory: Path, agent_id: str) -> list[tuple[int, ...]]:
    found = (directory / "production" / agent_id).glob("*/runs")
    return [sweeping.remaining(path, path.parent / "work") for path in found]


async def warm_up(url: str, directory: Path) -> None:
    """Find out about isolation, which those that are forked know then."""
    async with opened(url, directory) as services:
        await demo(services)
        await isolation_of(services)


def main() -> None:
    url, directory = sys.argv[1], Path(sys.argv[2])
    named = sys.argv[3] == "names"
    asyncio.run(warm_up(url, directory))
    at, survived = 1, False
    while not survived:
        killer = KillerAtNames(at) if named else Killer(at)
        survived = in_child(partial(live_and_die, url, directory, killer))
        in_child(partial(rescue, url, directory, at))
        at += 1 if named else int(sys.argv[3])


if __name__ == "__main__":
    main()
