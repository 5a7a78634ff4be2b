"""Reading simulations and what happened in them; starting, stopping, disturbing and watching them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from resolvers.context import Context
from resolvers.loaders import Stretch
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.ids import namespace_of
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.policy import EVENTS_PAGE_MAX
from windtunnel.domain.simulations import Simulation, SimulationFilter
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.environment_simulations import environment_simulations, nothing
from windtunnel.operations.inject_failure import inject_failure
from windtunnel.operations.simulate import SimulateRequest, simulate
from windtunnel.operations.watch_simulation import watch_simulation
from windtunnel.storage import simulations as stored


@dataclass(frozen=True, slots=True)
class EventSlice:
    """Some stored events; `last_seq` is how far this has read."""

    events: Sequence[SimulationEvent]
    last_seq: int
    has_more: bool


async def simulation(context: Context, id: str | None) -> Simulation | None:
    """The simulation of the viewer's tenant, None when there is none."""
    loader = context.loaders.simulations  # also without an id, only for the signed-in
    return None if id is None else await loader.load(id)


async def page(context: Context, request: PageRequest, wanted: SimulationFilter) -> Page[Simulation]:
    """Simulations, newest first: of an environment when one or a scenario in one is wanted, else those in none."""
    loaders = context.loaders
    if wanted.environment_id is not None:
        environment = await loaders.environments.load(wanted.environment_id)
    elif namespace := namespace_of(wanted.scenario_id or ""):
        environment = await loaders.environments_by_namespace.load(namespace)
    else:
        return await stored.page(context.services.store, context.tenant_id, request, wanted)
    if environment is None:
        return nothing(request)
    return await environment_simulations(context.services, environment, request, replace(wanted, environment_id=None))


async def events(
    context: Context, simulation: Simulation, after: int, first: int, kinds: frozenset[EventKind] | None
) -> EventSlice:
    """At most `first` stored events after the sequence number `after`, of these `kinds` (None: of all)."""
    check_first(first)
    check_after(after)
    # One more than wanted tells whether there is more.
    found = await context.loaders.events.load(simulation.id, Stretch(after, first + 1, kinds))
    shown, has_more = found[:first], len(found) > first
    if has_more or kinds is None:
        last_seq = shown[-1].seq if shown else after
    else:
        # Everything up to the simulation's own last_seq, which was read before, has been looked through.
        last_seq = max(after, simulation.last_seq, *(event.seq for event in shown[-1:]))
    return EventSlice(shown, last_seq, has_more)


async def start(context: Context, request: SimulateRequest) -> Simulation:
    """Store, plan and queue a simulation."""
    return await simulate(context.services, context.signed_in(), request)


async def cancel(context: Context, id: str) -> Simulation:
    """Stop a simulation that is not over."""
    return await cancel_simulation(context.services, context.signed_in(), id)


async def inject(context: Context, id: str, code: str, target: str | None, idempotency_key: str | None) -> Simulation:
    """Let a run under way meet a failure."""
    return await inject_failure(
        context.services, context.signed_in(), id, code, target=target, idempotency_key=idempotency_key
    )


async def watch(
    context: Context, id: str, after: int | None, kinds: frozenset[EventKind] | None
) -> AsyncGenerator[SimulationEvent, None]:
    """Stored events after `after`, then live ones up to the last; None for `after`: live ones only."""
    check_after(after or 0)
    async with aclosing(watch_simulation(context.services, context.signed_in(), id, after, kinds)) as events:
        async for event in events:
            context.forget()  # what an event shows is read anew, not as it was at the event before
            yield event


def check_first(first: int) -> None:
    """Raise ValidationError unless so many events can be asked for at once."""
    if not 1 <= first <= EVENTS_PAGE_MAX:
        raise ValidationError(f"`first` must be 1 to {EVENTS_PAGE_MAX}.", rule="page_size", path=("first",))


def check_after(after: int, name: str = "after") -> None:
    """Raise ValidationError unless `after` can be a sequence number."""
    if after < 0:
        raise ValidationError(f"`{name}` is a sequence number: 0 or more.", rule="sequence", path=(name,))
