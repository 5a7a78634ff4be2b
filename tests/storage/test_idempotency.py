"""Idempotency keys: one result per key for a day."""

import asyncio
from datetime import timedelta

import pytest

from tests.storage.worlds import demo, stranger
from windtunnel.domain.errors import ConflictError, ErrorCode
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import IDEMPOTENCY_WINDOW_MS
from windtunnel.storage import idempotency
from windtunnel.storage.store import Store, open_store

INPUT, OTHER = "a" * 64, "b" * 64


async def test_the_same_input_recalls_the_result(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    result = new_id()
    await idempotency.remember(store, you.tenant_id, "simulate", "k", input_digest=INPUT, result_id=result)
    assert await idempotency.recall(store, you.tenant_id, "simulate", "k", input_digest=INPUT) == result
    for tenant_id, operation, key in (
        (eve.tenant_id, "simulate", "k"),
        (you.tenant_id, "cancel", "k"),
        (you.tenant_id, "simulate", "K"),
    ):
        assert await idempotency.recall(store, tenant_id, operation, key, input_digest=INPUT) is None


async def test_another_input_is_refused(store: Store) -> None:
    you = await demo(store)
    await idempotency.remember(store, you.tenant_id, "simulate", "k", input_digest=INPUT, result_id=new_id())
    for refused in (
        idempotency.recall(store, you.tenant_id, "simulate", "k", input_digest=OTHER),
        idempotency.remember(store, you.tenant_id, "simulate", "k", input_digest=OTHER, result_id=new_id()),
    ):
        with pytest.raises(ConflictError) as mismatch:
            await refused
        assert mismatch.value.code is ErrorCode.IDEMPOTENCY_MISMATCH


async def test_a_key_is_free_again_after_a_day(store: Store) -> None:
    you = await demo(store)
    old, new = new_id(), new_id()
    await idempotency.remember(store, you.tenant_id, "simulate", "k", input_digest=INPUT, result_id=old)
    store.clock_offset = timedelta(milliseconds=IDEMPOTENCY_WINDOW_MS - 60_000)
    assert await idempotency.recall(store, you.tenant_id, "simulate", "k", input_digest=INPUT) == old
    store.clock_offset = timedelta(milliseconds=IDEMPOTENCY_WINDOW_MS + 1)
    assert await idempotency.recall(store, you.tenant_id, "simulate", "k", input_digest=OTHER) is None
    await idempotency.remember(store, you.tenant_id, "simulate", "k", input_digest=OTHER, result_id=new)
    assert await idempotency.recall(store, you.tenant_id, "simulate", "k", input_digest=OTHER) == new


async def test_requests_at_once_with_one_key_have_one_result(store: Store, database_url: str) -> None:
    you = await demo(store)
    other = await open_store(database_url)

    async def request(one: Store) -> str:
        async with one.transaction():
            await one.lock_tenant(you.tenant_id)
            known = await idempotency.recall(one, you.tenant_id, "simulate", "k", input_digest=INPUT)
            if known is None:
                known = new_id()
                await idempotency.remember(one, you.tenant_id, "simulate", "k", input_digest=INPUT, result_id=known)
            return known

    try:
        results = await asyncio.gather(*(request(one) for one in (store, other) * 4))
        assert len(set(results)) == 1
    finally:
        await other.close()
