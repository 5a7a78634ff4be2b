"""Simulating in an environment: the same run as at home, stored there and nowhere else."""

from contextlib import suppress
from datetime import timedelta

import pytest

from tests.operations.environment_world import begun_in, conduct_in, opened_environment, stored_in
from tests.operations.world import (
    TEXT,
    begun,
    conduct_all,
    demo,
    process,
    queued,
    stored_events,
    tale,
    watched,
)
from tests.storage import environment_worlds, worlds
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import EnvironmentLimits, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, ErrorCode, NotFoundError, QuotaError
from windtunnel.domain.ids import namespace_of, new_id
from windtunnel.domain.simulations import SimulationStage, SimulationStatus
from windtunnel.operations.cancel_simulation import cancel_simulation
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.operations.inject_failure import inject_failure
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.places import in_environment, place_of
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.operations.services import Services
from windtunnel.storage import architectures, audit, scenarios, simulations
from windtunnel.storage.environment_usage import add
from windtunnel.storage.store import Store

CODE = "timeout"


async def everything_at_home(store: Store, tenant_id: str) -> dict[str, str]:
    """All rows of all tables that a tenant can have, as text."""
    tables = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
        "postgres": "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()",
    }
    found: dict[str, str] = {}
    for row in await store.fetch(tables[store.dialect]):
        with suppress(Exception):  # some are for nobody to read
            found[row["name"]] = repr(await store.of(tenant_id).fetch(f'SELECT * FROM "{row["name"]}"'))
    return found


