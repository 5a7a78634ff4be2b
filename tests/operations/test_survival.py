"""Wherever a conductor is killed, and whatever users do in between, the story that is stored is the one story."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.operations.world import (
    LEASE_S,
    begun,
    claimed,
    conduct_all,
    demo,
    die,
    now_stored,
    process,
    queued,
    stored_events,
    tale,
    watched,
)
from windtunnel.domain.events import EventKind
from windtunnel.domain.simulations import Simulation
from windtunnel.operations import conduct_simulation as conducting
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.inject_failure import inject_failure
from windtunnel.operations.performance import Performance
from windtunnel.operations.services import Services
from windtunnel.storage import architectures, commands
from windtunnel.streams import channel

CODES = ("llm_rate_limited", "tool_api_timeout", "human_approval_delay")


@pytest.fixture(autouse=True)
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """More places to die at; and who watches finds out soon what died before it was announced."""
    monkeypatch.setattr(conducting, "BATCH", 7)
    monkeypatch.setattr(channel, "POLL_S", 0.05)


async def test_a_story_survives_every_death_of_its_conductors(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        undisturbed = await queued(services, viewer)
        await conduct_all(services)
        expected = tale(await stored_events(services, undisturbed))
        deaths, stories = 0, 40 if services.store.dialect == "sqlite" else 12
        for seed in range(stories):
            simulation = await begun(services, viewer)
            await die(services.planning)
            watching = asyncio.create_task(watched(services, viewer, simulation))
            deaths += await _conducted_among_deaths(services, simulation, random.Random(seed))
            told = await stored_events(services, simulation)
            assert tale(told) == expected, seed
            assert await watching == told, seed
        assert deaths >= 3 * stories


@pytest.mark.parametrize("seed", range(12))
async def test_a_disturbed_story_survives_as_well(sqlite_url: str, seed: int) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        choice = random.Random(seed)

        async def disturb() -> None:
            if choice.random() < 0.5:
                await inject_failure(services, viewer, simulation.id, choice.choice(CODES))

        await _conducted_among_deaths(services, simulation, choice, disturb)
        told = await stored_events(services, simulation)
        found = await architectures.get_many(services.store, viewer.tenant_id, [simulation.architecture_id or ""])
        anew = Performance(services.book, simulation, found[simulation.architecture_id or ""].architecture)
        recorded = await commands.list(services.store, simulation.tenant_id, simulation.id)
        assert all(command.step is not None for command in recorded)
        await anew.repeat(0, recorded)
        assert [(event.kind, event.elapsed_ms, event.message) for event in told[12:-1]] == [
            (draft.kind, draft.elapsed_ms, draft.message) for draft in anew.drafts_until(None, 10**6)
        ]
        struck = {event.body["code"] for event in told if event.kind is EventKind.FAILURE_EVENT}
        assert {command.mode.code for command in recorded} <= struck


async def _conducted_among_deaths(
    services: Services,
    simulation: Simulation,
    choice: random.Random,
    between: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Conduct to the end, though conductors die after a few statements; returns how many did."""
    deaths = 0
    while True:
        services.store.clock_offset += timedelta(seconds=LEASE_S + 1)
        current = await now_stored(services, simulation)
        if current.is_over:
            return deaths
        if between is not None:
            await between()
        (mine,) = await claimed(services)
        conductor = asyncio.create_task(conduct_simulation(services, mine))
        if deaths < 8:
            services.store.on_statement = _killing(conductor, after=choice.randint(1, 40))
        await asyncio.wait([conductor])
        services.store.on_statement = None
        if conductor.cancelled():
            deaths += 1
        else:
            conductor.result()


def _killing(task: asyncio.Task[None], after: int) -> Callable[[str], None]:
    statements = itertools.count(1)

    def count(_: str) -> None:
        if next(statements) == after:
            task.cancel()

    return count
