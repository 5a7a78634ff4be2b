"""The root of queries."""

from asyncio import gather
from typing import Annotated

import strawberry

from resolvers import (
    audit,
    catalogue,
    environments,
    health,
    notifications,
    production,
    rate_limits,
    scenarios,
    simulations,
    viewers,
    webhooks,
)
from schema.architectures import Architecture, architecture_of
from schema.audit import AuditEntryConnection, AuditFilter, AuditVerification
from schema.environments import Environment, EnvironmentConnection, EnvironmentFilter, environment_of
from schema.failures import FailureModeDefinition
from schema.fields import resolved, restricted
from schema.health import Health
from schema.ids import Kind, decode, raw_of
from schema.info import Info, given
from schema.nodes import Node, node_of
from schema.notifications import NotificationConnection
from schema.pages import After, Before, First, Last, counts, page_request
from schema.production import Production
from schema.rate_limits import RateLimit
from schema.scenarios import Scenario, ScenarioConnection, scenario_of
from schema.simulation_filters import SimulationFilter
from schema.simulations import Simulation, SimulationConnection, simulation_of
from schema.viewer import Viewer
from schema.webhooks import Webhook
from windtunnel.domain.audit import AuditFilter as EveryEntry
from windtunnel.domain.environments import EnvironmentFilter as EveryEnvironment
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.failures import FailureCategory
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import NODES_PER_LOOKUP_MAX
from windtunnel.domain.simulations import SimulationFilter as Wanted

Id = Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]


