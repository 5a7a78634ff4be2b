"""Rollbacks: a version is taken out of production, and an earlier one restored."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.types.lazy_type import LazyType

from resolvers import deployments, viewers
from schema.agent_versions import AgentVersion, known_version
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, optional
from schema.nodes import Node, finds, named
from schema.viewers import User
from windtunnel.domain import rollbacks as domain
from windtunnel.domain.rollbacks import RollbackStatus


@strawberry.type(description="One rollback of an agent: within 60 seconds an earlier version is in production again.")
class Rollback(Node):
    """Shows `rollbacks.Rollback`."""

    status: RollbackStatus = strawberry.field(description="How it stands.")
    reason: str = strawberry.field(description="Why, in the words of who asked for it.")
    started_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it was over; null before.")
    duration_ms: int | None = strawberry.field(
        description="From being asked for to the switch, by the clock of the database: must stay under 60 000."
    )
    notified_workflows: list[str] = strawberry.field(
        description="What was told at its start, by id: simulations under way with this agent, and who follows "
        "`productionEvents`."
    )
    failure: str | None = strawberry.field(description="Why it did not succeed; null unless it FAILED.")
    source: strawberry.Private[domain.Rollback]

    # By name: deployments show their rollbacks, so their module imports this one.
    @resolved("What is taken away.", shown_as=LazyType("Deployment", "schema.deployments"))
    async def deployment(self, info: Info) -> Node:
        """Loaded together with those of its neighbours."""
        return await named(info, Kind.DEPLOYMENT, self.source.deployment_id)

    @resolved("The version that is taken away.")
    async def from_version(self, info: Info) -> AgentVersion:
        """Loaded together with those of its neighbours."""
        return await known_version(info, self.source.from_version_id)

    @resolved("The version that is restored.")
    async def to_version(self, info: Info) -> AgentVersion:
        """Loaded together with those of its neighbours."""
        return await known_version(info, self.source.to_version_id)

    @resolved("Who asked for it.")
    async def requested_by(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.source.requested_by))

    @classmethod
    def of(cls, rollback: domain.Rollback) -> Self:
        """The rollback as data."""
        return cls(
            id=encode(Kind.ROLLBACK, rollback.id),
            status=rollback.status,
            reason=rollback.reason,
            started_at=rollback.started_at,
            finished_at=rollback.finished_at,
            duration_ms=rollback.duration_ms,
            notified_workflows=list(rollback.notified),
            failure=rollback.failure,
            source=rollback,
        )


@finds(Kind.ROLLBACK)
async def rollback_of(info: Info, raw: str) -> Rollback | None:
    """The rollback with this stored id."""
    return optional(Rollback.of, await deployments.rollback(info.context, raw))
