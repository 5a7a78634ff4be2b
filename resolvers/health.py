"""How well the server works: its database, its bus, its planner."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from time import perf_counter

from resolvers.context import Context
from windtunnel import __version__
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.planning import PlannerMode


class HealthStatus(StrEnum):
    """How well a part of the server works, in falling order."""

    OK = "OK"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that the server depends on. `latency_ms` is None when it was not asked anything."""

    name: str
    status: HealthStatus
    latency_ms: float | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """Server state. DOWN without a database; DEGRADED without a bus, because streams are polled then."""

    status: HealthStatus
    version: str
    started_at: datetime
    components: tuple[Component, ...]
    planner_mode: PlannerMode
    planner_model: str | None


async def health(context: Context) -> Health:
    """Ask the database, look at the bus."""
    services = context.services
    components = (await _database(context), _bus(context))
    worst = max(components, key=lambda component: list(HealthStatus).index(component.status))
    return Health(
        status=worst.status,
        version=__version__,
        started_at=services.started_at,
        components=components,
        planner_mode=services.planner.mode,
        planner_model=services.planner.model,
    )


async def _database(context: Context) -> Component:
    store = context.services.store
    asked = perf_counter()
    try:
        await store.ping()
    except UnavailableError as error:
        return Component("database", HealthStatus.DOWN, None, error.message)
    return Component("database", HealthStatus.OK, round((perf_counter() - asked) * 1000, 3), store.dialect)


def _bus(context: Context) -> Component:
    if context.services.bus.up:
        return Component("bus", HealthStatus.OK, None, None)
    return Component("bus", HealthStatus.DEGRADED, None, "The bus is down: streams go on more slowly until it is back.")
