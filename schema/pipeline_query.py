"""The queries of the deployment pipeline: agents, deployments and the review queue."""

from typing import Annotated

import strawberry

from resolvers import agents, deployments, viewers
from schema.agents import Agent, AgentBy, AgentConnection
from schema.deployments import Deployment, DeploymentConnection, DeploymentFilter, deployment_of
from schema.fields import resolved, restricted
from schema.ids import Kind, raw_of
from schema.info import Info, given
from schema.pages import After, Before, First, Last, counts, page_request
from schema.reviews import ReviewFilter, SecurityReviewConnection
from windtunnel.domain.deployments import DeploymentFilter as EveryDeployment
from windtunnel.domain.permissions import Action
from windtunnel.domain.reviews import ReviewFilter as EveryReview


@strawberry.type(description="What can be read of agents in production.")
class PipelineQuery:
    """One field for each thing or list of things."""

    @resolved("One agent; null when there is none that you may see.")
    async def agent(
        self, info: Info, by: Annotated[AgentBy, strawberry.argument(description="Its id or its slug.")]
    ) -> Agent | None:
        """By one of its names."""
        return await by.find(info)

    @resolved("Agents, newest first.")
    async def agents(
        self,
        info: Info,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        search: Annotated[
            str | None, strawberry.argument(description="Only those whose slug, name or description contains this.")
        ] = strawberry.UNSET,
    ) -> AgentConnection:
        """A page of the tenant's agents."""
        request = page_request(given(first), given(after), given(last), given(before), counted=counts(info))
        return AgentConnection(page=await agents.page(info.context, request, given(search)))

    @resolved("One deployment; null when there is none that you may see.")
    async def deployment(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]
    ) -> Deployment | None:
        """By global id."""
        return await deployment_of(info, raw_of(Kind.DEPLOYMENT, id))

    @resolved("Deployments, newest first.")
    async def deployments(
        self,
        info: Info,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        filter: Annotated[
            DeploymentFilter | None, strawberry.argument(description="Only those that meet these conditions.")
        ] = strawberry.UNSET,
    ) -> DeploymentConnection:
        """A page of the tenant's deployments."""
        request = page_request(given(first), given(after), given(last), given(before), counted=counts(info))
        conditions = given(filter)
        wanted = conditions.wanted(viewers.viewer(info.context)) if conditions else EveryDeployment()
        return DeploymentConnection(page=await deployments.page(info.context, request, wanted))

    @restricted(Action.READ_REVIEW_QUEUE, "Submissions waiting for a decision, oldest deadline first.")
    async def review_queue(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        filter: Annotated[
            ReviewFilter | None, strawberry.argument(description="Only those that meet these conditions.")
        ] = strawberry.UNSET,
    ) -> SecurityReviewConnection | None:
        """A page of the tenant's reviews."""
        request = page_request(first=given(first), after=given(after), counted=counts(info))
        conditions = given(filter)
        wanted = conditions.wanted(viewers.viewer(info.context)) if conditions else EveryReview()
        return SecurityReviewConnection(page=await deployments.queue(info.context, request, wanted))
