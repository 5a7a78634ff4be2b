"""Deployments: requests to bring a package into production, from submission to their end."""

from datetime import datetime
from typing import Self

import strawberry

from resolvers import agents, deployments, viewers
from schema.agent_versions import AgentVersion, version_of
from schema.agents import Agent, agent_of
from schema.fields import resolved
from schema.ids import Kind, encode, raw_of
from schema.info import Info, given, optional
from schema.nodes import Node, finds
from schema.packages import AgentPackage
from schema.pages import Connection
from schema.reviews import SecurityReview
from schema.rollbacks import Rollback
from schema.simulation_filters import NOTHING
from schema.viewers import User
from windtunnel.domain import deployments as domain
from windtunnel.domain import viewers as people
from windtunnel.domain.deployment_words import failure_now
from windtunnel.domain.deployments import DeploymentStatus


@strawberry.type(description="Something that happened to a deployment. `seq` starts at 1 and has no gaps.")
class DeploymentEvent:
    """Shows `deployments.DeploymentEvent`."""

    deployment_id: strawberry.ID = strawberry.field(description="The deployment.")
    seq: int = strawberry.field(description="Its number among the deployment's events.")
    at: datetime = strawberry.field(description="When it was stored.")
    status: DeploymentStatus = strawberry.field(description="How the deployment stood then.")
    step: str = strawberry.field(description="What was done, in a word, for programs.")
    message: str = strawberry.field(description="What happened, for people.")
    progress: float | None = strawberry.field(description="How far it had come, 0 to 1; null where that says nothing.")
    actor_id: strawberry.Private[str | None]

    @resolved("Who did it; null when the system itself did.")
    async def actor(self, info: Info) -> User | None:
        """Loaded together with those of its neighbours."""
        return None if self.actor_id is None else User.of(await viewers.user(info.context, self.actor_id))

    @classmethod
    def of(cls, event: domain.DeploymentEvent) -> Self:
        """The event as data."""
        return cls(
            deployment_id=encode(Kind.DEPLOYMENT, event.deployment_id),
            seq=event.seq,
            at=event.at,
            status=event.status,
            step=event.step,
            message=event.message,
            progress=event.progress,
            actor_id=event.actor_id,
        )


