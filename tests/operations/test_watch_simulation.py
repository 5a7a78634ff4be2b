import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.operations.world import (
    ReadyPlanner,
    begun,
    claimed,
    conduct_all,
    demo,
    kinds,
    process,
    queued,
    stored_events,
    watched,
)
from tests.storage.worlds import stranger
from tests.waiting import until
from windtunnel.domain.errors import ForbiddenError, NotFoundError, UnavailableError
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.operations.announce import READ_THE_LOG, decoder, encoded
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.operations.watch_simulation import watch_simulation


async def test_a_simulation_that_is_over_is_told_from_wherever_one_asks(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        await conduct_all(services)
        told = await stored_events(services, simulation)
        assert await watched(services, viewer, simulation) == told
        assert await watched(services, viewer, simulation, after=40) == told[40:]
        assert await watched(services, viewer, simulation, after=len(told) - 1) == told[-1:]
        for nothing_left in (len(told), len(told) + 1, 2**62, 2**70, None):
            assert await watched(services, viewer, simulation, after=nothing_left) == []
        only = frozenset({EventKind.TOOL_USED})
        assert await watched(services, viewer, simulation, kinds=only) == [
            event for event in told if event.kind in only
        ]
        assert services.hub.followers == 0


async def test_a_simulation_under_way_is_followed_to_its_end_whatever_is_left_out(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        new, some, none, beyond = (
            asyncio.create_task(watched(services, viewer, simulation, **how))
            for how in (
                {"after": None},
                {"kinds": frozenset({EventKind.NARRATIVE, EventKind.SIMULATION_STARTED})},
                {"kinds": frozenset[EventKind]()},
                {"after": 100},
            )
        )
        await until(lambda: services.hub.followers == 4)
        await conduct_all(services)
        told = await stored_events(services, simulation)
        assert await new == told[12:]
        assert kinds(await some) == [
            kind for kind in kinds(told) if kind in {EventKind.NARRATIVE, EventKind.SIMULATION_STARTED}
        ]
        assert await none == []
        assert await beyond == told[100:]
        assert services.hub.followers == 0


async def test_a_number_beyond_the_end_does_not_hide_the_end(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        beyond = asyncio.create_task(watched(services, viewer, simulation, after=10**9))
        await until(lambda: services.hub.followers == 1)
        await conduct_all(services)
        assert await beyond == []


async def test_what_is_unknown_or_belongs_to_another_tenant_is_not_found(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        simulation = await queued(services, await demo(services))
        eve = await stranger(services.store)
        for unknown in (simulation.id, "x", "", "\ud800", "\0", "x" * 10_000):
            with pytest.raises(NotFoundError):
                await anext(watch_simulation(services, eve, unknown))
        with pytest.raises(ForbiddenError):
            await anext(watch_simulation(services, replace(eve, roles=frozenset()), simulation.id))


async def test_planning_can_be_watched_step_by_step(sqlite_url: str) -> None:
    planner = ReadyPlanner(held_at=4)
    async with process(sqlite_url, planner=planner) as services:
        viewer = await demo(services)
        simulation = await begun(services, viewer)
        async with aclosing(watch_simulation(services, viewer, simulation.id)) as stream:
            assert [(await anext(stream)).seq for _ in range(5)] == [1, 2, 3, 4, 5]
            planner.gate.set()
            assert [(await anext(stream)).seq for _ in range(7)] == [6, 7, 8, 9, 10, 11, 12]
            await cancel_simulation(services, viewer, simulation.id)
            rest = [event async for event in stream]
            assert [(event.seq, event.kind, event.body) for event in rest] == [
                (13, EventKind.SIMULATION_FINISHED, {"status": "CANCELLED"})
            ]


async def test_deleting_a_scenario_sends_away_who_watches_its_simulations(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        simulations = [await queued(services, viewer, pace=0.001)]
        simulations += [
            await queued(services, viewer, text=None, scenario_id=simulations[0].scenario_id) for _ in range(2)
        ]
        (mine, *_) = await claimed(services)
        conducting = asyncio.create_task(conduct_simulation(services, mine))
        watching = [asyncio.create_task(watched(services, viewer, each)) for each in simulations for _ in range(3)]
        await until(lambda: services.hub.followers >= 9)
        with pytest.raises(NotFoundError):
            await delete_scenario(services, await stranger(services.store), simulations[0].scenario_id or "")
        assert await delete_scenario(services, viewer, simulations[0].scenario_id or "") == simulations[0].scenario_id
        ends = await asyncio.gather(*watching, return_exceptions=True)
        assert [type(end) for end in ends] == [NotFoundError] * 9
        await conducting
        assert services.hub.followers == 0
        for unknown in (simulations[0].scenario_id or "", "x", "\ud800"):
            with pytest.raises(NotFoundError):
                await delete_scenario(services, viewer, unknown)
        with pytest.raises(NotFoundError):
            await cancel_simulation(services, viewer, simulations[0].id)


async def test_a_process_that_shuts_down_sends_its_watchers_away(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        watching = asyncio.create_task(watched(services, viewer, simulation))
        await until(lambda: services.hub.followers == 1)
    with pytest.raises(UnavailableError):
        await watching


def test_a_message_carries_events_exactly_unless_they_are_too_large_or_cannot_be_carried() -> None:
    event = SimulationEvent(
        simulation_id="id",
        seq=7,
        kind=EventKind.TOOL_USED,
        at=datetime(2026, 11, 21, 10, 0, 0, 123_000, tzinfo=UTC),
        elapsed_ms=1234.567,
        agent_key=None,
        message="Grüße 🌬",
        body={"input": {"deep": [1, 2.5, None, True]}, "latency_ms": 3},
    )
    decode = decoder("id")
    assert decode(encoded([event, replace(event, seq=8)])) == [event, replace(event, seq=8)]
    assert encoded([replace(event, message="x" * 70_000)]) == READ_THE_LOG
    assert encoded([replace(event, message="\ud800")]) == READ_THE_LOG
    assert decode(READ_THE_LOG) == []
