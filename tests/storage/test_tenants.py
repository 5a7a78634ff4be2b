"""Tenants and people."""

import asyncio

from tests.storage.worlds import stranger
from windtunnel.domain.viewers import Role
from windtunnel.storage import tenants
from windtunnel.storage.store import Store, open_store


async def test_demo_is_made_once_and_has_every_role(store: Store) -> None:
    first = await tenants.ensure_demo(store)
    again = await tenants.ensure_demo(store)
    assert first == again
    assert first.tenant.slug == "demo"
    assert first.user.email == "you@demo.local"
    assert first.roles == frozenset(Role)
    roles = await store.of(first.tenant_id).fetch("SELECT role FROM memberships WHERE user_id = $1", first.user.id)
    assert {row["role"] for row in roles} == set(Role)


async def test_demo_made_by_many_at_once_is_one(database_url: str) -> None:
    stores = [await open_store(database_url) for _ in range(4)]
    try:
        viewers = await asyncio.gather(*(tenants.ensure_demo(store) for store in stores for _ in range(3)))
        assert len(set(viewers)) == 1
        assert len(await stores[0].of(viewers[0].tenant_id).fetch("SELECT id FROM users")) == 1
    finally:
        for store in stores:
            await store.close()


async def test_users_are_those_of_the_tenant(store: Store) -> None:
    you, eve = await tenants.ensure_demo(store), await stranger(store)
    ids = [you.user.id, eve.user.id, "nobody", "\0", "\ud800", you.user.id]
    assert await tenants.users(store, you.tenant_id, ids) == {you.user.id: you.user}
    assert await tenants.users(store, eve.tenant_id, ids) == {eve.user.id: eve.user}
    assert await tenants.users(store, you.tenant_id, []) == {}
