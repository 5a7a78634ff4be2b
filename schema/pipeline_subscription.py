"""The subscriptions of the deployment pipeline: a deployment, the review queue, production."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import strawberry

from resolvers import pipeline
from schema.deployments import DeploymentEvent
from schema.fields import subscription
from schema.ids import Kind, demand
from schema.info import Info, given
from schema.production_events import ProductionEvent
from schema.reviews import ReviewQueueEvent
from windtunnel.domain.permissions import Action

_AFTER = strawberry.argument(description="The last sequence number seen; 0 for all, null for only new events.")


@strawberry.type(description="What can be followed of agents in production.")
class PipelineSubscription:
    """One field for each stream."""

    @subscription(
        Action.WATCH_DEPLOYMENT,
        "Progress of a deployment; resumable like simulationEvents. Completes when it is LIVE or at its end; "
        "asked again with that event's `seq`, it tells what became of a LIVE one.",
    )
    async def deployment_events(
        self,
        info: Info,
        deployment_id: Annotated[strawberry.ID, strawberry.argument(description="The deployment to follow.")],
        after: Annotated[int | None, _AFTER] = 0,
    ) -> AsyncIterator[DeploymentEvent]:
        """Resumable: pass the last sequence number seen."""
        raw = demand(Kind.DEPLOYMENT, deployment_id, ("deployment_id",))
        async with aclosing(pipeline.watch(info.context, raw, after)) as events:
            async for event in events:
                yield DeploymentEvent.of(event)

    @subscription(
        Action.WATCH_PRODUCTION,
        "What the tenant's active workflows must know: versions going live and rollbacks of their agents, and changes "
        "of the configuration. Goes on until it is closed.",
    )
    async def production_events(
        self,
        info: Info,
        agent_ids: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(description="Only what concerns these agents; everything when absent."),
        ] = strawberry.UNSET,
        after: Annotated[int | None, _AFTER] = strawberry.UNSET,
    ) -> AsyncIterator[ProductionEvent]:
        """Resumable: pass the last sequence number seen."""
        ids = given(agent_ids)
        raw = (
            None
            if ids is None
            else [demand(Kind.AGENT, each, ("agent_ids", str(place))) for place, each in enumerate(ids)]
        )
        async with aclosing(pipeline.watch_versions(info.context, raw, given(after))) as events:
            async for event in events:
                yield ProductionEvent.of(event)

    @subscription(
        Action.WATCH_REVIEW_QUEUE,
        "The review queue changed: one message per review that entered, moved or left. Goes on until it is closed.",
    )
    async def review_queue_events(
        self, info: Info, after: Annotated[int | None, _AFTER] = strawberry.UNSET
    ) -> AsyncIterator[ReviewQueueEvent]:
        """Resumable: pass the last sequence number seen."""
        async with aclosing(pipeline.watch_queue(info.context, given(after))) as events:
            async for event in events:
                yield ReviewQueueEvent.of(event)
