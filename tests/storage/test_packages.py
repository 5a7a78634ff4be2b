"""Packages on record: whose they are, unchangeable, and seen by nobody else."""

from dataclasses import replace

import pytest

from tests.storage.worlds import demo, stranger
from windtunnel.domain.packages import StoredPackage, StoredSignature
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import packages
from windtunnel.storage.errors import ConstraintError, RightError
from windtunnel.storage.store import DatabaseRole, Store, open_store

ONE, OTHER = "a" * 64, "b" * 64


async def package(store: Store, viewer: Viewer, digest: str = ONE) -> StoredPackage:
    made = StoredPackage(viewer.tenant_id, digest, 4_977, "demo/triage", "1.0.0", viewer.user.id, await store.now())
    assert await packages.insert(store, made)
    return made


async def signature(store: Store, viewer: Viewer, text: str = "{}", digest: str = ONE) -> StoredSignature:
    return StoredSignature(viewer.tenant_id, digest, text.ljust(64, "0"), text, viewer.user.id, await store.now())


async def test_a_package_is_found_by_its_digest(store: Store) -> None:
    you = await demo(store)
    made = await package(store, you)
    assert await packages.get(store, you.tenant_id, ONE) == made
    assert await packages.get(store, you.tenant_id, OTHER) is None
    for odd in ("", "\0", "A" * 64, "x" * 5_000, "' OR 1=1"):
        assert await packages.get(store, you.tenant_id, odd) is None
        assert await packages.signature_of(store, you.tenant_id, odd) is None


async def test_uploaded_again_it_stays_as_it_was(store: Store) -> None:
    you = await demo(store)
    made = await package(store, you)
    assert not await packages.insert(store, replace(made, size_bytes=1, name=None, version=None))
    assert await packages.get(store, you.tenant_id, ONE) == made


async def test_each_tenant_has_its_own(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    mine = await package(store, you)
    assert await packages.get(store, eve.tenant_id, ONE) is None
    assert await packages.bytes_of(store, eve.tenant_id) == 0
    theirs = await package(store, eve)
    assert await packages.get(store, you.tenant_id, ONE) == mine
    assert await packages.get(store, eve.tenant_id, ONE) == theirs
    await package(store, you, OTHER)
    assert await packages.bytes_of(store, you.tenant_id) == 2 * 4_977
    assert await packages.of_anybody(store, [ONE, OTHER, "c" * 64]) == {ONE, OTHER}
    assert await packages.of_anybody(store, []) == set()


async def test_a_signature_is_replaced_by_a_later_one(store: Store) -> None:
    you, eve = await demo(store), await stranger(store)
    await package(store, you)
    await package(store, eve)
    assert await packages.signature_of(store, you.tenant_id, ONE) is None
    first, second = await signature(store, you, '{"1": 1}'), await signature(store, you, '{"2": 2}')
    assert await packages.sign(store, first)
    assert not await packages.sign(store, first)
    assert await packages.signature_of(store, you.tenant_id, ONE) == first
    assert await packages.sign(store, second)
    assert await packages.signature_of(store, you.tenant_id, ONE) == second
    assert await packages.signature_of(store, eve.tenant_id, ONE) is None
    with pytest.raises(ConstraintError):
        await packages.sign(store, await signature(store, you, digest=OTHER))


async def test_the_database_refuses_what_cannot_be(unguarded: Store) -> None:
    store = unguarded
    you, eve = await demo(store), await stranger(store)
    made = await package(store, you)
    for wrong in (
        replace(made, digest="abc"),
        replace(made, digest=OTHER, size_bytes=0),
        replace(made, digest=OTHER, size_bytes=52_428_801),
        replace(made, digest=OTHER, uploaded_by=eve.user.id),
        replace(made, digest=OTHER, tenant_id="nobody"),
    ):
        with pytest.raises(ConstraintError):
            await packages.insert(store, wrong)
    for column, value in (("digest", OTHER), ("version", "2.0.0"), ("tenant_id", eve.tenant_id), ("size_bytes", 1)):
        with pytest.raises(ConstraintError):
            await store.fetch(f"UPDATE packages SET {column} = $1", value)
    assert await packages.get(store, you.tenant_id, ONE) == made


async def test_a_worker_reads_and_an_api_does_not_take_back(postgres_database_url: str) -> None:
    api = await open_store(postgres_database_url, role=DatabaseRole.API)
    worker = await open_store(postgres_database_url, role=DatabaseRole.WORKER)
    try:
        you = await demo(api)
        made = await package(api, you)
        assert await packages.get(worker, you.tenant_id, ONE) == made
        assert await packages.of_anybody(worker, [ONE]) == {ONE}
        assert await worker.fetch("SELECT digest FROM packages") == []
        with pytest.raises(RightError):
            await packages.insert(worker, replace(made, digest=OTHER))
        with pytest.raises(RightError):
            await packages.sign(worker, await signature(api, you))
        for sql in ("DELETE FROM packages WHERE digest = $1", "UPDATE packages SET name = NULL WHERE digest = $1"):
            with pytest.raises(RightError):
                await api.of(you.tenant_id).fetch(sql, ONE)
    finally:
        await worker.close()
        await api.close()
