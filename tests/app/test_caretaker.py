"""The caretaker: hears of environments, looks after them in time, hands over, and outlives what goes down."""

import asyncio
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

import app.caretaker
import app.claiming
from app.caretaker import Caretaker
from tests.databases import migrate_url
from tests.operations.care import LEASE_OVER, asked, left_of, now, processes_with
from tests.operations.world import demo, die, process
from tests.servers import PostgresServer
from tests.waiting import until
from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.domain.ids import new_namespace
from windtunnel.operations import provisioning, tend_environment
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.services import Services
from windtunnel.operations.watch_environment import watch_environment
from windtunnel.storage import environments
from windtunnel.streams.bus import open_bus

NEVER = 3_600.0
DAY = timedelta(days=1)


async def until_status(services: Services, environment: Environment, status: EnvironmentStatus) -> None:
    async with aclosing(watch_environment(services, await demo(services), environment.id)) as stream:
        async for event in stream:
            if event.status is status:
                return
    raise AssertionError(status)


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_a_caretaker_hears_of_what_is_to_be_done_without_looking_for_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.claiming, "LOOK_EVERY_S", NEVER)
    async with process(database_url) as services:
        async with Caretaker(services, "one"):
            viewer = await demo(services)
            made = [await asked(services, str(number)) for number in range(10)]
            for environment in made:
                await until_status(services, environment, EnvironmentStatus.READY)
            for environment in made:
                await delete_environment(services, viewer, environment.id)
            for environment in made:
                await until_status(services, environment, EnvironmentStatus.DELETED)
                assert await left_of(services, environment) == []
        assert await environments.count(services.store, viewer.tenant_id) == 0
    assert tasks() == set()


async def test_a_caretaker_looks_after_time(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.claiming, "LOOK_EVERY_S", 0.05)
    async with process(sqlite_url) as services, Caretaker(services, "one"):
        environment = await asked(services)
        await until_status(services, environment, EnvironmentStatus.READY)
        services.store.clock_offset = DAY
        await until_status(services, environment, EnvironmentStatus.DELETED)


async def test_no_more_are_tended_at_a_time_than_there_are_hands(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, go_on = 0, 0, asyncio.Event()
    made = provisioning.provision

    async def counted(services: Services, environment: Environment) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await go_on.wait()
        await made(services, environment)
        at_once -= 1

    monkeypatch.setitem(tend_environment._STAGES, EnvironmentStatus.PROVISIONING, counted)
    monkeypatch.setattr(app.caretaker, "TENDED_AT_ONCE", 3)
    async with process(sqlite_url) as services, Caretaker(services, "one"):
        environments_ = [await asked(services, str(number)) for number in range(6)]
        await until(lambda: at_once == 3)
        go_on.set()
        for environment in environments_:
            await until_status(services, environment, EnvironmentStatus.READY)
        assert most == 3


async def test_a_caretaker_that_stops_hands_over_at_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, blocked = asyncio.Event(), True
    examine = provisioning.examine  # type: ignore[attr-defined]

    async def slowly(services: Services, environment: Environment) -> object:
        begun.set()
        while blocked:
            await asyncio.Event().wait()
        return await examine(services, environment)

    monkeypatch.setattr(provisioning, "examine", slowly)
    async with process(database_url) as services:
        environment = await asked(services)
        async with Caretaker(services, "one"):
            await begun.wait()
        given_up = await now(services, environment)
        assert (given_up.status, given_up.lease_owner) == (EnvironmentStatus.PROVISIONING, None)
        blocked = False
        async with Caretaker(services, "two"):
            await until_status(services, environment, EnvironmentStatus.READY)


async def test_a_caretaker_takes_over_from_a_dead_one(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.claiming, "LOOK_EVERY_S", 0.05)
    begun, blocked = asyncio.Event(), True
    examine = provisioning.examine  # type: ignore[attr-defined]

    async def slowly(services: Services, environment: Environment) -> object:
        begun.set()
        while blocked:
            await asyncio.Event().wait()
        return await examine(services, environment)

    monkeypatch.setattr(provisioning, "examine", slowly)
    bus = await open_bus(None)
    async with (
        process(database_url, bus=bus, owner="dead") as services,
        Caretaker(services, "dead") as dying,
    ):
        environment = await asked(services)
        await begun.wait()
        await die(dying._holder)
        blocked = False
        async with process(database_url, bus=bus, environments_dir=services.environments_dir) as heirs:
            heirs.store.clock_offset = LEASE_OVER
            async with Caretaker(heirs, "heir"):
                await until_status(services, environment, EnvironmentStatus.READY)
                assert (await now(services, environment)).fence >= 2
    await bus.close()
    assert tasks() == set()


async def test_a_caretaker_outlives_its_database(postgres_server: PostgresServer) -> None:
    await asyncio.to_thread(migrate_url, postgres_server.url)
    async with process(postgres_server.url) as services, Caretaker(services, "one"):
        viewer = await demo(services)
        before = await asked(services, "before")
        await until_status(services, before, EnvironmentStatus.READY)
        await asyncio.to_thread(postgres_server.kill)
        await asyncio.to_thread(postgres_server.start)
        after = await asked(services, "after")
        await until_status(services, after, EnvironmentStatus.READY)
        await delete_environment(services, viewer, before.id)
        await until_status(services, before, EnvironmentStatus.DELETED)
        assert await left_of(services, before) == []


async def test_a_caretaker_reaps_when_it_begins(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        orphan: Path = services.environments_dir / new_namespace()
        await asyncio.to_thread(orphan.mkdir, parents=True)
        async with Caretaker(services, "one"):
            await until(lambda: not orphan.exists())
        assert processes_with(orphan.name) == []
