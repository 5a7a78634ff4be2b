"""Environments: isolated, expiring copies of production's configuration, in which simulations run."""

from datetime import datetime, timedelta
from typing import Self

import strawberry
from strawberry.types.lazy_type import LazyType

from resolvers import environments, viewers
from schema.environment_parts import (
    CleanupReport,
    EnvironmentConfiguration,
    EnvironmentResource,
    EnvironmentUsage,
    ResourceLimits,
)
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, given, optional
from schema.isolation import Isolation
from schema.nodes import Node, finds
from schema.pages import After, Connection, First, counts, page_request
from schema.viewers import User
from windtunnel.domain import environments as domain
from windtunnel.domain import viewers as people
from windtunnel.domain.environments import EnvironmentStatus


@strawberry.type(
    description="An isolated, expiring copy of production's configuration, in which simulations run. "
    "Its row stays when it is deleted; nothing else does."
)
class Environment(Node):
    """Shows `environments.Environment`."""

    name: str = strawberry.field(description="What it is for.")
    status: EnvironmentStatus = strawberry.field(description="How it stands.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    ready_at: datetime | None = strawberry.field(description="When it could be used first; null before.")
    provisioning_time: timedelta | None = strawberry.field(description="How long it took to be ready; null before.")
    expires_at: datetime = strawberry.field(
        description="When it is deleted by itself; at most 7 days after `createdAt`."
    )
    isolation: Isolation = strawberry.field(description="How well code is kept in.")
    configuration: EnvironmentConfiguration = strawberry.field(description="Its copy of production's configuration.")
    limits: ResourceLimits = strawberry.field(description="What may be used in it.")
    cleanup: CleanupReport | None = strawberry.field(
        description="Present once deletion began: in the end proof that nothing remains."
    )
    failure: str | None = strawberry.field(description="Why it could not be made or kept; null unless it FAILED.")
    last_seq: int = strawberry.field(
        description="Sequence of the newest event; subscribe with this as `after` for live events only."
    )
    source: strawberry.Private[domain.Environment]

    @resolved("Who asked for it.")
    async def created_by(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.source.created_by))

    @resolved("What it is made of, or was.")
    async def resources(self, info: Info) -> list[EnvironmentResource]:
        """Loaded together with those of its neighbours."""
        return [EnvironmentResource.of(each) for each in await environments.resources(info.context, self.source)]

    # By name: simulations show their environment, so their module imports this one.
    @resolved(
        "The simulations in it, newest first; they are deleted with it.",
        shown_as=LazyType("SimulationConnection", "schema.simulations"),
    )
    async def simulations(
        self, info: Info, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection:
        """Read where they lie."""
        request = page_request(first=given(first), after=given(after), counted=counts(info))
        return Connection(page=await environments.simulations(info.context, self.source, request))

    @resolved("What it has used so far.")
    async def usage(self, info: Info) -> EnvironmentUsage:
        """By the clock of the database."""
        return EnvironmentUsage.of(self.source.usage, self.source.existed(await environments.now(info.context)))

    @classmethod
    def of(cls, environment: domain.Environment) -> Self:
        """The environment as data."""
        created, ready = environment.created_at, environment.ready_at
        return cls(
            id=encode(Kind.ENVIRONMENT, environment.id),
            name=environment.name,
            status=environment.status,
            created_at=created,
            ready_at=ready,
            provisioning_time=ready - created if ready else None,
            expires_at=environment.expires_at,
            isolation=Isolation.of(environment),
            configuration=EnvironmentConfiguration.of(environment),
            limits=ResourceLimits.of(environment.limits),
            cleanup=CleanupReport.of(environment),
            failure=environment.failure,
            last_seq=environment.last_seq,
            source=environment,
        )


@finds(Kind.ENVIRONMENT)
async def environment_of(info: Info, raw: str | None) -> Environment | None:
    """The environment with this stored id."""
    found = await environments.environment(info.context, raw)
    return optional(Environment.of, found)


@strawberry.type(description="An environment and its place in the list.")
class EnvironmentEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: Environment = strawberry.field(description="The environment.")


@strawberry.type(description="One page of environments, newest first.")
class EnvironmentConnection(Connection):
    """Shows a page of `environments.Environment`."""

    @resolved("The environments, each with its cursor.")
    def edges(self) -> list[EnvironmentEdge]:
        """Every item with its cursor."""
        return [
            EnvironmentEdge(cursor=cursor, node=Environment.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The environments.")
    def nodes(self) -> list[Environment]:
        """Every item."""
        return [Environment.of(item) for item in self.page.items]


@strawberry.input(description="Which environments are wanted: all conditions hold together.")
class EnvironmentFilter:
    """Conditions on environments."""

    statuses: list[EnvironmentStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Those in one of these states."
    )
    created_by_me: bool | None = strawberry.field(
        default=strawberry.UNSET, description="When true, those that the viewer asked for."
    )

    def wanted(self, viewer: people.Viewer) -> domain.EnvironmentFilter:
        """The conditions as plain values."""
        statuses = given(self.statuses)
        return domain.EnvironmentFilter(
            statuses=None if statuses is None else frozenset(statuses),
            created_by=viewer.user.id if given(self.created_by_me) else None,
        )


@strawberry.type(description="Something that happened to an environment. `seq` starts at 1 and has no gaps.")
class EnvironmentEvent:
    """Shows `environments.EnvironmentEvent`."""

    environment_id: strawberry.ID = strawberry.field(description="The environment.")
    seq: int = strawberry.field(description="Its number among the environment's events.")
    at: datetime = strawberry.field(description="When it was stored.")
    status: EnvironmentStatus = strawberry.field(description="How the environment stood then.")
    step: str = strawberry.field(description="What was done, in a word, for programs.")
    message: str = strawberry.field(description="What happened, for people.")
    progress: float = strawberry.field(description="How far making it, or taking it away, had come: 0 to 1.")

    @classmethod
    def of(cls, event: domain.EnvironmentEvent) -> Self:
        """The event as data."""
        return cls(
            environment_id=encode(Kind.ENVIRONMENT, event.environment_id),
            seq=event.seq,
            at=event.at,
            status=event.status,
            step=event.step,
            message=event.message,
            progress=event.progress,
        )
