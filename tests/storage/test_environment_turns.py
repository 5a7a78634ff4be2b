"""Where there is something to do: nothing is forgotten, and each process may do its part of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest

from tests.queries import counted
from tests.storage import environment_worlds, worlds
from windtunnel.domain.environments import EnvironmentUsage
from windtunnel.storage import environment_turns, environment_usage
from windtunnel.storage.errors import RightError
from windtunnel.storage.sizes import bytes_of
from windtunnel.storage.store import DatabaseRole, Store, open_store


async def busy(store: Store) -> list[str]:
    return [each.id for each in await environment_turns.with_work(store)]


async def test_what_comes_while_the_last_is_done_remains_to_be_done(store: Store) -> None:
    viewer = await worlds.demo(store)
    environment = await environment_worlds.ready(store, viewer)
    assert await busy(store) == []
    for _ in range(2):
        await environment_turns.raise_work(store, viewer.tenant_id, environment.id)
    seen = await environment_worlds.stored(store, environment)
    await environment_turns.raise_work(store, viewer.tenant_id, environment.id)
    await environment_turns.rest(store, seen)
    assert await busy(store) == [environment.id]
    await environment_turns.rest(store, await environment_worlds.stored(store, environment))
    await environment_turns.rest(store, seen)  # a slow one
    assert await busy(store) == []
    last = await environment_worlds.stored(store, environment)
    assert (last.work_seq, last.worked_seq) == (3, 3)


async def test_work_is_looked_for_where_it_can_be_done_whosever_it_is(store: Store) -> None:
    viewer, stranger = await worlds.demo(store), await worlds.stranger(store)
    environments = [await environment_worlds.ready(store, each) for each in (viewer, viewer, viewer, stranger)]
    for each in environments:
        await environment_turns.raise_work(store, each.tenant_id, each.id)
    await environment_turns.raise_work(store, stranger.tenant_id, environments[0].id)  # is none of theirs
    await environment_worlds.became(store, environments[1], "PAUSED")
    await environment_worlds.became(store, environments[2], "EXPIRING")
    assert set(await busy(store)) == {environments[0].id, environments[1].id, environments[3].id}
    assert (await environment_worlds.stored(store, environments[0])).work_seq == 1
    ending = await environment_worlds.gone(store, environments[2])
    await environment_turns.rest(store, ending)
    assert (await environment_worlds.stored(store, ending)).worked_seq == 0  # nothing changes any more


async def test_what_was_seen_before_is_not_read_in_full_again(store: Store) -> None:
    viewer = await worlds.demo(store)
    one, two = [await environment_worlds.ready(store, viewer) for _ in range(2)]
    await environment_turns.raise_work(store, viewer.tenant_id, one.id)
    seen = {each.id: each for each in await environment_turns.with_work(store)}
    await environment_turns.raise_work(store, viewer.tenant_id, one.id)
    await environment_worlds.became(store, one, "PAUSED")
    with counted(store) as statements:
        (again,) = await environment_turns.with_work(store, seen)
    assert (again.status, again.work_seq, again.limits) == ("PAUSED", 2, one.limits)
    assert len(statements) <= 1
    await environment_turns.raise_work(store, viewer.tenant_id, two.id)
    assert {each.id for each in await environment_turns.with_work(store, seen)} == {one.id, two.id}


async def test_something_may_begin_in_what_is_ready_and_in_time(store: Store) -> None:
    viewer, stranger = await worlds.demo(store), await worlds.stranger(store)
    environment = await environment_worlds.ready(store, viewer)
    assert await environment_turns.is_ready(store, viewer.tenant_id, environment.id)
    assert not await environment_turns.is_ready(store, stranger.tenant_id, environment.id)
    store.clock_offset = environment.expires_at - environment.created_at
    assert not await environment_turns.is_ready(store, viewer.tenant_id, environment.id)
    store.clock_offset = timedelta(0)
    await environment_worlds.became(store, environment, "PAUSED")
    assert not await environment_turns.is_ready(store, viewer.tenant_id, environment.id)


@asynccontextmanager
async def acting(url: str) -> AsyncIterator[list[Store]]:
    """A server, an API and a worker on one database."""
    async with AsyncExitStack() as stack:
        stores = []
        for role in (DatabaseRole.SERVER, DatabaseRole.API, DatabaseRole.WORKER):
            stores.append(await open_store(url, role=role))
            stack.push_async_callback(stores[-1].close)
        yield stores


async def test_each_process_may_do_its_part(postgres_database_url: str) -> None:
    async with acting(postgres_database_url) as (server, api, worker):
        viewer = await worlds.demo(server)
        environment = await environment_worlds.ready(server, viewer)
        await environment_turns.raise_work(api, viewer.tenant_id, environment.id)
        with pytest.raises(RightError):
            await environment_turns.with_work(api)
        (found,) = await environment_turns.with_work(worker)
        await environment_turns.rest(worker, found)
        for each in (api, worker):
            await environment_usage.add(each, viewer.tenant_id, environment.id, simulations=1, tokens=2, cpu_ms=3)
        used = (await environment_worlds.stored(server, environment)).usage
        assert used == EnvironmentUsage(simulations=2, tokens=4, cpu_ms=6)


async def test_a_database_knows_how_large_it_is(store: Store) -> None:
    viewer = await worlds.demo(store)
    before = await bytes_of(store)
    assert before > 10_000
    async with store.transaction(viewer.tenant_id):
        for _ in range(40):
            await worlds.scenario(store, viewer, text="word " * 3_000)
    assert await bytes_of(store) >= before + 40 * 1_000
