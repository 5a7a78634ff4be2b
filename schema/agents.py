"""Agents: what is in production of each, what was, and what can be restored."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.types.lazy_type import LazyType

from resolvers import agents, viewers
from schema.agent_versions import AgentVersion, AgentVersionConnection
from schema.fields import resolved
from schema.ids import Kind, encode, raw_of
from schema.info import Info, given, optional
from schema.nodes import Node, finds
from schema.pages import After, Connection, First, page_request
from schema.rollbacks import Rollback, rollback_of
from schema.viewers import User
from windtunnel.domain import agents as domain


@strawberry.type(description="An agent as registered: what its versions and deployments belong to.")
class Agent(Node):
    """Shows `agents.Agent`."""

    slug: str = strawberry.field(description="Its short name: manifests name it `TENANT/SLUG`.")
    name: str = strawberry.field(description="How to call it.")
    description: str = strawberry.field(description="What it is for.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    held_since: datetime | None = strawberry.field(
        description="When a rollback put what was submitted before on hold; null when nothing is. See `releaseHold`."
    )
    source: strawberry.Private[domain.Agent]

    @resolved("Who registered it.")
    async def owner(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.source.owner_id))

    @resolved("In production now; null when nothing is.")
    async def production_version(self, info: Info) -> AgentVersion | None:
        """Loaded together with those of its neighbours."""
        return optional(AgentVersion.of, await agents.live_version(info.context, self.source))

    @resolved("The versions that were reviewed, newest first; at most 10 are retained.")
    async def versions(
        self, info: Info, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> AgentVersionConnection:
        """Loaded together with those of its neighbours."""
        request = page_request(first=given(first), after=given(after))
        return AgentVersionConnection(page=await agents.history(info.context, self.source, request))

    @resolved("Versions that a rollback can restore now; what was in production last comes first.")
    async def rollback_targets(self, info: Info) -> list[AgentVersion]:
        """Loaded together with those of its neighbours."""
        return [AgentVersion.of(each) for each in await agents.targets(info.context, self.source)]

    # By name: deployments show their agent, so their module imports this one.
    @resolved(
        "The requests to deploy it, newest first.", shown_as=LazyType("DeploymentConnection", "schema.deployments")
    )
    async def deployments(
        self, info: Info, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection:
        """Loaded together with those of its neighbours."""
        request = page_request(first=given(first), after=given(after))
        return Connection(page=await agents.deployments(info.context, "agent_id", self.source.id, request))

    @resolved("The rollback that holds what was submitted before it; null when none does.")
    async def held_by(self, info: Info) -> Rollback | None:
        """Loaded together with those of its neighbours."""
        held_by = self.source.held_by
        return None if held_by is None else await rollback_of(info, held_by)

    @classmethod
    def of(cls, agent: domain.Agent) -> Self:
        """The agent as data."""
        return cls(
            id=encode(Kind.AGENT, agent.id),
            slug=agent.slug,
            name=agent.name,
            description=agent.description,
            created_at=agent.created_at,
            held_since=agent.held_at,
            source=agent,
        )


@finds(Kind.AGENT)
async def agent_of(info: Info, raw: str | None) -> Agent | None:
    """The agent with this stored id."""
    return optional(Agent.of, await agents.agent(info.context, raw))


@strawberry.input(one_of=True, description="Which agent: exactly one of these.")
class AgentBy:
    """An agent by one of its names."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Its global id.")
    slug: str | None = strawberry.field(default=strawberry.UNSET, description="Its short name.")

    async def find(self, info: Info) -> Agent | None:
        """The agent, None when there is none that the viewer may see."""
        slug = given(self.slug)
        if slug is None:
            return await agent_of(info, raw_of(Kind.AGENT, given(self.id) or ""))
        return optional(Agent.of, await agents.of_slug(info.context, slug))


@strawberry.type(description="An agent and its place in the list.")
class AgentEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: Agent = strawberry.field(description="The agent.")


@strawberry.type(description="One page of agents, newest first.")
class AgentConnection(Connection):
    """Shows a page of `agents.Agent`."""

    @resolved("The agents, each with its cursor.")
    def edges(self) -> list[AgentEdge]:
        """Every item with its cursor."""
        return [
            AgentEdge(cursor=cursor, node=Agent.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The agents.")
    def nodes(self) -> list[Agent]:
        """Every item."""
        return [Agent.of(item) for item in self.page.items]
