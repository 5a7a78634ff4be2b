"""Scenarios: the user's words."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.types.lazy_type import LazyType

from resolvers import scenarios, viewers
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, given, optional
from schema.nodes import Node, finds
from schema.pages import After, Connection, First, page_request
from schema.viewers import User
from windtunnel.domain import scenarios as domain


@strawberry.type(description="The user's words describing a system to try out, stored as given.")
class Scenario(Node):
    """Shows `scenarios.Scenario`."""

    title: str = strawberry.field(description="Its first line or sentence.")
    text: str = strawberry.field(description="The words, as given.")
    created_at: datetime = strawberry.field(description="When it was stored.")
    scenario: strawberry.Private[domain.Scenario]

    @resolved("Who wrote it.")
    async def created_by(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.scenario.created_by))

    # By name: simulations show their scenario, so their module imports this one.
    @resolved(
        "Its simulations, newest first.",
        shown_as=LazyType("SimulationConnection", "schema.simulations"),
    )
    async def simulations(
        self, info: Info, first: First = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> Connection:
        """Loaded together with those of its neighbours."""
        request = page_request(first=given(first), after=given(after))
        return Connection(page=await scenarios.simulations(info.context, self.scenario.id, request))

    @classmethod
    def of(cls, scenario: domain.Scenario) -> Self:
        """The scenario as data."""
        return cls(
            id=encode(Kind.SCENARIO, scenario.id),
            title=scenario.title,
            text=scenario.text,
            created_at=scenario.created_at,
            scenario=scenario,
        )


@finds(Kind.SCENARIO)
async def scenario_of(info: Info, raw: str | None) -> Scenario | None:
    """The scenario with this stored id."""
    found = await scenarios.scenario(info.context, raw)
    return optional(Scenario.of, found)


@strawberry.type(description="A scenario and its place in the list.")
class ScenarioEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: Scenario = strawberry.field(description="The scenario.")


@strawberry.type(description="One page of scenarios, newest first.")
class ScenarioConnection(Connection):
    """Shows a page of `scenarios.Scenario`."""

    @resolved("The scenarios, each with its cursor.")
    def edges(self) -> list[ScenarioEdge]:
        """Every item with its cursor."""
        return [
            ScenarioEdge(cursor=cursor, node=Scenario.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The scenarios.")
    def nodes(self) -> list[Scenario]:
        """Every item."""
        return [Scenario.of(item) for item in self.page.items]
