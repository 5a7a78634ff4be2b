"""Processes that carry a rollback out, and are killed at one step after another.

    python -m tests.operations.dying_restoring DATABASE_URL DIRECTORY STEP|names

As `tests.operations.dying_deploying` does it: each restores the first version of an agent of its own, which has to be
started anew, is killed just before a step, and a rescuer does what another deployer does when the lease is over.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.operations.care import LEASE_OVER
from tests.operations.deploying import an_agent, deployed, pointer_of, release_of, runs, version_of
from tests.operations.dying import Killer, KillerAtNames, in_child
from tests.operations.dying_deploying import opened, warm_up
from tests.operations.pipeline_world import told
from tests.operations.releases_world import REASON
from tests.operations.world import demo
from windtunnel.domain.deployments import Deployment, DeploymentFilter
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.keep_production import Patience, keep_production
from windtunnel.operations.restore import restore
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.services import Services
from windtunnel.storage import audit, deployments, rollback_care, rollbacks, tenant_logs


async def restore_all(services: Services) -> None:
    """Do what a deployer does, until no rollback is left to be carried out."""
    while found := await rollback_care.claim(services.store, "deployer", 100):
        for rollback in found:
            await restore(services, rollback)


async def live_and_die(url: str, directory: Path, killer: Killer) -> None:
    async with opened(url, directory) as services:
        agent = await an_agent(services)
        first = await deployed(services, agent)
        await deployed(services, agent)
        await services.target.drain(release_of(first))
        await rollback_deployment(services, await demo(services), RollbackRequest(agent.id, REASON))
        killer.arm(services)
        await restore_all(services)
        killer.disarm()


async def rescue(url: str, directory: Path, at: int) -> dict[str, Any]:
    """What the killed one has left behind, and what became of it."""
    async with opened(url, directory, "rescuer") as services:
        viewer, store = await demo(services), services.store
        second, first = await _both(services, viewer)
        (rollback,) = (await rollbacks.of_deployments(store, viewer.tenant_id, [second.id]))[second.id]
        report: dict[str, Any] = {"at": at, "found": rollback.status, "step": rollback.step}
        report["before"] = [first.status, second.status]
        store.clock_offset = LEASE_OVER
        await restore_all(services)
        await keep_production(services, Patience())
        second, first = await _both(services, viewer)
        (rollback,) = (await rollbacks.of_deployments(store, viewer.tenant_id, [second.id]))[second.id]
        report["end"] = [rollback.status, first.status, second.status, rollback.lease_owner]
        report["versions"] = [(await version_of(services, each)).state for each in (first, second)]
        entries = await audit.read(store, viewer.tenant_id, 0, 10_000)
        actions = [str(entry.action) for entry in entries if entry.subject_id == rollback.id]
        report["audited"] = actions
        pointer = await pointer_of(services, first)
        report["pointer"] = [pointer.release_seq, pointer.deployment_id == first.id]
        logged = await tenant_logs.read_production(store, viewer.tenant_id, 0, 10_000)
        report["logged"] = [each.kind for each in logged if each.agent_id == first.agent_id]
        report["live"] = (await runs(services)).get(release_of(first))
        report["gapless"] = all(
            [event.seq for event in events] == list(range(1, len(events) + 1))
            for events in [await told(services, each) for each in (first, second)]
        )
        return report


async def _both(services: Services, viewer: Viewer) -> list[Deployment]:
    """The two deployments that were made last, the later one first."""
    page = await deployments.page(services.store, viewer.tenant_id, PageRequest(2), DeploymentFilter())
    return list(page.items)


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
