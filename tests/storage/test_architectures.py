"""Architectures: immutable, decoded once."""

from dataclasses import replace

import pytest

from tests.examples import support_triage
from tests.queries import counted
from tests.storage.worlds import demo, scenario, stranger
from windtunnel.domain.architectures import digest_of
from windtunnel.domain.ids import new_id
from windtunnel.storage import architectures, scenarios
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.lru import LRU
from windtunnel.storage.store import Store, open_store


async def test_comes_back_equal(store: Store) -> None:
    you = await demo(store)
    made = await scenario(store, you)
    one, at = new_id(), await store.now()
    inserted = await architectures.insert(
        store, you.tenant_id, one, scenario_id=made.id, architecture=support_triage(), created_at=at
    )
    found = (await architectures.get_many(store, you.tenant_id, [one, new_id(), "\0"]))[one]
    assert found == inserted
    assert (found.architecture, found.digest) == (support_triage(), digest_of(support_triage()))
    assert (found.scenario_id, found.created_at) == (made.id, at)


async def test_content_is_decoded_once_per_digest(store: Store, database_url: str) -> None:
    you = await demo(store)
    ids = [new_id(), new_id()]
    for one in ids:
        await architectures.insert(
            store, you.tenant_id, one, scenario_id=None, architecture=support_triage(), created_at=await store.now()
        )
    fresh = await open_store(database_url)
    try:
        with counted(fresh) as cold:
            first = await architectures.get_many(fresh, you.tenant_id, ids)
        with counted(fresh) as warm:
            second = await architectures.get_many(fresh, you.tenant_id, ids)
        assert (len(cold), len(warm)) == (2, 1)
        assert first == second
        assert first[ids[0]].architecture is second[ids[1]].architecture
    finally:
        await fresh.close()


async def test_a_deleted_one_is_gone_although_it_was_decoded(store: Store) -> None:
    you = await demo(store)
    made, one = await scenario(store, you), new_id()
    await architectures.insert(
        store, you.tenant_id, one, scenario_id=made.id, architecture=support_triage(), created_at=await store.now()
    )
    assert await architectures.get_many(store, you.tenant_id, [one])
    await scenarios.delete(store, you.tenant_id, made.id)
    assert await architectures.get_many(store, you.tenant_id, [one]) == {}


async def test_the_database_refuses_to_change_one(unguarded: Store) -> None:
    store = unguarded
    you, one = await demo(store), new_id()
    await architectures.insert(
        store, you.tenant_id, one, scenario_id=None, architecture=support_triage(), created_at=await store.now()
    )
    with pytest.raises(ConstraintError, match="immutable"):
        await store.fetch("UPDATE architectures SET body = '{}' WHERE id = $1", one)
    found = await architectures.get_many(store, you.tenant_id, [one])
    assert found[one].architecture == support_triage()


async def test_another_tenant_sees_nothing(store: Store) -> None:
    you, eve, one = await demo(store), await stranger(store), new_id()
    await architectures.insert(
        store, you.tenant_id, one, scenario_id=None, architecture=support_triage(), created_at=await store.now()
    )
    assert await architectures.get_many(store, eve.tenant_id, [one]) == {}
    assert await architectures.get_many(store, you.tenant_id, []) == {}


def test_the_cache_is_bounded_and_keeps_what_is_used() -> None:
    cache = LRU[str, int](2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)


async def test_what_it_was_made_from_and_what_differs_is_kept(store: Store) -> None:
    tenant_id = (await demo(store)).tenant_id
    origin = await architectures.insert(
        store, tenant_id, new_id(), scenario_id=None, architecture=support_triage(), created_at=await store.now()
    )
    assert (origin.based_on, origin.changes) == (None, ())
    changed = replace(support_triage(), summary="Another")
    made = await architectures.insert(
        store,
        tenant_id,
        new_id(),
        scenario_id=None,
        architecture=changed,
        created_at=await store.now(),
        based_on=origin.id,
        changes=["The summary is another.", "客户 “quoted”"],
    )
    found = await architectures.get_many(store, tenant_id, [origin.id, made.id])
    assert found == {origin.id: origin, made.id: made}
    assert found[made.id].changes == ("The summary is another.", "客户 “quoted”")
    assert await architectures.made_before(store, tenant_id, origin.id, made.digest) == made.id
    assert await architectures.made_before(store, tenant_id, origin.id, origin.digest) is None
    assert await architectures.made_before(store, (await stranger(store)).tenant_id, origin.id, made.digest) is None
