"""The housekeeper: what has served its time goes, chunk by chunk; the rest stays, and an outage ends nothing."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

import app.housekeeper
from app.housekeeper import Housekeeper
from tests.queries import counted
from tests.storage.worlds import demo, stranger
from tests.waiting import a_moment
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import IDEMPOTENCY_WINDOW_MS
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import idempotency
from windtunnel.storage.idempotency import Use
from windtunnel.storage.store import DatabaseRole, Store, open_store

A_DAY = timedelta(milliseconds=IDEMPOTENCY_WINDOW_MS + 1)


async def remember(store: Store, viewer: Viewer, key: str) -> None:
    await idempotency.remember(store, Use(viewer.tenant_id, viewer.user.id, "simulate", key, "a" * 64), new_id())


async def keys(store: Store, viewer: Viewer) -> list[str]:
    rows = await store.of(viewer.tenant_id).fetch(
        "SELECT key FROM idempotency_keys WHERE tenant_id = $1 ORDER BY key", viewer.tenant_id
    )
    return [row["key"] for row in rows]


async def test_old_keys_of_all_tenants_go_chunk_by_chunk(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.housekeeper, "SWEPT_AT_ONCE", 4)
    you, eve = await demo(store), await stranger(store)
    for viewer in (you, eve):
        for number in range(5):
            await remember(store, viewer, f"old {number}")
    store.clock_offset = A_DAY
    await remember(store, you, "new")
    worker = await open_store(database_url, role=DatabaseRole.WORKER, clock_offset=A_DAY)
    try:
        with counted(worker) as statements:
            assert await Housekeeper(worker).sweep() == 10
        assert len(statements) == 5, "three for the keys, two that find no deliveries and no packages"
        assert await Housekeeper(worker).sweep() == 0
    finally:
        await worker.close()
    assert (await keys(store, you), await keys(store, eve)) == (["new"], [])


async def test_it_sweeps_again_and_again_whatever_goes_wrong(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.housekeeper, "LOOK_EVERY_S", 0.0)
    store, closed = await open_store(sqlite_url), await open_store(sqlite_url)
    await closed.close()
    you = await demo(store)
    await remember(store, you, "old")
    with capture_logs() as entries:
        async with Housekeeper(closed):
            while len(entries) < 2:
                await a_moment()
    assert {entry["event"] for entry in entries} == {"nothing swept"}
    async with Housekeeper(store):
        store.clock_offset = A_DAY
        while await keys(store, you):
            await a_moment()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "housekeeper"]
    await store.close()
