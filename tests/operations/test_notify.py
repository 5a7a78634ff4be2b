"""Whoever simulates is told of the end: once, in the transaction of the end, whoever brings it about."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.operations.inboxes import inbox, stored_for, tell
from tests.operations.world import (
    LEASE_S,
    TEXT,
    ReadyPlanner,
    begun,
    claimed,
    conduct_all,
    demo,
    die,
    now_stored,
    process,
    queued,
    stored_events,
)
from tests.storage import worlds
from tests.storage.webhook_worlds import webhook
from tests.waiting import until
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ErrorCode, ValidationError
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.scenarios import title_of
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import DELIVERIES
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.notify import notify
from windtunnel.operations.services import Services


async def test_success_is_told_to_its_author_alone(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        bo = await worlds.colleague(services.store, viewer)
        simulation = await queued(services, bo)
        await conduct_all(services)
        (told,) = await inbox(services, bo)
        last = (await stored_events(services, simulation))[-1]
        assert (told.kind, told.seq, told.read_at) == (NotificationKind.SIMULATION_FINISHED, 1, None)
        assert told.title == f"Simulation succeeded: {title_of(TEXT)}"
        assert told.body == f"It told {last.seq} events in {last.elapsed_ms / 1000:.1f} seconds of simulated time."
        assert told.subject == Subject(Kind.SIMULATION, simulation.id)
        assert told.created_at >= last.at
        assert await inbox(services, viewer) == []


async def test_a_plan_that_failed_is_told(database_url: str) -> None:
    failure = ValidationError("Too complex.", rule="x", code=ErrorCode.SCENARIO_TOO_COMPLEX)
    async with process(database_url, planner=ReadyPlanner(failing=failure)) as services:
        viewer = await demo(services)
        simulation = await begun(services, viewer)
        await until(lambda: not services.planning)
        assert (await now_stored(services, simulation)).status is SimulationStatus.FAILED
        (told,) = await inbox(services, viewer)
        assert (told.title, told.body) == (f"Simulation failed: {title_of(TEXT)}", "Too complex.")


async def test_what_a_person_ended_is_not_told(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        cancelled, deleted = await queued(services, viewer), await queued(services, viewer)
        await cancel_simulation(services, viewer, cancelled.id)
        (mine,) = await claimed(services)
        await delete_scenario(services, viewer, deleted.scenario_id or "")
        await conduct_simulation(services, mine)
        assert await inbox(services, viewer) == []


async def test_an_end_that_is_not_stored_is_not_told(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await queued(services, viewer)
        (slow,) = await claimed(services, "one")
        services.store.clock_offset = timedelta(seconds=LEASE_S + 1)
        (quick,) = await claimed(services, "two")
        await asyncio.gather(conduct_simulation(services, slow), conduct_simulation(services, quick))
        await conduct_simulation(services, slow)
        assert [each.seq for each in await inbox(services, viewer)] == [1]


async def test_whoever_dies_near_the_end_leaves_one_notification(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        needed, ended_before_death = 0, set()
        for number in range(1, 20):
            simulation = await queued(services, viewer)
            (mine,) = await claimed(services, "one")
            holder = Leaseholder("one")
            holder.start(services.store, mine, lambda each: conduct_simulation(services, each))
            turns = 0
            while len(holder) and (number == 1 or turns < needed * number / 10):
                turns += 1
                await asyncio.sleep(0)
            needed = needed or turns  # by the first, which nobody disturbs
            ended_before_death.add((await now_stored(services, simulation)).is_over)
            if len(holder):
                await die(holder)
            await holder.close()
            services.store.clock_offset += timedelta(seconds=LEASE_S + 1)
            await conduct_all(services, "two")
            told = await inbox(services, viewer)
            assert [each.seq for each in told] == list(range(1, number + 1))
            assert told[-1].subject.id == simulation.id
        assert ended_before_death == {True, False}


async def queued_messages(services: Services, viewer: Viewer) -> list[tuple[str, dict[str, Any]]]:
    """The messages that wait for webhooks of the viewer's tenant: to which, and what."""
    rows = await services.store.of(viewer.tenant_id).fetch(
        "SELECT webhook_id, body FROM webhook_deliveries WHERE tenant_id = $1 ORDER BY created_ms, id", viewer.tenant_id
    )
    return [(row["webhook_id"], json.loads(row["body"])) for row in rows]


async def test_webhooks_that_want_to_know_are_queued_with_the_change(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, eve = await demo(services), await worlds.stranger(services.store)
        wanting = await webhook(services.store, viewer, kinds=(NotificationKind.SIMULATION_FINISHED,))
        await webhook(services.store, viewer, kinds=(NotificationKind.EXPERIMENT_FINISHED,))
        await webhook(services.store, eve, kinds=(NotificationKind.SIMULATION_FINISHED,))
        simulation = await queued(services, viewer)
        async with services.hub.bell(DELIVERIES) as bell:
            await conduct_all(services)
            await bell.wait()
        ((told_to, message),) = await queued_messages(services, viewer)
        (told,) = await inbox(services, viewer)
        assert told_to == wanting.id
        assert message == {
            "type": "SIMULATION_FINISHED",
            "timestamp": told.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {
                "title": told.title,
                "body": told.body,
                "subject": {"type": "Simulation", "id": Subject(Kind.SIMULATION, simulation.id).global_id},
            },
        }
        assert await queued_messages(services, eve) == []


async def test_what_is_rolled_back_is_told_to_nobody(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await webhook(services.store, viewer, kinds=(NotificationKind.SIMULATION_FINISHED,))

        async def fail() -> None:
            async with services.store.transaction(viewer.tenant_id):
                await stored_for(services, viewer, "Never")
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        assert await inbox(services, viewer) == []
        assert await queued_messages(services, viewer) == []
        nobody = await notify(
            services,
            viewer.tenant_id,
            NotificationKind.SIMULATION_FINISHED,
            title="To webhooks alone",
            body="",
            subject=Subject(Kind.TENANT, viewer.tenant_id),
            recipients=[],
        )
        assert (nobody.notifications, nobody.deliveries) == ((), 1)


async def test_texts_that_no_database_holds_are_made_holdable(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await tell(services, viewer, "é" * 300, "a\0b\ud800")
        (told,) = await inbox(services, viewer)
        assert (told.title, told.body) == ("é" * 200, "a\ufffdb\ufffd")
