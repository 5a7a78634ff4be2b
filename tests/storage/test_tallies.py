"""Sums for operators."""

from datetime import timedelta

from tests.storage.worlds import demo, queued, running, stranger
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.storage.store import Store
from windtunnel.storage.tallies import Tally, tally
from windtunnel.storage.transitions import cancelled


async def test_simulations_of_all_tenants_are_counted_by_status(store: Store) -> None:
    assert await tally(store) == []
    mine = await running(store, await demo(store))
    other = await stranger(store)
    await running(store, other)
    await queued(store, other)
    store.clock_offset = timedelta(hours=2)
    await cancelled(store, mine.tenant_id, mine.id, "Enough.")
    found = {one.status: one for one in await tally(store)}
    assert found[SimulationStatus.QUEUED] == Tally(SimulationStatus.QUEUED, 1, 0)
    assert found[SimulationStatus.RUNNING] == Tally(SimulationStatus.RUNNING, 1, 0)
    assert found[SimulationStatus.CANCELLED].simulations == 1
    assert 7200 <= found[SimulationStatus.CANCELLED].seconds < 7260
