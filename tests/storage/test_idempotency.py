"""Idempotency keys: one result per key for a day."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.storage.worlds import demo, stranger
from windtunnel.domain.errors import ConflictError, ErrorCode
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import IDEMPOTENCY_WINDOW_MS
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import idempotency
from windtunnel.storage.idempotency import Use
from windtunnel.storage.store import DatabaseRole, Store, open_store

OTHER = "b" * 64


def use(viewer: Viewer, key: str = "k") -> Use:
    return Use(viewer.tenant_id, viewer.user.id, "simulate", key, "a" * 64)


async def test_the_same_input_recalls_the_result(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    result = new_id()
    await idempotency.remember(store, use(you), result)
    assert await idempotency.recall(store, use(you)) == result
    for other in (
        use(eve),
        use(you, "K"),
        replace(use(you), operation="cancelSimulation"),
        replace(use(you), user_id=eve.user.id),
    ):
        assert await idempotency.recall(store, other) is None


async def test_another_input_is_refused(store: Store) -> None:
    mine = use(await demo(store))
    await idempotency.remember(store, mine, new_id())
    other = replace(mine, input_digest=OTHER)
    for refused in (idempotency.recall(store, other), idempotency.remember(store, other, new_id())):
        with pytest.raises(ConflictError) as mismatch:
            await refused
        assert mismatch.value.code is ErrorCode.IDEMPOTENCY_MISMATCH


async def test_a_key_is_free_again_after_a_day(store: Store) -> None:
    mine = use(await demo(store))
    other = replace(mine, input_digest=OTHER)
    old, new = new_id(), new_id()
    await idempotency.remember(store, mine, old)
    store.clock_offset = timedelta(milliseconds=IDEMPOTENCY_WINDOW_MS - 60_000)
    assert await idempotency.recall(store, mine) == old
    store.clock_offset = timedelta(milliseconds=IDEMPOTENCY_WINDOW_MS + 1)
    assert await idempotency.recall(store, other) is None
    await idempotency.remember(store, other, new)
    assert await idempotency.recall(store, other) == new


async def test_requests_at_once_with_one_key_have_one_result(store: Store, database_url: str) -> None:
    mine = use(await demo(store))
    other = await open_store(database_url)

    async def request(one: Store) -> str:
        async with one.transaction(mine.tenant_id):
            await one.lock_tenant(mine.tenant_id)
            known = await idempotency.recall(one, mine)
            if known is None:
                known = new_id()
                await idempotency.remember(one, mine, known)
            return known

    try:
        results = await asyncio.gather(*(request(one) for one in (store, other) * 4))
        assert len(set(results)) == 1
    finally:
        await other.close()


async def test_old_keys_of_all_tenants_are_swept_in_bounded_chunks(store: Store, database_url: str) -> None:
    people = [await demo(store), await stranger(store)]
    for who in people:
        for number in range(3):
            await idempotency.remember(store, use(who, f"old {number}"), new_id())
    store.clock_offset = timedelta(milliseconds=IDEMPOTENCY_WINDOW_MS - 60_000)
    young = new_id()
    await idempotency.remember(store, use(people[0], "young"), young)
    worker = await open_store(database_url, role=DatabaseRole.WORKER)
    try:
        assert await idempotency.sweep(worker, 4) == 0
        worker.clock_offset = store.clock_offset + timedelta(minutes=2)
        assert [await idempotency.sweep(worker, 4) for _ in range(3)] == [4, 2, 0]
    finally:
        await worker.close()
    assert await idempotency.recall(store, use(people[0], "young")) == young
    store.clock_offset = timedelta(0)
    assert await idempotency.recall(store, use(people[0], "old 0")) is None
