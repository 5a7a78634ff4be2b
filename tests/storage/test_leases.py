"""Claims: each simulation has one conductor, queues are fair, expired leases are taken over."""

import asyncio
import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

from tests.queries import counted
from tests.storage.worlds import OWNER, demo, in_process, planning, queued, running, stored, stranger
from windtunnel.domain.policy import LEASE_MS
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.storage import leases, transitions
from windtunnel.storage.store import Store, open_store

LATER = timedelta(milliseconds=LEASE_MS + 1)


async def test_a_claim_starts_the_oldest_under_a_new_fence(store: Store) -> None:
    you = await demo(store)
    now = await store.now()
    made = [await queued(store, you, created_at=now - timedelta(seconds=age)) for age in (1, 3, 2)]
    claimed = await leases.claim(store, OWNER, 2, 20)
    assert [simulation.id for simulation in claimed] == [made[1].id, made[2].id]
    for simulation in claimed:
        assert (simulation.status, simulation.fence, simulation.lease_owner) == (SimulationStatus.RUNNING, 2, OWNER)
        assert simulation.started_at is not None
        assert simulation == await stored(store, simulation)
    assert (await stored(store, made[0])).status is SimulationStatus.QUEUED


async def test_what_is_held_is_not_claimed(store: Store) -> None:
    you = await demo(store)
    await planning(store, you)
    await running(store, you)
    over = await planning(store, you)
    await transitions.cancelled(store, you.tenant_id, over.id, "Cancelled.")
    assert await leases.claim(store, "worker-2", 10, 20) == []
    assert await leases.claim(store, "worker-2", 0, 20) == []


async def test_an_idle_claim_costs_one_statement(store: Store) -> None:
    with counted(store) as statements:
        assert await leases.claim(store, OWNER, 10, 20) == []
    assert len(statements) == 1


async def test_an_expired_lease_is_taken_over_as_it_stands(store: Store) -> None:
    you = await demo(store)
    told, planned = await running(store, you), await planning(store, you)
    store.clock_offset = LATER
    taken = {simulation.id: simulation for simulation in await leases.claim(store, "worker-2", 10, 20)}
    assert set(taken) == {told.id, planned.id}
    assert (taken[told.id].status, taken[told.id].fence) == (SimulationStatus.RUNNING, told.fence + 1)
    assert taken[told.id].started_at == told.started_at
    assert (taken[planned.id].status, taken[planned.id].fence) == (SimulationStatus.PLANNING, 2)
    assert taken[planned.id].lease_owner == "worker-2"
    assert await leases.claim(store, "worker-3", 10, 20) == []


async def test_a_released_lease_is_free_at_once(store: Store) -> None:
    you = await demo(store)
    mine = await running(store, you)
    await leases.release(store, "somebody else", {mine.id: mine.fence})
    await leases.release(store, OWNER, {mine.id: mine.fence - 1})
    assert await leases.claim(store, "worker-2", 10, 20) == []
    await leases.release(store, OWNER, {mine.id: mine.fence})
    assert [simulation.id for simulation in await leases.claim(store, "worker-2", 10, 20)] == [mine.id]


async def test_renewing_keeps_a_lease_beyond_its_time(store: Store) -> None:
    you = await demo(store)
    mine, lost = await running(store, you), await running(store, you)
    store.clock_offset = LATER / 2
    assert await leases.renew(store, OWNER, {mine.id: mine.fence}) == {mine.id}
    store.clock_offset = LATER
    assert [simulation.id for simulation in await leases.claim(store, "worker-2", 10, 20)] == [lost.id]
    held = {mine.id: mine.fence, lost.id: lost.fence, "nothing": 1}
    assert await leases.renew(store, OWNER, held) == {mine.id}
    assert await leases.renew(store, "worker-2", held) == set()
    assert await leases.renew(store, OWNER, {}) == set()


async def test_what_is_over_is_no_longer_held(store: Store) -> None:
    you = await demo(store)
    mine = await running(store, you)
    await transitions.cancelled(store, you.tenant_id, mine.id, "Cancelled.")
    assert await leases.renew(store, OWNER, {mine.id: mine.fence}) == set()


async def test_a_tenant_runs_only_so_many_at_a_time(store: Store) -> None:
    you = await demo(store)
    for _ in range(5):
        await queued(store, you)
    first = await leases.claim(store, OWNER, 10, 3)
    assert len(first) == 3
    assert await leases.claim(store, "worker-2", 10, 3) == []
    await transitions.cancelled(store, you.tenant_id, first[0].id, "Cancelled.")
    assert len(await leases.claim(store, "worker-2", 10, 3)) == 1
    store.clock_offset = LATER  # taking over what runs already is not limited
    assert len(await leases.claim(store, "worker-3", 10, 3)) == 3


async def test_a_long_queue_does_not_keep_other_tenants_waiting(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    now = await store.now()
    for age in range(10):
        await queued(store, you, created_at=now - timedelta(hours=1, seconds=age))
    late = [await queued(store, eve, created_at=now - timedelta(seconds=age)) for age in range(2)]
    claimed = await leases.claim(store, OWNER, 4, 20)
    assert Counter(simulation.tenant_id for simulation in claimed) == {you.tenant_id: 2, eve.tenant_id: 2}
    assert {simulation.id for simulation in late} <= {simulation.id for simulation in claimed}


async def test_many_workers_claim_each_simulation_once_and_keep_the_limit(database_url: str) -> None:
    stores = [await open_store(database_url) for _ in range(4)]
    try:
        you = await demo(stores[0])
        for _ in range(30):
            await queued(stores[0], you)
        claims = await asyncio.gather(
            *(leases.claim(one, f"worker-{number}", 3, 20) for number, one in enumerate(stores * 4))
        )
        ids = [simulation.id for claimed in claims for simulation in claimed]
        assert len(ids) == len(set(ids)) == 20
        assert {simulation.fence for claimed in claims for simulation in claimed} == {2}
    finally:
        for one in stores:
            await one.close()


async def claim_until_empty(store: Store, owner: str) -> list[str]:
    ids = []
    while claimed := await leases.claim(store, owner, 2, 1000):
        ids += [simulation.id for simulation in claimed]
    return ids


def test_many_processes_claim_each_simulation_once(database_url: str) -> None:
    async def prepare(store: Store) -> set[str]:
        you = await demo(store)
        return {(await queued(store, you)).id for _ in range(24)}

    made = in_process(database_url, prepare)
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(in_process, database_url, claim_until_empty, f"worker-{n}") for n in range(3)]
        claimed = [one for future in futures for one in future.result(60)]  # type: ignore[attr-defined]
    assert len(claimed) == 24
    assert set(claimed) == made
