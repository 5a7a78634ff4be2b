import asyncio
from datetime import timedelta

import pytest

from tests.examples import review_loop, support_triage
from tests.operations.world import (
    ReadyPlanner,
    claimed,
    conduct_all,
    demo,
    kinds,
    now_stored,
    process,
    queued,
    stored_events,
    tale,
    until_stored,
    watched,
)
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.events import EventKind
from windtunnel.domain.simulations import FailureInjection, SimulationStatus
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.conduct_simulation import conduct_simulation
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.operations.watch_simulation import watch_simulation
from windtunnel.simulation.run import Run
from windtunnel.streams import channel


async def test_a_simulation_is_told_from_its_beginning_to_its_end(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        await conduct_all(services)

        over = await now_stored(services, simulation)
        assert over.status is SimulationStatus.SUCCEEDED
        assert over.error is None
        assert over.lease_owner is None
        assert over.started_at is not None
        assert over.finished_at is not None
        run = Run(support_triage(), 11, failures=FailureInjection.AUTO)
        drafts = run.advance(10**6)
        assert over.narrative == run.narrative
        told = await stored_events(services, simulation)
        assert [event.seq for event in told] == list(range(1, 12 + len(drafts) + 2))
        assert [(event.kind, event.elapsed_ms, event.message) for event in told[12:-1]] == [
            (draft.kind, draft.elapsed_ms, draft.message) for draft in drafts
        ]
        assert told[-1].kind is EventKind.SIMULATION_FINISHED
        assert told[-1].body == {"status": "SUCCEEDED"}
        assert told[-1].elapsed_ms == run.elapsed_ms
        assert over.last_seq == len(told)


async def test_the_same_seed_tells_the_same_on_both_databases(sqlite_url: str, postgres_database_url: str) -> None:
    tales = []
    for url in (sqlite_url, postgres_database_url):
        for planner in (ReadyPlanner(), ReadyPlanner(architecture=review_loop())):
            async with process(url, planner=planner) as services:
                codes = ("human_approval_delay", "llm_rate_limited")
                simulation = await queued(services, await demo(services), inject_failures=codes)
                await conduct_all(services)
                tales.append(tale(await stored_events(services, simulation)))
    assert tales[0] == tales[2]
    assert tales[1] == tales[3]
    assert tales[0] != tales[1]


async def test_a_paced_simulation_tells_the_same_and_never_too_early(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        at_once = await queued(services, viewer)
        await conduct_all(services)
        expected = await stored_events(services, at_once)
        pace = expected[-1].elapsed_ms / 1000 / 0.5  # half a second of real time

        paced = await queued(services, viewer, pace=pace)
        await conduct_all(services)
        told = await stored_events(services, paced)
        assert tale(told) == tale(expected)
        started_at = (await now_stored(services, paced)).started_at
        assert started_at is not None
        for event in told[12:]:
            due = started_at + timedelta(milliseconds=event.elapsed_ms / pace)
            assert event.at >= due - timedelta(milliseconds=2)  # both clocks count whole milliseconds
        assert len({event.at for event in told[12:]}) > 1


async def test_a_defect_of_the_engine_fails_the_simulation_and_tells_nothing_internal(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        simulation = await queued(services, await demo(services))
        await services.store.fetch(
            "UPDATE simulations SET inject_failures = $2 WHERE id = $1", simulation.id, '["no_such_code"]'
        )
        await conduct_all(services)
        failed = await now_stored(services, simulation)
        assert failed.status is SimulationStatus.FAILED
        assert failed.error is not None
        assert (failed.error.code, failed.error.stage) == (ErrorCode.INTERNAL, "simulating")
        assert "no_such_code" not in failed.error.message
        told = await stored_events(services, simulation)
        assert told[-1].kind is EventKind.SIMULATION_FINISHED
        assert told[-1].body == {"status": "FAILED"}


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_a_conductor_that_waits_is_woken_when_there_is_nothing_left_to_do(sqlite_url: str, how: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer, pace=0.001)
        (mine,) = await claimed(services)
        conducting = asyncio.create_task(conduct_simulation(services, mine))
        await until_stored(services, simulation, 13)
        if how == "cancel":
            await cancel_simulation(services, viewer, simulation.id)
        else:
            await delete_scenario(services, viewer, simulation.scenario_id or "")
        await conducting
        assert services.hub.followers == 0


async def test_cancelling_races_the_end_and_there_is_one_end(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        ends = set()
        for turns in range(0, 60, 4):
            simulation = await queued(services, viewer)
            (mine,) = await claimed(services)
            conducting = asyncio.create_task(conduct_simulation(services, mine))
            for _ in range(turns):
                await asyncio.sleep(0)
            if not conducting.done():
                await asyncio.gather(
                    cancel_simulation(services, viewer, simulation.id), conducting, return_exceptions=True
                )
            over = await now_stored(services, simulation)
            told = await stored_events(services, simulation)
            assert kinds(told).count(EventKind.SIMULATION_FINISHED) == 1
            assert told[-1].body == {"status": over.status.value}
            assert [event.seq for event in told] == list(range(1, over.last_seq + 1))
            ends.add(over.status)
        assert SimulationStatus.CANCELLED in ends


async def test_what_is_watched_live_is_what_is_stored(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "POLL_S", 3_600.0)
    async with process(database_url) as services:
        viewer = await demo(services)
        simulation = await queued(services, viewer)
        watching = [asyncio.create_task(watched(services, viewer, simulation)) for _ in range(20)]
        stream = watch_simulation(services, viewer, simulation.id)
        assert (await anext(stream)).seq == 1
        await stream.aclose()
        await conduct_all(services)
        expected = await stored_events(services, simulation)
        assert await asyncio.gather(*watching) == [expected] * 20
        assert services.hub.statistics.live >= 20 * (len(expected) - 12)
        assert services.hub.statistics.reread == 0
        assert services.hub.followers == 0