@strawberry.type(description="One request to bring one package into production. Nothing skips its security review.")
class Deployment(Node):
    """Shows `deployments.Deployment`."""

    status: DeploymentStatus = strawberry.field(description="How it stands.")
    submitted_at: datetime = strawberry.field(description="When it was submitted.")
    approved_at: datetime | None = strawberry.field(description="When it was approved; null before.")
    execute_by: datetime | None = strawberry.field(
        description="Until when it is deployed once it is approved; then it lapses."
    )
    deployed_at: datetime | None = strawberry.field(description="When it went into production last; null before.")
    finished_at: datetime | None = strawberry.field(description="When it came to its end; null before.")
    changelog: str | None = strawberry.field(description="What is new, in the words of who submitted it.")
    attempts: int = strawberry.field(description="How often bringing it into production was tried: at most 3 times.")
    approval: str | None = strawberry.field(
        description="The statement that the votes led to: in-toto, signed, as DSSE envelope; null before the worker "
        "has signed it."
    )
    failure: str | None = strawberry.field(
        description="Why it did not come any further, and what helps; null when nothing failed."
    )
    last_seq: int = strawberry.field(
        description="Sequence of the newest event; subscribe with this as `after` for live events only."
    )
    revision: int = strawberry.field(description="Rises with each change of it.")
    source: strawberry.Private[domain.Deployment]

    @resolved("Whose package it is.")
    async def agent(self, info: Info) -> Agent:
        """Loaded together with those of its neighbours."""
        found = await agent_of(info, self.source.agent_id)
        if found is None:
            raise LookupError(f"agent {self.source.agent_id} is named but not stored")
        return found

    @resolved("The version that it brings; null while the package has no readable manifest.")
    async def version(self, info: Info) -> AgentVersion | None:
        """Loaded together with those of its neighbours."""
        return await version_of(info, self.source.version_id)

    @resolved("Who submitted it.")
    async def submitted_by(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.source.submitted_by))

    @resolved("Its security review; null until validation passed.")
    async def review(self, info: Info) -> SecurityReview | None:
        """Loaded together with those of its neighbours."""
        return optional(SecurityReview.of, await deployments.review_of(info.context, self.source))

    @resolved("The rollbacks that were to take it away, the first one first.")
    async def rollbacks(self, info: Info) -> list[Rollback]:
        """Loaded together with those of its neighbours."""
        return [Rollback.of(each) for each in await deployments.rollbacks(info.context, self.source)]

    @resolved(
        "While it is live: go-live plus 30 days; until then any eligible version may replace it by rollback. Else null."
    )
    async def rollback_until(self, info: Info) -> datetime | None:
        """Loaded together with those of its neighbours."""
        return await agents.until(info.context, self.source)

    @resolved("Every step so far, in order.")
    async def timeline(self, info: Info) -> list[DeploymentEvent]:
        """Loaded together with those of its neighbours."""
        return [DeploymentEvent.of(each) for each in await deployments.timeline(info.context, self.source)]

    @resolved("What was submitted.")
    def package(self) -> AgentPackage:
        """Read when asked for."""
        return AgentPackage.of_deployment(self.source)

    @classmethod
    def of(cls, deployment: domain.Deployment) -> Self:
        """The deployment as data."""
        return cls(
            id=encode(Kind.DEPLOYMENT, deployment.id),
            status=deployment.status,
            submitted_at=deployment.submitted_at,
            approved_at=deployment.approved_at,
            execute_by=deployment.execute_by,
            deployed_at=deployment.deployed_at,
            finished_at=deployment.finished_at,
            changelog=deployment.changelog,
            attempts=deployment.attempts,
            approval=deployment.approval,
            failure=failure_now(deployment),
            last_seq=deployment.last_seq,
            revision=deployment.revision,
            source=deployment,
        )


@finds(Kind.DEPLOYMENT)
async def deployment_of(info: Info, raw: str | None) -> Deployment | None:
    """The deployment with this stored id."""
    return optional(Deployment.of, await deployments.deployment(info.context, raw))


@strawberry.type(description="A deployment and its place in the list.")
class DeploymentEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: Deployment = strawberry.field(description="The deployment.")


@strawberry.type(description="One page of deployments, newest first.")
class DeploymentConnection(Connection):
    """Shows a page of `deployments.Deployment`."""

    @resolved("The deployments, each with its cursor.")
    def edges(self) -> list[DeploymentEdge]:
        """Every item with its cursor."""
        return [
            DeploymentEdge(cursor=cursor, node=Deployment.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The deployments.")
    def nodes(self) -> list[Deployment]:
        """Every item."""
        return [Deployment.of(item) for item in self.page.items]


@strawberry.input(description="Which deployments are wanted: all conditions hold together.")
class DeploymentFilter:
    """Conditions on deployments."""

    agent_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Those of this agent.")
    statuses: list[DeploymentStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Those in one of these states."
    )
    submitted_by_me: bool | None = strawberry.field(
        default=strawberry.UNSET, description="When true, those that the viewer submitted."
    )
    submitted_after: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Those submitted after this time."
    )
    submitted_before: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Those submitted before this time."
    )

    def wanted(self, viewer: people.Viewer) -> domain.DeploymentFilter:
        """The conditions as plain values; an id that names nothing matches nothing."""
        agent_id, statuses = given(self.agent_id), given(self.statuses)
        return domain.DeploymentFilter(
            agent_id=None if agent_id is None else raw_of(Kind.AGENT, agent_id) or NOTHING,
            statuses=None if statuses is None else frozenset(statuses),
            submitted_by=viewer.user.id if given(self.submitted_by_me) else None,
            submitted_after=given(self.submitted_after),
            submitted_before=given(self.submitted_before),
        )
