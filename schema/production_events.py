"""What happens to production, as it happens."""

from datetime import datetime
from typing import Self

import strawberry

from schema.agent_versions import AgentVersion, version_of
from schema.agents import Agent, agent_of
from schema.fields import resolved
from schema.info import Info
from windtunnel.domain import rollbacks as domain
from windtunnel.domain.rollbacks import ProductionEventKind


@strawberry.type(
    description="Something that happened to production. `seq` starts at 1; who follows some agents only hears of some."
)
class ProductionEvent:
    """Shows `rollbacks.ProductionEvent`."""

    seq: int = strawberry.field(description="Its number among the events of the tenant's production.")
    at: datetime = strawberry.field(description="When it was stored.")
    kind: ProductionEventKind = strawberry.field(description="What happened.")
    source: strawberry.Private[domain.ProductionEvent]

    @resolved("Whose version it is about; null for CONFIGURATION_CHANGED.")
    async def agent(self, info: Info) -> Agent | None:
        """Read when asked for."""
        return await agent_of(info, self.source.agent_id)

    @resolved("The version that goes into production, of a rollback its target; null for CONFIGURATION_CHANGED.")
    async def version(self, info: Info) -> AgentVersion | None:
        """Read when asked for."""
        return await version_of(info, self.source.version_id)

    @resolved("The version that it takes the place of, of a rollback the one that is taken away; null without one.")
    async def previous(self, info: Info) -> AgentVersion | None:
        """Read when asked for."""
        return await version_of(info, self.source.previous_id)

    @classmethod
    def of(cls, event: domain.ProductionEvent) -> Self:
        """The event as data."""
        return cls(seq=event.seq, at=event.at, kind=event.kind, source=event)
