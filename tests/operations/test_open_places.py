"""Open environments: opened once for all who work there, closed some time after the last, and nothing stays behind."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.waiting import until
from windtunnel.domain.environments import EnvironmentKey
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.ids import new_namespace
from windtunnel.operations.open_places import OpenPlaces
from windtunnel.storage.environment_databases import databases_beside
from windtunnel.storage.environment_files import EnvironmentFiles
from windtunnel.storage.store import Store, open_store
from windtunnel.streams.bus import Bus, open_bus
from windtunnel.streams.environment_channels import SharedChannels
from windtunnel.streams.redis_channels import RedisChannels


class World:
    """Places on a store, with environments to open in them, and a note of what was opened and closed."""

    def __init__(self, places: OpenPlaces, keys: Sequence[EnvironmentKey]) -> None:
        self.places = places
        self.keys = keys

    @property
    def open(self) -> set[str]:
        return set(self.places._places)

    async def touch(self, key: EnvironmentKey) -> None:
        async with self.places.opened(key) as opened:
            await opened.store.ping()


@asynccontextmanager
async def world(store: Store, directory: Path, number: int = 1, **how: Any) -> AsyncIterator[World]:
    databases = databases_beside(store, directory)
    bus = await open_bus(None)
    places = OpenPlaces(store, databases, SharedChannels(bus), **how)
    keys = [EnvironmentKey(new_namespace(), secrets.token_hex(32)) for _ in range(number)]
    for key in keys:
        await databases.create(key)
    try:
        yield World(places, keys)
    finally:
        await places.close()
        for key in keys:
            await databases.remove(key.namespace)
        await bus.close()


async def test_all_who_work_there_share_what_is_open(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path) as here:
        (key,) = here.keys

        async def work() -> int:
            async with here.places.opened(key) as opened:
                await opened.store.ping()
                return id(opened)

        assert len(set(await asyncio.gather(*(work() for _ in range(10))))) == 1
        assert len({await work(), await work()}) == 1
        assert here.open == {key.namespace}


async def test_its_clock_is_the_one_at_home(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path) as here, here.places.opened(here.keys[0]) as opened:
        store.clock_offset = timedelta(days=7)
        assert abs(await opened.store.now() - await store.now()) < timedelta(minutes=1)


async def test_whoever_opens_one_while_it_is_taken_away_leaves_no_channels(
    store: Store, tmp_path: Path, redis_url: str
) -> None:
    class TakenAway(RedisChannels):
        """By somebody else, just before they are opened."""

        async def open(self, key: EnvironmentKey) -> Bus:
            await databases.remove(key.namespace)
            await self.remove(key.namespace)
            return await super().open(key)

    databases = databases_beside(store, tmp_path)
    async with AsyncExitStack() as stack:
        bus = await open_bus(redis_url)
        stack.push_async_callback(bus.close)
        channels = TakenAway(redis_url, bus, "here")
        stack.push_async_callback(channels.close)
        places = OpenPlaces(store, databases, channels)
        stack.push_async_callback(places.close)
        key = EnvironmentKey(new_namespace(), secrets.token_hex(32))
        await databases.create(key)
        await channels.create(key)
        with pytest.raises(UnavailableError):
            async with places.opened(key):
                pass
        assert not await channels.exists(key.namespace)
        assert not places._places


async def test_few_stay_open_when_nobody_works_there_and_those_the_last_used(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path, 5, idle_max=2) as here:
        for key in here.keys:
            await here.touch(key)
        assert here.open == {key.namespace for key in here.keys[-2:]}
        await here.touch(here.keys[3])
        await here.touch(here.keys[0])
        assert here.open == {here.keys[3].namespace, here.keys[0].namespace}
        async with here.places.opened(here.keys[1]), here.places.opened(here.keys[2]):
            assert len(here.open) == 4  # who works somewhere is not sent away
        assert len(here.open) == 2


async def test_one_that_is_idle_is_closed_after_a_while(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path, 2, idle_s=0.01) as here:
        one, other = here.keys
        async with here.places.opened(one) as opened:
            await here.touch(other)
            await until(lambda: here.open == {one.namespace})
            await opened.store.ping()
        await until(lambda: not here.open)
        await until(lambda: not here.places._closings)
        with pytest.raises(UnavailableError):
            await opened.store.ping()
        assert here.places._timer is None
        await here.touch(one)
        await until(lambda: not here.open)


async def test_a_job_holds_it_open(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path, idle_max=0) as here:
        (key,) = here.keys
        async with here.places.opened(key) as opened:
            let_go = here.places.hold(key.namespace)
        await opened.store.ping()
        assert here.open == {key.namespace}
        let_go()
        await until(lambda: not here.open)
        here.places.hold(key.namespace)()  # nothing is open, nothing happens


async def test_closing_one_sends_away_who_works_there(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path, 2) as here:
        one, other = here.keys
        async with here.places.opened(one) as opened, here.places.opened(other) as beside:
            async with opened.hub.bell("bell") as listener:
                ringing = asyncio.create_task(listener.wait())
                await asyncio.sleep(0)
                await here.places.close(one.namespace)
                with pytest.raises(UnavailableError):
                    await ringing
            with pytest.raises(UnavailableError):
                await opened.store.ping()
            await beside.store.ping()
            await here.touch(one)  # whoever comes now opens it anew
        assert here.open == {one.namespace, other.namespace}


async def test_who_waits_for_it_to_open_while_it_is_closed_leaves_nothing_open(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path) as here:
        (key,) = here.keys
        tasks = [asyncio.create_task(here.touch(key)) for _ in range(5)]
        await asyncio.sleep(0)
        await here.places.close(key.namespace)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(outcome is None or isinstance(outcome, UnavailableError) for outcome in outcomes)
        assert any(isinstance(outcome, UnavailableError) for outcome in outcomes)
        assert here.open == set()


async def test_what_cannot_be_opened_is_not_kept(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path) as here:
        stranger = EnvironmentKey(new_namespace(), "unknown")
        for outcome in await asyncio.gather(*(here.touch(stranger) for _ in range(3)), return_exceptions=True):
            assert isinstance(outcome, UnavailableError)
        assert here.open == set()


async def test_channels_that_cannot_be_opened_leave_no_database_open(sqlite_url: str, tmp_path: Path) -> None:
    class Down(SharedChannels):
        async def open(self, key: EnvironmentKey) -> Bus:
            raise UnavailableError("The bus is down.")

    store, bus = await open_store(sqlite_url), await open_bus(None)
    databases, key = EnvironmentFiles(tmp_path), EnvironmentKey(new_namespace())
    await databases.create(key)
    places = OpenPlaces(store, databases, Down(bus))
    process = psutil.Process()
    await store.ping()
    before = process.num_fds()
    for _ in range(3):
        with pytest.raises(UnavailableError, match="cannot be opened"):
            async with places.opened(key):
                pass
    assert process.num_fds() <= before
    await places.close()
    await store.close()
    await bus.close()


async def test_whoever_is_cut_off_leaves_nothing_open(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path, idle_max=0) as here:
        (key,) = here.keys
        for steps in range(12):
            task = asyncio.create_task(here.touch(key))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        await until(lambda: not here.open)


async def test_coming_and_going_leaves_no_thread_no_file_and_no_task(store: Store, tmp_path: Path) -> None:
    async with world(store, tmp_path, 4, idle_max=1) as here:
        process = psutil.Process()

        async def round_about() -> tuple[int, int, int]:
            for key in here.keys:
                await here.touch(key)
            await here.places.close()
            await store.ping()
            return process.num_fds(), process.num_threads(), len(asyncio.all_tasks())

        before = await round_about()
        for _ in range(10):
            fds, threads, tasks = await round_about()
        assert (fds, tasks) <= (before[0], before[2])
        assert threads <= before[1] + 2  # threads of closed connections end a moment later
