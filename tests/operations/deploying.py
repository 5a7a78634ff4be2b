"""Deployments that are approved, and workers that carry them out step by step."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from tests.operations.packages_world import mine
from tests.operations.pipeline_world import registered, stored, submitted
from tests.operations.review_world import approve, person, reviewable
from tests.operations.world import demo, process
from windtunnel.deploying.target import Release, ReleaseState
from windtunnel.domain.agents import Agent, AgentVersion, Pointer
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.deploy import deploy
from windtunnel.operations.services import Services
from windtunnel.operations.watch_deployment import watch_deployment
from windtunnel.storage import agent_versions, agents, deployment_care

SICK = {"kind": "command", "command": ["python", "-c", "raise SystemExit('out of order')"], "timeoutS": 10}
HANGING = {"kind": "command", "command": ["python", "-c", "import signal; signal.pause()"], "timeoutS": 20}


async def submitter(services: Services) -> Viewer:
    return await demo(services)


async def an_agent(services: Services) -> Agent:
    return await registered(services, await demo(services), f"agent-{new_id()[-12:]}")


async def waiting(services: Services, agent: Agent | None = None, **declared: Any) -> Deployment:
    """A deployment that a reviewer has approved, of an agent of its own unless given one."""
    viewer = await demo(services)
    deployment = await reviewable(services, viewer, agent, **declared)
    reviewer = await person(services, viewer, "reviewer@acme.test")
    await approve(services, reviewer, deployment)
    return await stored(services, deployment)


async def into_review(services: Services, **declared: Any) -> Deployment:
    """A deployment that waits for reviewers, where a deployer is at work and validates."""
    viewer = await demo(services)
    await person(services, viewer, "reviewer@acme.test")
    slug = f"agent-{new_id()[-12:]}"
    agent = await registered(services, viewer, slug)
    made = await submitted(services, viewer, agent, data=mine(**({"name": f"demo/{slug}"} | declared)))
    async with aclosing(watch_deployment(services, viewer, made.id)) as stream:
        async for event in stream:
            if event.status is S.IN_REVIEW:
                break
    made = await stored(services, made)
    assert made.status is S.IN_REVIEW, made.checks
    return made


async def through_review(services: Services, **declared: Any) -> Deployment:
    """As `waiting`, where a deployer is at work: it deploys at once what is approved."""
    made = await into_review(services, **declared)
    await approve(services, await person(services, await demo(services), "reviewer@acme.test"), made)
    return made


async def claimed(services: Services, owner: str = "deployer") -> list[Deployment]:
    return await deployment_care.claim(services.store, owner, 1_000)


async def deploy_all(services: Services) -> None:
    """Do what a deployer does, until nothing is left to be deployed."""
    while found := await claimed(services):
        for deployment in found:
            await deploy(services, deployment)


async def deployed(services: Services, agent: Agent | None = None, **declared: Any) -> Deployment:
    """A deployment that was approved, and that a deployer has dealt with."""
    made = await waiting(services, agent, **declared)
    await deploy_all(services)
    return await stored(services, made)


async def pointer_of(services: Services, deployment: Deployment) -> Pointer:
    found = await agents.pointers(services.store, deployment.tenant_id, [deployment.agent_id])
    return found[deployment.agent_id]


async def version_of(services: Services, deployment: Deployment) -> AgentVersion:
    id = deployment.version_id or ""  # noqa: A001
    return (await agent_versions.get_many(services.store, deployment.tenant_id, [id]))[id]


async def runs(services: Services) -> dict[Release, ReleaseState]:
    return {each.release: each.state for each in await services.target.observe()}


def release_of(deployment: Deployment) -> Release:
    return Release(deployment.tenant_id, deployment.agent_id, deployment.package_digest)


@asynccontextmanager
async def another(services: Services, url: str, owner: str = "heir") -> AsyncIterator[Services]:
    """Another process on the same database, bus and disk."""
    async with process(
        url, bus=services.bus, owner=owner, environments_dir=services.environments_dir, blobs=services.blobs
    ) as other:
        yield other
