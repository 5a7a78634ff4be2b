"""Production's configuration as it is stored: read as one, changed as one, and always consistent."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.queries import counted
from tests.storage.worlds import demo, stranger
from windtunnel.domain.configuring import Change
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.production import Entry, Snapshot
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import production
from windtunnel.storage.errors import ConstraintError, RightError
from windtunnel.storage.store import DatabaseRole, Store, open_store

SEALED = "v1.0123456789abcdef." + "A" * 40
PRINT = "v1.0123456789abcdef." + "a" * 64
MODEL, KEY = Entry("MODEL", "gpt-5-mini"), Entry("API_KEY", fingerprint=PRINT)


async def put(store: Store, viewer: Viewer, revision: int, *entries: Entry, removed: tuple[str, ...] = ()) -> int:
    sealed = {entry.key: SEALED for entry in entries if entry.secret}
    change = Change(entries, removed)
    return await production.apply(store, viewer.tenant_id, revision, change, sealed=sealed, updated_by=viewer.user.id)


async def rows(store: Store, viewer: Viewer, columns: str = "*") -> list[dict[str, Any]]:
    return await store.of(viewer.tenant_id).fetch(
        f"SELECT {columns} FROM production_entries WHERE tenant_id = $1 ORDER BY key", viewer.tenant_id
    )


async def test_before_the_first_change_there_is_nothing(store: Store) -> None:
    assert await production.snapshot(store, (await demo(store)).tenant_id) == Snapshot.of(0, ())


async def test_a_change_is_stored_as_it_is(store: Store) -> None:
    viewer = await demo(store)
    odd = Entry("odd", " \n\u2028ä🧾'\"\\$1{now}")
    assert await put(store, viewer, 0, MODEL, KEY, odd, Entry("empty", "")) == 1
    assert await production.snapshot(store, viewer.tenant_id) == Snapshot.of(1, [MODEL, KEY, odd, Entry("empty", "")])
    assert await put(store, viewer, 1, Entry("MODEL", "gpt-5"), removed=("odd", "empty")) == 2
    assert await production.snapshot(store, viewer.tenant_id) == Snapshot.of(2, [Entry("MODEL", "gpt-5"), KEY])
    found = await rows(store, viewer, "key, secret, sealed_value, revision, updated_by")
    assert [(*row.values(),) for row in found] == [
        ("API_KEY", True, SEALED, 1, viewer.user.id),
        ("MODEL", False, None, 2, viewer.user.id),
    ]


async def test_a_secret_and_an_entry_in_clear_take_turns(store: Store) -> None:
    viewer = await demo(store)
    await put(store, viewer, 0, Entry("A", fingerprint=PRINT))
    await put(store, viewer, 1, Entry("A", "in clear"))
    assert [(row["value"], row["sealed_value"], row["fingerprint"]) for row in await rows(store, viewer)] == [
        ("in clear", None, None)
    ]
    await put(store, viewer, 2, Entry("A", fingerprint=PRINT))
    assert [(row["value"], row["sealed_value"], row["fingerprint"]) for row in await rows(store, viewer)] == [
        (None, SEALED, PRINT)
    ]


async def test_entries_that_are_all_gone_leave_the_number(store: Store) -> None:
    viewer = await demo(store)
    await put(store, viewer, 0, MODEL)
    await put(store, viewer, 1, removed=("MODEL",))
    assert await production.snapshot(store, viewer.tenant_id) == Snapshot.of(2, ())


@pytest.mark.parametrize("stale", [0, 1, 3])
async def test_who_has_not_seen_the_last_change_changes_nothing(store: Store, stale: int) -> None:
    viewer = await demo(store)
    await put(store, viewer, 0, MODEL)
    await put(store, viewer, 1, KEY)
    with pytest.raises(ConflictError):
        await put(store, viewer, stale, Entry("MODEL", "other"), removed=("API_KEY",))
    assert await production.snapshot(store, viewer.tenant_id) == Snapshot.of(2, [MODEL, KEY])


async def test_of_many_changes_at_once_one_is_made(store: Store) -> None:
    viewer = await demo(store)
    await put(store, viewer, 0, MODEL)
    outcomes = await asyncio.gather(
        *(put(store, viewer, 1, Entry(f"K{number}", "")) for number in range(6)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in outcomes) == [*["ConflictError"] * 5, "int"]
    found = await production.snapshot(store, viewer.tenant_id)
    assert (found.revision, len(found.entries)) == (2, 2)


async def test_a_configuration_belongs_to_one_tenant(store: Store) -> None:
    viewer, other = await demo(store), await stranger(store)
    await put(store, viewer, 0, MODEL)
    assert await production.snapshot(store, other.tenant_id) == Snapshot.of(0, ())
    await put(store, other, 0, Entry("MODEL", "theirs"))
    await put(store, other, 1, removed=("MODEL",))
    assert await production.snapshot(store, viewer.tenant_id) == Snapshot.of(1, [MODEL])


async def test_many_entries_cost_no_more_statements_than_one(store: Store) -> None:
    viewer = await demo(store)
    many = [Entry(f"K{number:03}", "x") for number in range(300)]
    with counted(store) as of_many:
        await put(store, viewer, 0, *many)
    with counted(store) as of_one:
        await put(store, viewer, 1, MODEL, removed=("K001",))
    assert len(of_many) == 2
    assert len(of_one) == 3
    with counted(store) as of_reading:
        assert len((await production.snapshot(store, viewer.tenant_id)).entries) == 300
    assert len(of_reading) == 1


INCONSISTENT: list[dict[str, Any]] = [
    {"value": "in clear"},  # of a secret
    {"sealed_value": None},
    {"fingerprint": None},
    {"secret": False},
    {"secret": False, "value": "x"},  # still sealed
    {"secret": False, "value": "x", "sealed_value": None},
    {"secret": False, "sealed_value": None, "fingerprint": None},  # without a value
    {"secret": None},
    {"secret": False, "value": "x" * 65_537, "sealed_value": None, "fingerprint": None},
    {"sealed_value": "hunter2"},
    {"fingerprint": "v1"},
    {"key": ""},
    {"key": "x" * 201},
    {"revision": 0},
    {"updated_by": "nobody"},
    {"tenant_id": None},
    {"tenant_id": "nobody"},
]


async def test_an_entry_is_always_consistent(unguarded: Store) -> None:
    viewer = await demo(unguarded)
    await put(unguarded, viewer, 0, KEY)
    (row,) = await rows(unguarded, viewer)
    for change in INCONSISTENT:
        with pytest.raises(ConstraintError):
            await _insert(unguarded, "production_entries", row | {"key": "OTHER"} | change)
    clear = {"key": "OTHER", "secret": False, "value": "", "sealed_value": None, "fingerprint": None}
    await _insert(unguarded, "production_entries", row | clear)  # the row itself was all right
    with pytest.raises(ConstraintError):
        await _insert(unguarded, "production_entries", row)
    with pytest.raises(ConstraintError):
        await unguarded.fetch("DELETE FROM production")


async def test_nothing_refers_to_another_tenants_people(unguarded: Store) -> None:
    viewer, other = await demo(unguarded), await stranger(unguarded)
    await put(unguarded, viewer, 0, KEY)
    for table in ("production", "production_entries"):
        with pytest.raises(ConstraintError):
            await unguarded.fetch(
                f"UPDATE {table} SET updated_by = $1 WHERE tenant_id = $2", other.user.id, viewer.tenant_id
            )


async def test_a_worker_copies_the_configuration_and_sees_nothing_sealed(postgres_database_url: str) -> None:
    api = await open_store(postgres_database_url, role=DatabaseRole.API)
    worker = await open_store(postgres_database_url, role=DatabaseRole.WORKER)
    try:
        viewer = await demo(api)
        await put(api, viewer, 0, MODEL, KEY)
        assert await production.snapshot(worker, viewer.tenant_id) == Snapshot.of(1, [MODEL, KEY])
        with pytest.raises(RightError):
            await rows(worker, viewer, "sealed_value")
        with pytest.raises(RightError):
            await put(worker, viewer, 1, Entry("MODEL", "other"))
        with pytest.raises(RightError):
            await api.of(viewer.tenant_id).fetch("DELETE FROM production WHERE tenant_id = $1", viewer.tenant_id)
    finally:
        await api.close()
        await worker.close()


async def _insert(store: Store, table: str, values: Mapping[str, Any]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await store.fetch(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())
