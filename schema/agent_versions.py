"""Versions of agents: what is in production, what was, and what can be restored."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.types.lazy_type import LazyType

from resolvers import agents, viewers
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, given, optional
from schema.nodes import Node, finds, named
from schema.packages import AgentPackage, DataAccess
from schema.pages import After, Connection, First, counts, page_request
from schema.scalars import SemVer
from schema.simulations import SimulationConnection
from schema.viewers import User
from windtunnel.domain import agents as domain
from windtunnel.domain.agents import VersionState
from windtunnel.domain.eligibility import EXPLAINED


@strawberry.type(description="A version of an agent: one package, whose number never stands for another.")
class AgentVersion(Node):
    """Shows `agents.AgentVersion`."""

    version: SemVer = strawberry.field(description="Its number, from the manifest.")
    is_live: bool = strawberry.field(description="Whether it is in production.")
    state: VersionState = strawberry.field(description="How it stands.")
    changelog: str | None = strawberry.field(description="What is new, in the words of who submitted it first.")
    created_at: datetime = strawberry.field(description="When it was submitted first.")
    deployed_at: datetime | None = strawberry.field(description="When it went into production first; null before.")
    quarantine_reason: str | None = strawberry.field(
        description="Why a rollback took it away; null unless it is QUARANTINED."
    )
    source: strawberry.Private[domain.AgentVersion]

    # By name, as below: agents and deployments show versions, so their modules import this one.
    @resolved("Whose version it is.", shown_as=LazyType("Agent", "schema.agents"))
    async def agent(self, info: Info) -> Node:
        """Loaded together with those of its neighbours."""
        return await named(info, Kind.AGENT, self.source.agent_id)

    @resolved("The package.")
    def package(self) -> AgentPackage:
        """Read when asked for."""
        return AgentPackage.of_version(self.source)

    @resolved("What reviewers must look at: the data that it touches, by its manifest.")
    def data_access(self) -> list[DataAccess]:
        """Stored with the version."""
        return DataAccess.all_of(self.source.manifest)

    @resolved("Who submitted it first.")
    async def submitted_by(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.source.submitted_by))

    @resolved("Whether a rollback can restore it now.")
    async def rollback_eligible(self, info: Info) -> bool:
        """By the clock of the database."""
        return await agents.ineligible(info.context, self.source) is None

    @resolved("Why a rollback cannot restore it now; null when one can.")
    async def ineligible_reason(self, info: Info) -> str | None:
        """In words."""
        found = await agents.ineligible(info.context, self.source)
        return None if found is None else EXPLAINED[found]

    @resolved(
        "The requests to deploy it, newest first.", shown_as=LazyType("DeploymentConnection", "schema.deployments")
    )
    async def deployments(
        self, info: Info, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection:
        """Loaded together with those of its neighbours."""
        request = page_request(first=given(first), after=given(after))
        return Connection(page=await agents.deployments(info.context, "version_id", self.source.id, request))

    @resolved("The simulations that ran this exact package, newest first, those in environments included.")
    async def simulations(
        self, info: Info, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> SimulationConnection:
        """Read where they lie."""
        request = page_request(first=given(first), after=given(after), counted=counts(info))
        page = await agents.simulations(info.context, self.source.package_digest, request)
        return SimulationConnection(page=page)

    @classmethod
    def of(cls, version: domain.AgentVersion) -> Self:
        """The version as data."""
        return cls(
            id=encode(Kind.AGENT_VERSION, version.id),
            version=SemVer(version.version),
            is_live=version.state is VersionState.LIVE,
            state=version.state,
            changelog=version.changelog,
            created_at=version.created_at,
            deployed_at=version.first_live_at,
            quarantine_reason=version.quarantine_reason,
            source=version,
        )


@finds(Kind.AGENT_VERSION)
async def version_of(info: Info, raw: str | None) -> AgentVersion | None:
    """The version with this stored id."""
    return optional(AgentVersion.of, await agents.version(info.context, raw))


async def known_version(info: Info, raw: str) -> AgentVersion:
    """The version that a stored thing names: it exists as long as that does."""
    found = await version_of(info, raw)
    if found is None:
        raise LookupError(f"version {raw} is named but not stored")
    return found


@strawberry.type(description="A version and its place in the list.")
class AgentVersionEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after`.")
    node: AgentVersion = strawberry.field(description="The version.")


@strawberry.type(description="One page of the versions of an agent, newest first.")
class AgentVersionConnection(Connection):
    """Shows a page of `agents.AgentVersion`."""

    @resolved("The versions, each with its cursor.")
    def edges(self) -> list[AgentVersionEdge]:
        """Every item with its cursor."""
        return [
            AgentVersionEdge(cursor=cursor, node=AgentVersion.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The versions.")
    def nodes(self) -> list[AgentVersion]:
        """Every item."""
        return [AgentVersion.of(item) for item in self.page.items]