async def test_the_same_run_as_at_home_and_nothing_of_it_is_stored_there(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        at_home = await queued(services, viewer)
        await conduct_all(services)
        expected = await stored_events(services, at_home)
        environment = await opened_environment(services, viewer)
        before = await everything_at_home(services.store, viewer.tenant_id)
        simulation = await begun_in(services, viewer, environment, text=f"{TEXT} Secretly.")
        assert await conduct_in(services, environment) == 1
        assert namespace_of(simulation.id) == environment.namespace
        told = await watched(services, viewer, simulation)
        assert tale(told) != tale(expected)  # other words
        again = await begun_in(services, viewer, environment)
        await conduct_in(services, environment)
        assert tale(await watched(services, viewer, again)) == tale(expected)

        after = await everything_at_home(services.store, viewer.tenant_id)
        changed = {name for name, rows in after.items() if rows != before[name]}
        assert {"simulations", "scenarios", "architectures", "simulation_events"} <= before.keys()
        assert changed == {"environments", "audit_entries", "notifications", "inboxes"} & changed
        assert "audit_entries" in changed
        assert not any("Secretly" in rows for rows in after.values())
        done = await stored_in(services, environment, simulation.id)
        assert done
        assert (done.status, done.environment_id) == (SimulationStatus.SUCCEEDED, environment.id)
        used = (await environment_worlds.stored(services.store, environment)).usage
        assert used.simulations == 2
        assert used.tokens > 0


async def test_what_is_in_one_environment_is_not_in_another_nor_at_home(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        one, two = await opened_environment(services, viewer), await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, one)
        scenario_id, architecture_id = simulation.scenario_id or "", ""
        here = await stored_in(services, one, simulation.id)
        assert here
        architecture_id = here.architecture_id or ""
        assert await stored_in(services, two, simulation.id) is None
        for what in ({"scenario_id": scenario_id}, {"architecture_id": architecture_id}):
            with pytest.raises(NotFoundError):
                await begun_in(services, viewer, two, **what)
            with pytest.raises(NotFoundError):
                await begun(services, viewer, **{"text": None, "wait_for": SimulationStage.PLANNED} | what)
            again = await begun_in(services, viewer, one, **what)
            assert again.scenario_id == scenario_id
        async with in_environment(services, one) as place:
            waiting = (await simulations.counts(place.store, viewer.tenant_id)).waiting
        assert waiting == 3
        assert await conduct_in(services, two) == 0
        assert await conduct_in(services, one) == 3


async def test_what_comes_from_home_is_copied_once(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        at_home = await queued(services, viewer)
        environment = await opened_environment(services, viewer)
        source = {"scenario_id": at_home.scenario_id}
        first, second = [await begun_in(services, viewer, environment, **source) for _ in range(2)]
        third = await begun_in(services, viewer, environment, architecture_id=at_home.architecture_id)
        assert first.scenario_id == second.scenario_id == third.scenario_id != at_home.scenario_id
        assert third.architecture_id not in {first.architecture_id, at_home.architecture_id}
        async with in_environment(services, environment) as place:
            copied = await scenarios.get_many(place.store, viewer.tenant_id, [first.scenario_id or ""])
            networks = await architectures.get_many(place.store, viewer.tenant_id, [third.architecture_id or ""])
        assert [each.text for each in copied.values()] == [TEXT]
        original = await architectures.get_many(services.store, viewer.tenant_id, [at_home.architecture_id or ""])
        assert [each.digest for each in networks.values()] == [each.digest for each in original.values()]
        assert await conduct_in(services, environment) == 3
        entries = await audit.read(services.store, viewer.tenant_id, 0, 100)
        (made,) = [each for each in entries if each.subject_id == first.scenario_id]
        assert made.action == "SCENARIO_CREATED"
        assert f'"copyOf":"{Subject(Kind.SCENARIO, at_home.scenario_id or "").global_id}"' in made.details
        await delete_scenario(services, viewer, at_home.scenario_id or "")  # the copy stays
        assert (await begun_in(services, viewer, environment, scenario_id=first.scenario_id)).id


async def test_strangers_find_neither_the_environment_nor_what_is_in_it(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, stranger = await demo(services), await worlds.stranger(services.store)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment)
        with pytest.raises(NotFoundError):
            await begun_in(services, stranger, environment)
        with pytest.raises(NotFoundError):
            await begun(services, viewer, environment_id=new_id())
        for verb in (
            cancel_simulation(services, stranger, simulation.id),
            inject_failure(services, stranger, simulation.id, await a_code(services)),
            delete_scenario(services, stranger, simulation.scenario_id or ""),
            watched(services, stranger, simulation),
        ):
            with pytest.raises(NotFoundError):
                await verb
        async with place_of(services, stranger.tenant_id, simulation.id) as place:
            assert place is None


async def a_code(services: Services) -> str:
    return next(iter(services.book.definitions))


async def test_verbs_on_a_simulation_work_where_it_lies(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        simulation = await begun_in(services, viewer, environment)
        code = await a_code(services)
        for _ in range(2):
            await inject_failure(services, viewer, simulation.id, code, idempotency_key="one")
        await conduct_in(services, environment)
        told = await watched(services, viewer, simulation)
        assert code in {event.body.get("code") for event in told}
        other = await begun_in(services, viewer, environment, idempotency_key="two")
        assert (await begun_in(services, viewer, environment, idempotency_key="two")).id == other.id
        assert (await cancel_simulation(services, viewer, other.id)).status is SimulationStatus.CANCELLED
        assert (await cancel_simulation(services, viewer, other.id)).status is SimulationStatus.CANCELLED
        third = await begun_in(services, viewer, environment)
        await delete_scenario(services, viewer, third.scenario_id or "")
        with pytest.raises(NotFoundError):
            await watched(services, viewer, third)
        actions = [each.action for each in await audit.read(services.store, viewer.tenant_id, 0, 100)]
        assert actions.count("SIMULATION_STARTED") == 3
        assert actions.count("SIMULATION_CANCELLED") == actions.count("SCENARIO_DELETED") == 1
        assert actions.count("SIMULATION_FINISHED") == actions.count("FAILURE_INJECTED") == 1


async def test_a_paused_environment_takes_nothing_in_and_goes_on_when_resumed(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        waiting = await begun_in(services, viewer, environment, idempotency_key="known")
        await pause_environment(services, viewer, environment.id)
        with pytest.raises(ConflictError) as refused:
            await begun_in(services, viewer, environment)
        assert refused.value.code is ErrorCode.ENVIRONMENT_PAUSED
        assert refused.value.path == ("input", "environment_id")
        assert (await begun_in(services, viewer, environment, idempotency_key="known")).id == waiting.id
        assert await conduct_in(services, environment) == 0
        await resume_environment(services, viewer, environment.id)
        assert await conduct_in(services, environment) == 1


async def test_nobody_enters_an_environment_whose_time_is_over(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer)
        await begun_in(services, viewer, environment)
        services.store.clock_offset = timedelta(days=3)
        with pytest.raises(ConflictError) as refused:
            await begun_in(services, viewer, environment)
        assert refused.value.code is ErrorCode.ENVIRONMENT_EXPIRED
        assert await conduct_in(services, environment) == 0
        services.store.clock_offset = timedelta(0)
        for status, more in (("DELETING", "ended_by = 'PERSON'"), ("DELETED", "")):
            await environment_worlds.became(services.store, environment, status, more)
            with pytest.raises(ConflictError) as refused:
                await begun_in(services, viewer, environment)
            assert (refused.value.code, refused.value.current) == (ErrorCode.CONFLICT, status)


async def test_a_full_environment_takes_nothing_in(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await opened_environment(services, viewer, limits=EnvironmentLimits(storage_mb=16))
        await begun_in(services, viewer, environment)
        ballast = services.environments_dir / environment.namespace / "ballast"
        with ballast.open("wb") as file:
            file.truncate(16 * 1024 * 1024)
        with pytest.raises(QuotaError) as refused:
            await begun_in(services, viewer, environment)
        assert (refused.value.limit, refused.value.used) == (16, 16)
        assert (await environment_worlds.stored(services.store, environment)).work_seq == 1
        ballast.unlink()
        await begun_in(services, viewer, environment)


async def test_use_is_added_up_until_nothing_remains(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        environment = await environment_worlds.ready(services.store, viewer)
        for _ in range(2):
            await add(services.store, viewer.tenant_id, environment.id, simulations=1, tokens=10, cpu_ms=5)
        used = (await environment_worlds.stored(services.store, environment)).usage
        assert (used.simulations, used.tokens, used.cpu_ms) == (2, 20, 10)
        ending = await environment_worlds.became(services.store, environment, "DELETING", "ended_by = 'PERSON'")
        await environment_worlds.gone(services.store, ending)
        await add(services.store, viewer.tenant_id, environment.id, tokens=1)
        gone = await environment_worlds.stored(services.store, environment)
        assert (gone.status, gone.usage) == (EnvironmentStatus.DELETED, used)
