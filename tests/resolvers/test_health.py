"""Health says what works and what does not."""

from dataclasses import replace

from resolvers.context import Context
from resolvers.health import HealthStatus, health
from tests.graphql.world import Client
from windtunnel import __version__
from windtunnel.domain.planning import PlannerMode
from windtunnel.streams.bus import open_bus
from windtunnel.streams.hub import Hub

NOWHERE = "redis://127.0.0.1:1/0"


async def test_all_is_well(client: Client) -> None:
    shown = await health(Context(client.services, None, "test"))
    assert (shown.status, shown.version, shown.planner_mode) == (HealthStatus.OK, __version__, PlannerMode.OFFLINE)
    database, bus = shown.components
    assert (database.name, database.detail, bus.name) == ("database", client.services.store.dialect, "bus")
    assert database.latency_ms is not None


async def test_without_a_bus_it_goes_on_more_slowly(client: Client) -> None:
    bus = await open_bus(NOWHERE)
    try:
        shown = await health(Context(replace(client.services, hub=Hub(bus)), None, "test"))
    finally:
        await bus.close()
    assert shown.status is HealthStatus.DEGRADED
    assert [component.status for component in shown.components] == [HealthStatus.OK, HealthStatus.DEGRADED]


async def test_without_a_database_it_is_down(client: Client) -> None:
    await client.services.store.close()
    shown = await health(Context(client.services, None, "test"))
    assert shown.status is HealthStatus.DOWN
    database = shown.components[0]
    assert (database.status, database.latency_ms) == (HealthStatus.DOWN, None)
    assert database.detail
