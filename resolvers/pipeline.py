"""The verbs of the pipeline, from registering an agent to taking a version back; and following what happens."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

from resolvers.context import Context
from resolvers.simulations import check_after
from windtunnel.domain.agents import Agent, AgentVersion
from windtunnel.domain.deployments import Deployment, DeploymentEvent
from windtunnel.domain.reviews import QueueEvent, Review
from windtunnel.domain.rollbacks import ProductionEvent, Rollback
from windtunnel.domain.submissions import RegisterRequest, SubmitRequest
from windtunnel.operations.approve_deployment import ApproveRequest, approve_deployment
from windtunnel.operations.claim_review import claim_review
from windtunnel.operations.expect_review import expectation_of
from windtunnel.operations.register_agent import register_agent
from windtunnel.operations.reject_deployment import RejectRequest, reject_deployment
from windtunnel.operations.release_hold import release_hold
from windtunnel.operations.release_quarantine import release_quarantine
from windtunnel.operations.retry_deployment import retry_deployment
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.operations.submit_deployment import submit_deployment
from windtunnel.operations.watch_deployment import watch_deployment
from windtunnel.operations.watch_production import watch_production
from windtunnel.operations.watch_review_queue import watch_review_queue
from windtunnel.operations.withdraw_deployment import withdraw_deployment


async def register(context: Context, request: RegisterRequest) -> Agent:
    """A new agent."""
    return await register_agent(context.services, context.signed_in(), request)


async def submit(context: Context, request: SubmitRequest) -> Deployment:
    """A new deployment, which is being validated."""
    return await submit_deployment(context.services, context.signed_in(), request)


async def expected_by(context: Context, deployment: Deployment) -> datetime:
    """When a decision on the deployment is expected."""
    return (await expectation_of(context.services, deployment)).at


async def withdraw(context: Context, id: str, reason: str | None, idempotency_key: str | None) -> Deployment:
    """The deployment, taken back by who submitted it."""
    return await withdraw_deployment(context.services, context.signed_in(), id, reason, idempotency_key)


async def retry(context: Context, id: str, idempotency_key: str | None) -> Deployment:
    """The deployment, which is tried once more."""
    return await retry_deployment(context.services, context.signed_in(), id, idempotency_key)


async def claim(context: Context, id: str) -> Review:
    """The review, claimed by the viewer."""
    return await claim_review(context.services, context.signed_in(), id)


async def approve(context: Context, request: ApproveRequest) -> Deployment:
    """The deployment with the viewer's approval."""
    return await approve_deployment(context.services, context.signed_in(), request)


async def reject(context: Context, request: RejectRequest) -> Deployment:
    """The deployment, rejected by the viewer."""
    return await reject_deployment(context.services, context.signed_in(), request)


async def roll_back(context: Context, request: RollbackRequest) -> Rollback:
    """A new rollback, which is under way."""
    return await rollback_deployment(context.services, context.signed_in(), request)


async def lift_hold(context: Context, agent_id: str, reason: str, idempotency_key: str | None) -> Agent:
    """The agent, of which nothing is held any more."""
    viewer = context.signed_in()
    return await release_hold(context.services, viewer, agent_id, reason, idempotency_key=idempotency_key)


async def lift_quarantine(context: Context, version_id: str, reason: str, idempotency_key: str | None) -> AgentVersion:
    """The version, which can be restored again."""
    viewer = context.signed_in()
    return await release_quarantine(context.services, viewer, version_id, reason, idempotency_key=idempotency_key)


async def watch(context: Context, id: str, after: int | None) -> AsyncGenerator[DeploymentEvent, None]:
    """What happens to a deployment after `after`, up to its end; None for `after`: live events only."""
    check_after(after or 0)
    async with aclosing(watch_deployment(context.services, context.signed_in(), id, after)) as events:
        async for event in events:
            context.forget()  # what an event shows is read anew, not as it was at the event before
            yield event


async def watch_queue(context: Context, after: int | None) -> AsyncGenerator[QueueEvent, None]:
    """How the review queue moves after `after`; None: from now on."""
    check_after(after or 0)
    async with aclosing(watch_review_queue(context.services, context.signed_in(), after)) as events:
        async for event in events:
            context.forget()
            yield event


async def watch_versions(
    context: Context, agent_ids: Sequence[str] | None, after: int | None
) -> AsyncGenerator[ProductionEvent, None]:
    """What happens to production after `after`; with `agent_ids` only what happens to versions of these agents."""
    check_after(after or 0)
    async with aclosing(watch_production(context.services, context.signed_in(), agent_ids, after)) as events:
        async for event in events:
            context.forget()
            yield event
