"""What runs in an environment: how much of it there is to pay for, and how it is halted."""

from collections.abc import Sequence
from contextlib import suppress

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, NotFoundError
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.policy import PAGE_SIZE_MAX
from windtunnel.domain.simulations import OPEN_STATUSES, SimulationFilter, SimulationStatus
from windtunnel.operations.announce import announce_events, announce_work, wake_conductor
from windtunnel.operations.audit_trail import record
from windtunnel.operations.places import both, in_environment
from windtunnel.operations.services import Services
from windtunnel.simulation.observability import tokens_in
from windtunnel.storage import environment_usage, environments, events, simulations, transitions
from windtunnel.storage.environment_turns import lock_work

PAUSED = "The environment was paused."
_RUNNING = frozenset({SimulationStatus.RUNNING})


async def halt_runs(services: Services, environment: Environment, message: str, *, waiting: bool) -> int:
    """Cancel what runs in an environment, with `waiting` also what would run; how many that were.

    Call it once the environment is on record as one in which nothing begins: then nothing slips in behind it. Each
    ends with `message` as its last event and as the reason on record. Does nothing in an environment that is READY
    (again), or has no database (any more). Raises UnavailableError; may be called again.
    """
    if not await services.home.places.databases.exists(environment.namespace):
        return 0
    halted = 0
    async with in_environment(services, environment) as place:
        statuses = OPEN_STATUSES if waiting else _RUNNING
        while (ended := await _halt_some(place, environment, message, statuses)) is not None:
            halted += len(ended)
            for simulation_id, last in ended.items():
                await announce_events(place.bus, simulation_id, last)
                await wake_conductor(place.bus, simulation_id)
    if halted:
        await announce_work(services.home.bus)  # hands are free
    return halted


async def count_in(services: Services, tenant_id: str, simulation_id: str) -> None:
    """A simulation ends: what it used, as its events tell, is added to the environment's. At home nothing is counted.

    Call it in the transaction in which it ends, after its last events are stored and before its audit entry.
    """
    if services.environment is None:
        return
    stored = await events.read_many(services.store, tenant_id, [simulation_id], kinds={EventKind.OBSERVABILITY})
    tokens, environment_id = tokens_in(stored[simulation_id]), services.environment.id
    await environment_usage.add(services.home.store, tenant_id, environment_id, simulations=1, tokens=tokens)


async def _halt_some(
    place: Services, environment: Environment, message: str, statuses: frozenset[SimulationStatus]
) -> dict[str, Sequence[SimulationEvent]] | None:
    """The ids of some that were halted, with the last events of each; None when there are no more."""
    tenant_id = environment.tenant_id
    ended: dict[str, Sequence[SimulationEvent]] = {}
    async with both(place, tenant_id):
        await lock_work(place.store)
        current = await environments.get(place.home.store, tenant_id, environment.id)
        if current is None or current.status is EnvironmentStatus.READY:
            return None
        request, wanted = PageRequest(PAGE_SIZE_MAX, counted=False), SimulationFilter(statuses=statuses)
        found = (await simulations.page(place.store, tenant_id, request, wanted)).items
        for each in found:
            with suppress(ConflictError, NotFoundError):  # it has just ended by itself
                ended[each.id] = await transitions.cancelled(place.store, tenant_id, each.id, message)
        # Nothing is locked at home until all are halted here: whoever ends one meanwhile may need the same there.
        for simulation_id in ended:
            await count_in(place, tenant_id, simulation_id)
        for simulation_id in ended:
            subject = Subject(Kind.SIMULATION, simulation_id)
            await record(place, None, tenant_id, AuditAction.SIMULATION_CANCELLED, subject, reason=message)
    return ended if found else None