@strawberry.type(description="Everything that can be read.")
class Query:
    """One field for each thing or list of things."""

    @resolved("Any entity by global id; null when there is none that you may see.")
    async def node(self, info: Info, id: Id) -> Node | None:
        """Whatever kind of thing the id names."""
        return await _node(info, id)

    @resolved("Several entities, in order; null where there is none.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 global ids.")],
    ) -> list[Node | None]:
        """One statement for each kind of thing."""
        if len(ids) > NODES_PER_LOOKUP_MAX:
            raise ValidationError(f"At most {NODES_PER_LOOKUP_MAX} ids at once.", rule="too_many_ids", path=("ids",))
        viewers.viewer(info.context)
        return await gather(*(_node(info, each) for each in ids))

    @resolved("Who is calling.")
    def viewer(self, info: Info) -> Viewer:
        """With tenant, roles and quotas."""
        return Viewer.of(viewers.viewer(info.context))

    @resolved("Server state; needs no authentication.")
    async def health(self, info: Info) -> Health:
        """Checked now."""
        return Health.of(await health.health(info.context))

    @resolved("What this request costs and what remains.")
    async def rate_limit(self, info: Info) -> RateLimit:
        """After this request."""
        return RateLimit.of(await rate_limits.rate_limit(info.context))

    @resolved("One scenario; null when there is none that you may see.")
    async def scenario(self, info: Info, id: Id) -> Scenario | None:
        """By global id."""
        return await scenario_of(info, raw_of(Kind.SCENARIO, id))

    @resolved("Scenarios, newest first.")
    async def scenarios(
        self,
        info: Info,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        search: Annotated[
            str | None, strawberry.argument(description="Only those whose title or text contains this.")
        ] = strawberry.UNSET,
    ) -> ScenarioConnection:
        """A page of the tenant's scenarios."""
        request = page_request(given(first), given(after), given(last), given(before), counted=counts(info))
        return ScenarioConnection(page=await scenarios.page(info.context, request, given(search)))

    @resolved("One simulation; null when there is none that you may see.")
    async def simulation(self, info: Info, id: Id) -> Simulation | None:
        """By global id."""
        return await simulation_of(info, raw_of(Kind.SIMULATION, id))

    @resolved("The agent network as a graph; null when there is none that you may see.")
    async def architecture(self, info: Info, id: Id) -> Architecture | None:
        """By global id."""
        return await architecture_of(info, raw_of(Kind.ARCHITECTURE, id))

    @resolved("Simulations, newest first.")
    async def simulations(
        self,
        info: Info,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        filter: Annotated[
            SimulationFilter | None, strawberry.argument(description="Only those that meet these conditions.")
        ] = strawberry.UNSET,
    ) -> SimulationConnection:
        """A page of the tenant's simulations."""
        request = page_request(given(first), given(after), given(last), given(before), counted=counts(info))
        conditions = given(filter)
        wanted = conditions.wanted() if conditions else Wanted()
        return SimulationConnection(page=await simulations.page(info.context, request, wanted))

    @resolved("One environment; null when there is none that you may see.")
    async def environment(self, info: Info, id: Id) -> Environment | None:
        """By global id."""
        return await environment_of(info, raw_of(Kind.ENVIRONMENT, id))

    @resolved("Environments, newest first; those that are deleted, too, unless `filter` says otherwise.")
    async def environments(
        self,
        info: Info,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        filter: Annotated[
            EnvironmentFilter | None, strawberry.argument(description="Only those that meet these conditions.")
        ] = strawberry.UNSET,
    ) -> EnvironmentConnection:
        """A page of the tenant's environments."""
        request = page_request(given(first), given(after), given(last), given(before), counted=counts(info))
        conditions = given(filter)
        wanted = conditions.wanted(viewers.viewer(info.context)) if conditions else EveryEnvironment()
        return EnvironmentConnection(page=await environments.page(info.context, request, wanted))

    @resolved("What runs in production now; environments mirror it.")
    async def production(self, info: Info) -> Production:
        """Its configuration."""
        return Production.of(await production.production(info.context))

    @resolved("What the viewer was told, newest first.")
    async def notifications(
        self,
        info: Info,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        unread_only: Annotated[
            bool | None, strawberry.argument(description="Only those that the viewer has not marked as read.")
        ] = False,
    ) -> NotificationConnection:
        """A page of the viewer's own."""
        request = page_request(first=given(first), after=given(after), counted=counts(info))
        page = await notifications.page(info.context, request, unread_only=bool(unread_only))
        return NotificationConnection(page=page)

    @restricted(Action.READ_AUDIT, "The audit log, newest first.")
    async def audit_log(
        self,
        info: Info,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        filter: Annotated[
            AuditFilter | None, strawberry.argument(description="Only those that meet these conditions.")
        ] = strawberry.UNSET,
    ) -> AuditEntryConnection | None:
        """A page of the tenant's entries."""
        request = page_request(given(first), given(after), given(last), given(before), counted=counts(info))
        conditions = given(filter)
        wanted = conditions.wanted() if conditions else EveryEntry()
        return AuditEntryConnection(page=await audit.page(info.context, request, wanted))

    @restricted(
        Action.VERIFY_AUDIT,
        "Recomputes the audit chain and compares it with the checkpoints kept outside the database.",
    )
    async def verify_audit(self, info: Info) -> AuditVerification | None:
        """From the first entry to the last."""
        return AuditVerification.of(await audit.verification(info.context))

    @resolved("The failure-mode catalogue that planning draws on.")
    def failure_mode_catalogue(
        self,
        info: Info,
        category: Annotated[
            FailureCategory | None, strawberry.argument(description="Only those of this category.")
        ] = strawberry.UNSET,
    ) -> list[FailureModeDefinition]:
        """In the order of the book."""
        return [FailureModeDefinition.of(entry) for entry in catalogue.failure_modes(info.context, given(category))]

    @restricted(Action.READ_WEBHOOKS, "The tenant's webhooks, newest first: at most 20.")
    async def webhooks(self, info: Info) -> list[Webhook] | None:
        """All of them."""
        return [Webhook.of(each) for each in await webhooks.every(info.context)]


async def _node(info: Info, id: str) -> Node | None:
    viewers.viewer(info.context)
    named = decode(id)
    return await node_of(info, *named) if named else None
