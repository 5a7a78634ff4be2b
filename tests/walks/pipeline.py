"""Deployments in any status, of agents that are in production, submitted by somebody else than who asks."""

from tests.operations.packages_world import mine
from tests.operations.pipeline_world import became, registered, stored, submitted
from tests.operations.releases_world import go_live
from tests.operations.review_world import approve, person, review_of, reviewable
from tests.storage.worlds import colleague
from windtunnel.domain.agents import Agent
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.ids import new_id
from windtunnel.domain.reviews import QueueChange
from windtunnel.domain.rollbacks import ProductionEventKind, Rollback
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.restoring import complete
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.services import Services
from windtunnel.storage import agents, rollback_care, tenant_logs

REASON = "It answers in the wrong language."


async def in_production(services: Services, viewer: Viewer) -> tuple[Agent, Deployment, Deployment]:
    """An agent with two versions that went live, one after the other, and their deployments."""
    agent = await registered(services, viewer, f"agent-{new_id()[-12:]}")
    first, second = [await _live(services, viewer, agent, number) for number in ("1.0.0", "2.0.0")]
    async with services.store.transaction(viewer.tenant_id):
        await tenant_logs.append_production(
            services.store,
            viewer.tenant_id,
            ProductionEventKind.VERSION_LIVE,
            agent_id=agent.id,
            version_id=second.version_id,
            previous_id=first.version_id,
        )
    return agent, await stored(services, first), await stored(services, second)


async def waiting(services: Services, viewer: Viewer, agent: Agent | None = None, version: str = "1.0.0") -> Deployment:
    """A deployment in review; the package of one version is the same for all agents."""
    submitter = await colleague(services.store, viewer, f"Developer {new_id()[-6:]}")
    made = await reviewable(services, submitter, agent, version=version)
    review = await review_of(services, made)
    async with services.store.transaction(viewer.tenant_id):
        await tenant_logs.append_queue(services.store, viewer.tenant_id, QueueChange.ENTERED, review.id)
    return made


async def rolled_back(services: Services, viewer: Viewer, agent: Agent) -> Rollback:
    """What was in production before is restored."""
    made = await rollback_deployment(services, viewer, RollbackRequest(agent.id, REASON))
    (claimed,) = [each for each in await rollback_care.claim(services.store, "deployer", 100) if each.id == made.id]
    await complete(services, claimed)
    return made


async def in_status(services: Services, viewer: Viewer, status: S) -> Deployment:
    """A deployment in this status, of an agent that is in production."""
    agent, retired, live = await in_production(services, viewer)
    if status in {S.RETIRED, S.LIVE}:
        return retired if status is S.RETIRED else live
    if status is S.ROLLED_BACK:
        await rolled_back(services, viewer, agent)
        return await stored(services, live)
    if status in {S.SUBMITTED, S.VALIDATING, S.INVALID}:
        return await _submitted(services, viewer, agent, status)
    made = await waiting(services, viewer, agent, "3.0.0")
    if status in {S.IN_REVIEW, S.REJECTED, S.EXPIRED, S.WITHDRAWN}:
        return made if status is S.IN_REVIEW else await became(services, made, status)
    await approve(services, await _reviewer(services, viewer), made)
    if status is S.HELD:
        await rolled_back(services, viewer, agent)
    elif status in {S.DEPLOYING, S.DEPLOY_FAILED}:
        await became(services, made, *(S.DEPLOYING, S.DEPLOY_FAILED)[: 1 + (status is S.DEPLOY_FAILED)])
    elif status is S.LAPSED:
        await became(services, made, status)
    return await stored(services, made)


async def agent_of(services: Services, deployment: Deployment) -> Agent:
    found = await agents.get(services.store, deployment.tenant_id, deployment.agent_id)
    assert found
    return found


async def _submitted(services: Services, viewer: Viewer, agent: Agent, status: S) -> Deployment:
    submitter = await colleague(services.store, viewer, f"Developer {new_id()[-6:]}")
    made = await submitted(services, submitter, agent, data=mine(version="3.0.0"))
    later = {S.SUBMITTED: (), S.VALIDATING: (S.VALIDATING,), S.INVALID: (S.VALIDATING, S.INVALID)}
    return await became(services, made, *later[status])


async def _live(services: Services, viewer: Viewer, agent: Agent, version: str) -> Deployment:
    made = await waiting(services, viewer, agent, version)
    await approve(services, await _reviewer(services, viewer), made)
    assert await go_live(services, await stored(services, made)) is not None
    return made


async def _reviewer(services: Services, viewer: Viewer) -> Viewer:
    return await person(services, viewer, "reviewer@walk.test")
