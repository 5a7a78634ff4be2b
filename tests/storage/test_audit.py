"""The audit log on both databases: chained, in the change's transaction, append-only."""

import asyncio
import sys
from datetime import timedelta

import pytest

from tests.processes import ROOT
from tests.storage import worlds
from windtunnel.domain.audit import GENESIS_HASH, AuditAction, AuditDraft, is_intact
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.storage import audit
from windtunnel.storage.audit_chains import Chain, chains, length, stretch
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import DatabaseRole, Store, open_store

CHANGES = ("UPDATE audit_entries SET reason = 'x'", "DELETE FROM audit_entries")


def draft(number: int = 0, **other: object) -> AuditDraft:
    subject = Subject(Kind.SCENARIO, new_id())
    return AuditDraft(AuditAction.SCENARIO_CREATED, subject, details={"number": number}, **other)  # type: ignore[arg-type]


async def test_entries_form_a_chain(store: Store) -> None:
    viewer = await worlds.demo(store)
    first = await audit.append(store, viewer.tenant_id, draft(1))
    second = await audit.append(
        store,
        viewer.tenant_id,
        draft(2, actor_id=viewer.user.id, token_id=new_id(), reason="because\0 \ud800", request_id="r" * 150),
    )
    assert (first.seq, first.previous_hash, first.actor_id, first.reason) == (1, GENESIS_HASH, None, None)
    assert (second.seq, second.previous_hash) == (2, first.hash)
    assert (second.reason, second.request_id) == ("because\ufffd \ufffd", "r" * 100)
    stored = await audit.read(store, viewer.tenant_id, 0, 10)
    assert stored == [first, second]
    assert all(is_intact(entry) for entry in stored)
    assert await audit.read(store, viewer.tenant_id, 1, 10) == [second]
    assert await audit.read(store, viewer.tenant_id, 0, 1) == [first]


async def test_each_tenant_has_a_chain_of_its_own(store: Store) -> None:
    mine, other = await worlds.demo(store), await worlds.stranger(store)
    entry = await audit.append(store, mine.tenant_id, draft())
    theirs = await audit.append(store, other.tenant_id, draft())
    assert (theirs.seq, theirs.previous_hash) == (1, GENESIS_HASH)
    assert await audit.read(store, other.tenant_id, 0, 10) == [theirs]
    assert await audit.get_many(store, mine.tenant_id, [entry.id, theirs.id, "?" * 99]) == {entry.id: entry}


async def test_an_entry_goes_with_its_change(store: Store) -> None:
    viewer = await worlds.demo(store)
    with pytest.raises(ZeroDivisionError):
        await _failing(store, viewer.tenant_id)
    assert await audit.read(store, viewer.tenant_id, 0, 10) == []
    assert (await audit.append(store, viewer.tenant_id, draft())).seq == 1


async def _failing(store: Store, tenant_id: str) -> None:
    async with store.transaction(tenant_id):
        await audit.append(store, tenant_id, draft())
        raise ZeroDivisionError


async def test_an_actor_of_another_tenant_is_refused(store: Store) -> None:
    mine, other = await worlds.demo(store), await worlds.stranger(store)
    with pytest.raises(ConstraintError):
        await audit.append(store, mine.tenant_id, draft(actor_id=other.user.id))


async def test_entries_have_the_time_of_the_store(store: Store) -> None:
    viewer = await worlds.demo(store)
    store.clock_offset = timedelta(days=40)
    before = await store.now()
    entry = await audit.append(store, viewer.tenant_id, draft())
    assert before <= entry.at <= await store.now()


async def test_six_writers_never_fork_the_chain(store: Store) -> None:
    viewer = await worlds.demo(store)

    async def writer(number: int) -> None:
        for _ in range(20):
            await audit.append(store, viewer.tenant_id, draft(number))

    await asyncio.gather(*(writer(number) for number in range(6)))
    entries = await audit.read(store, viewer.tenant_id, 0, 1_000)
    assert [entry.seq for entry in entries] == list(range(1, 121))
    assert [entry.previous_hash for entry in entries] == [GENESIS_HASH, *(entry.hash for entry in entries[:-1])]
    assert [entry.at_ms for entry in entries] == sorted(entry.at_ms for entry in entries)


