"""Deployments, their reviews and their rollbacks: reading them."""

from collections.abc import Sequence

from resolvers.context import Context
from windtunnel.domain import evidence as domain
from windtunnel.domain.deployments import Deployment, DeploymentEvent, DeploymentFilter
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.reviews import Evidence, Finding, Review, ReviewFilter, Vote
from windtunnel.domain.rollbacks import Rollback
from windtunnel.operations.read_review_queue import read_review_queue
from windtunnel.storage import deployments as stored


async def deployment(context: Context, id: str | None) -> Deployment | None:
    """The deployment of the viewer's tenant, None when there is none."""
    loader = context.loaders.pipeline.deployments  # also without an id, only for the signed-in
    return None if id is None else await loader.load(id)


async def page(context: Context, request: PageRequest, wanted: DeploymentFilter) -> Page[Deployment]:
    """Deployments, newest first."""
    return await stored.page(context.services.store, context.tenant_id, request, wanted)


async def timeline(context: Context, deployment: Deployment) -> Sequence[DeploymentEvent]:
    """All that has happened to the deployment, in order."""
    return await context.loaders.pipeline.timelines.load(deployment.id) or ()


async def rollback(context: Context, id: str) -> Rollback | None:
    """The rollback of the viewer's tenant, None when there is none."""
    return await context.loaders.pipeline.rollbacks.load(id)


async def rollbacks(context: Context, deployment: Deployment) -> Sequence[Rollback]:
    """The rollbacks that were to take the deployment away, the first one first."""
    return await context.loaders.pipeline.rollbacks_of.load(deployment.id) or ()


async def review(context: Context, id: str) -> Review | None:
    """The review of the viewer's tenant, None when there is none."""
    return await context.loaders.pipeline.reviews.load(id)


async def review_of(context: Context, deployment: Deployment) -> Review | None:
    """The review of the deployment, None when there is none (yet)."""
    return await context.loaders.pipeline.reviews_of.load(deployment.id)


async def queue(context: Context, request: PageRequest, wanted: ReviewFilter) -> Page[Review]:
    """Reviews, the first to expire first; those that wait, when no status is wanted."""
    return await read_review_queue(context.services, context.signed_in(), request, wanted)


async def votes(context: Context, review: Review) -> Sequence[Vote]:
    """What the reviewers said, the first one first."""
    return await context.loaders.pipeline.votes.load(review.id) or ()


async def findings(context: Context, review: Review) -> Sequence[Finding]:
    """What the reviewers found."""
    return await context.loaders.pipeline.findings.load(review.id) or ()


async def evidence(context: Context, review: Review) -> Sequence[Evidence]:
    """What was offered as evidence with the deployment."""
    return await context.loaders.pipeline.evidence.load(review.deployment_id) or ()


async def is_stale(context: Context, evidence: Evidence) -> bool:
    """Whether what it ran in is not what production is now; nothing, outside of environments."""
    return domain.is_stale(evidence, (await context.loaders.production.load(context.tenant_id)).digest)


async def queue_place(context: Context, review: Review) -> int | None:
    """Its place in the queue, from 1; None when it does not wait."""
    return await context.loaders.pipeline.queue_places.load(review.id)
