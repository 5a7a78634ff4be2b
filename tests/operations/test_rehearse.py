"""Rehearsing: the same story as a server tells, without one."""

from pathlib import Path

import pytest

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.planning import PlannerAgent
from windtunnel.knowledge import load_book
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.rehearse import Rehearsal, rehearse
from windtunnel.operations.services import Limits, open_services
from windtunnel.operations.simulate import SimulateRequest, simulate
from windtunnel.planning import offline_planner
from windtunnel.storage import events, leases, simulations
from windtunnel.storage.store import open_store
from windtunnel.storage.tenants import ensure_demo
from windtunnel.streams.bus import open_bus

TEXT = "Invoices arrive by mail. Extract the data, check it against the order, and pay after a manager approved."


async def rehearsed(seed: int, heard: list[SimulationEvent] | None = None, text: str = TEXT) -> Rehearsal:
    async def tell(event: SimulationEvent) -> None:
        if heard is not None:
            heard.append(event)

    return await rehearse(offline_planner(), text, seed, planned=lambda _: None, tell=tell)


def content(event: SimulationEvent) -> tuple[object, ...]:
    body = {key: value for key, value in event.body.items() if key != "architecture_id"}
    return event.seq, event.kind, event.elapsed_ms, event.agent_key, event.message, body


async def test_every_event_is_told_as_it_happens_and_kept() -> None:
    heard: list[SimulationEvent] = []
    done = await rehearsed(5, heard)
    assert heard == done.events
    assert [event.seq for event in heard] == list(range(1, len(heard) + 1))
    kinds = [event.kind for event in heard]
    planning = 2 * len(PlannerAgent)
    assert kinds[: planning + 2] == [
        EventKind.SIMULATION_STARTED, *[EventKind.PLANNER_STEP] * planning, EventKind.ARCHITECTURE_PLANNED,
    ]  # fmt: skip
    assert kinds[-2:] == [EventKind.NARRATIVE, EventKind.SIMULATION_FINISHED]
    assert done.summary.events == len(heard)
    assert heard[-2].body["text"] == done.narrative


async def test_the_network_is_known_before_its_event() -> None:
    order: list[object] = []

    async def tell(event: SimulationEvent) -> None:
        order.append(event.kind)

    def planned(architecture: Architecture) -> None:
        order.append(len(architecture.agents))

    done = await rehearse(offline_planner(), TEXT, 1, planned=planned, tell=tell)
    place = order.index(len(done.architecture.agents))
    assert order[place + 1] is EventKind.ARCHITECTURE_PLANNED


async def test_the_seed_decides_the_story_and_only_the_story() -> None:
    one, again, other = await rehearsed(5), await rehearsed(5), await rehearsed(6)
    assert [content(event) for event in one.events] == [content(event) for event in again.events]
    assert [content(event) for event in one.events] != [content(event) for event in other.events]
    assert one.architecture == other.architecture


async def test_a_server_tells_the_same_story(sqlite_url: str, tmp_path: Path) -> None:
    store = await open_store(sqlite_url)
    bus = await open_bus(None)
    try:
        viewer = await ensure_demo(store)
        async with open_services(store, bus, offline_planner(), load_book(), Limits(), owner="test") as services:
            simulation = await simulate(services, viewer, SimulateRequest(text=TEXT, seed=5))
            (claimed,) = await leases.claim(store, "test", 1, 1)
            await conduct_simulation(services, claimed)
            stored = await events.read(store, viewer.tenant_id, simulation.id, 0, 10_000)
            over = await simulations.get(store, viewer.tenant_id, simulation.id)
    finally:
        await bus.close()
        await store.close()
    done = await rehearsed(5)
    assert [content(event) for event in done.events] == [content(event) for event in stored]
    assert over is not None
    assert (over.narrative, over.interpretation) == (done.narrative, done.interpretation)


async def test_a_text_that_cannot_be_planned_is_refused() -> None:
    with pytest.raises(ValidationError):
        await rehearsed(1, text=" ")
