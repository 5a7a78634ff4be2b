"""The root of subscriptions."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import strawberry

from resolvers import environments, notifications, simulations
from schema.environments import EnvironmentEvent
from schema.events import SimulationEvent
from schema.fields import subscription
from schema.ids import Kind, demand
from schema.info import Info, given
from schema.notifications import Notification
from schema.shown_events import show
from windtunnel.domain.events import EventKind
from windtunnel.domain.permissions import Action


@strawberry.type(description="Everything that can be followed.")
class Subscription:
    """One field for each stream."""

    @subscription(
        Action.WATCH_SIMULATION,
        "Events of a simulation: first those stored after `after`, then live ones, without gap or repeat. "
        "Completes after the final event.",
    )
    async def simulation_events(
        self,
        info: Info,
        simulation_id: Annotated[strawberry.ID, strawberry.argument(description="The simulation to follow.")],
        after: Annotated[
            int | None,
            strawberry.argument(description="The last sequence number seen; 0 for all, null for only new events."),
        ] = 0,
        kinds: Annotated[list[EventKind] | None, strawberry.argument(description="Only these kinds.")] = (
            strawberry.UNSET
        ),
    ) -> AsyncIterator[SimulationEvent]:
        """Resumable: pass the last sequence number seen."""
        raw = demand(Kind.SIMULATION, simulation_id, ("simulation_id",))
        only = given(kinds)
        events = simulations.watch(info.context, raw, after, None if only is None else frozenset(only))
        async with aclosing(events):
            async for event in events:
                yield show(event)

    @subscription(
        Action.WATCH_ENVIRONMENT,
        "What happens to an environment; resumable like simulationEvents. Completes when it is DELETED.",
    )
    async def environment_events(
        self,
        info: Info,
        environment_id: Annotated[strawberry.ID, strawberry.argument(description="The environment to follow.")],
        after: Annotated[
            int | None,
            strawberry.argument(description="The last sequence number seen; 0 for all, null for only new events."),
        ] = 0,
    ) -> AsyncIterator[EnvironmentEvent]:
        """Resumable: pass the last sequence number seen."""
        raw = demand(Kind.ENVIRONMENT, environment_id, ("environment_id",))
        async with aclosing(environments.watch(info.context, raw, after)) as events:
            async for event in events:
                yield EnvironmentEvent.of(event)

    @subscription(
        Action.WATCH_NOTIFICATIONS,
        "The viewer's notifications as they arrive, without gap or repeat. Goes on until it is closed.",
    )
    async def notification_received(
        self,
        info: Info,
        after: Annotated[
            int | None,
            strawberry.argument(description="The last `seq` seen; 0 for all, null for only new ones."),
        ] = strawberry.UNSET,
    ) -> AsyncIterator[Notification]:
        """Resumable: pass the last sequence number seen."""
        async with aclosing(notifications.watch(info.context, given(after))) as told:
            async for each in told:
                yield Notification.of(each)