async def test_a_writer_that_is_killed_leaves_a_chain_to_go_on_with(store: Store, database_url: str) -> None:
    viewer = await worlds.demo(store)
    writing = (
        "import asyncio, sys; from tests.storage.test_audit import draft;"
        "from windtunnel.storage import audit; from windtunnel.storage.store import open_store\n"
        "async def write():\n"
        "    store = await open_store(sys.argv[1])\n"
        "    while True:\n"
        "        print((await audit.append(store, sys.argv[2], draft())).seq, flush=True)\n"
        "asyncio.run(write())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", writing, database_url, viewer.tenant_id, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    for _ in range(10):
        told = int(await process.stdout.readline())
        await audit.append(store, viewer.tenant_id, draft())
    process.kill()
    await process.communicate()
    last = await audit.append(store, viewer.tenant_id, draft())
    entries = await audit.read(store, viewer.tenant_id, 0, 10_000)
    assert [entry.seq for entry in entries] == list(range(1, last.seq + 1))
    assert last.seq > told
    assert all(is_intact(entry) for entry in entries)


async def test_the_tables_refuse_changes_of_their_owner(unguarded: Store) -> None:
    entry = await audit.append(unguarded, (await worlds.demo(unguarded)).tenant_id, draft())
    more = {
        "sqlite": ("INSERT OR REPLACE INTO audit_entries SELECT * FROM audit_entries",),
        "postgres": ("TRUNCATE audit_entries", "TRUNCATE tenants CASCADE"),
    }
    for change in (*CHANGES, *more[unguarded.dialect]):
        with pytest.raises(ConstraintError, match="append-only"):
            await unguarded.fetch(change)
    assert await audit.read(unguarded, entry.tenant_id, 0, 10) == [entry]


async def test_a_tenant_with_a_log_stays(unguarded: Store) -> None:
    entry = await audit.append(unguarded, (await worlds.demo(unguarded)).tenant_id, draft())
    with pytest.raises(ConstraintError):
        await unguarded.fetch("DELETE FROM tenants WHERE id = $1", entry.tenant_id)


@pytest.mark.parametrize("role", DatabaseRole)
async def test_processes_may_only_append(postgres_database_url: str, role: DatabaseRole) -> None:
    server = await open_store(postgres_database_url)
    viewer = await worlds.demo(server)
    store = await open_store(postgres_database_url, role=role)
    try:
        entry = await audit.append(store, viewer.tenant_id, draft())
        for change in (*CHANGES, "TRUNCATE audit_entries", "ALTER TABLE audit_entries DISABLE TRIGGER ALL"):
            with pytest.raises(ConstraintError, match=r"permission denied|must be owner"):
                await store.of(viewer.tenant_id).fetch(change)
        assert await audit.read(store, viewer.tenant_id, 0, 10) == [entry]
    finally:
        await store.close()
        await server.close()


async def test_chains_tell_how_far_each_tenant_has_come(store: Store) -> None:
    mine, other = await worlds.demo(store), await worlds.stranger(store)
    for _ in range(3):
        entry = await audit.append(store, mine.tenant_id, draft())
    found = {chain.slug: chain for chain in await chains(store)}
    assert found == {
        "demo": Chain(mine.tenant_id, "demo", 3, entry.hash, found["demo"].at),
        other.tenant.slug: Chain(other.tenant_id, other.tenant.slug, 0, GENESIS_HASH, found["demo"].at),
    }
    assert (await length(store, mine.tenant_id), await length(store, other.tenant_id)) == (3, 0)


async def test_a_long_chain_is_read_in_stretches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.storage.audit_chains.READ_AT_ONCE", 4)
    viewer = await worlds.demo(store)
    for number in range(10):
        await audit.append(store, viewer.tenant_id, draft(number))
    parts = [[entry.seq for entry in part] async for part in stretch(store, viewer.tenant_id, 1, 9)]
    assert parts == [[2, 3, 4, 5], [6, 7, 8, 9]]
    assert [part async for part in stretch(store, viewer.tenant_id, 10, 20)] == []
