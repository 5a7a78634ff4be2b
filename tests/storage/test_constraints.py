"""What the database itself refuses, whoever writes to it."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.storage.worlds import demo, running, scenario, stored, stranger
from windtunnel.domain.ids import new_id
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store


async def _refused(store: Store, sql: str, *arguments: object) -> None:
    with pytest.raises(ConstraintError):
        await store.fetch(sql, *arguments)


async def _insert(store: Store, table: str, values: Mapping[str, Any]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await store.fetch(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())


async def _first(store: Store, table: str) -> dict[str, Any]:
    return (await store.fetch(f"SELECT * FROM {table} LIMIT 1"))[0]


INCONSISTENT: list[dict[str, Any]] = [
    {"status": "DONE"},
    {"status": "SUCCEEDED"},  # without an end
    {"finished_ms": 1},  # while it runs
    {"status": "FAILED", "finished_ms": 1, "lease_owner": None, "lease_until_ms": None},  # without a reason
    {"error_code": "INTERNAL"},
    {"status": "QUEUED"},  # under a lease
    {"status": "RUNNING", "started_ms": None},
    {"status": "RUNNING", "architecture_id": None},
    {"lease_until_ms": None},
    {"lease_owner": None},
    {"seed": -(2**31) - 1},
    {"seed": 2**31},
    {"pace": -0.1},
    {"failures": "SOME"},
    {"planner_mode": "MANUAL"},
    {"last_seq": -1},
    {"fence": -1},
    {"story_from_seq": 3},  # later than the last event
    {"error_stage": "lunch"},
    {"tenant_id": None},
    {"package_digest": "abc"},
    {"scenario_id": "unknown"},
    {"architecture_id": "unknown"},
    {"created_by": "unknown"},
]


async def test_a_simulation_is_always_consistent(unguarded: Store) -> None:
    you = await demo(unguarded)
    simulation = await running(unguarded, you, (await scenario(unguarded, you)).id)
    for change in INCONSISTENT:
        sets = ", ".join(f"{column} = ${number}" for number, column in enumerate(change, 2))
        with pytest.raises(ConstraintError):
            await unguarded.fetch(f"UPDATE simulations SET {sets} WHERE id = $1", simulation.id, *change.values())
    assert await stored(unguarded, simulation) == simulation


async def test_nothing_refers_into_another_tenant(unguarded: Store) -> None:
    you, eve = await demo(unguarded), await stranger(unguarded)
    mine = await running(unguarded, you, (await scenario(unguarded, you)).id)
    theirs = await running(unguarded, eve, (await scenario(unguarded, eve)).id)
    update = "UPDATE simulations SET {} = $2 WHERE id = $1"
    await _refused(unguarded, update.format("scenario_id"), mine.id, theirs.scenario_id)
    await _refused(unguarded, update.format("architecture_id"), mine.id, theirs.architecture_id)
    await _refused(unguarded, update.format("created_by"), mine.id, eve.user.id)
    await _refused(unguarded, update.format("tenant_id"), mine.id, eve.tenant_id)
    await _refused(unguarded, "UPDATE scenarios SET created_by = $2 WHERE id = $1", mine.scenario_id, eve.user.id)
    architecture = await _first(unguarded, "architectures")
    await _refused_insert(
        unguarded, "architectures", architecture, id=new_id(), tenant_id=eve.tenant_id, scenario_id=mine.scenario_id
    )
    event = await _first(unguarded, "simulation_events")
    await _refused_insert(unguarded, "simulation_events", event, seq=99, simulation_id=mine.id, tenant_id=eve.tenant_id)
    command = {"simulation_id": mine.id, "number": 1, "mode": "{}", "created_ms": 0}
    await _refused_insert(unguarded, "simulation_commands", command, tenant_id=eve.tenant_id)
    await _refused_insert(unguarded, "memberships", {"user_id": you.user.id, "role": "ADMIN"}, tenant_id=eve.tenant_id)


async def _refused_insert(store: Store, table: str, row: Mapping[str, Any], **changes: Any) -> None:
    with pytest.raises(ConstraintError):
        await _insert(store, table, {**row, **changes})


async def test_an_event_number_is_used_once_and_kinds_are_known(unguarded: Store) -> None:
    you = await demo(unguarded)
    await running(unguarded, you)
    event = await _first(unguarded, "simulation_events")
    await _refused_insert(unguarded, "simulation_events", event)
    await _refused_insert(unguarded, "simulation_events", event, seq=0)
    await _refused_insert(unguarded, "simulation_events", event, seq=9, kind="PARTY")
    await _refused_insert(unguarded, "simulation_events", event, seq=9, elapsed_ms=-1.0)
    await _refused_insert(unguarded, "simulation_events", event, seq=9, simulation_id=new_id())
    await _refused_insert(unguarded, "simulation_events", event, seq=9, body=None)
    await _insert(unguarded, "simulation_events", {**event, "seq": 9})  # the row itself was all right


async def test_texts_have_their_bounds(unguarded: Store) -> None:
    you = await demo(unguarded)
    row = await _row(unguarded, (await scenario(unguarded, you)).id)
    await _refused_insert(unguarded, "scenarios", row, id=new_id(), text="")
    await _refused_insert(unguarded, "scenarios", row, id=new_id(), text="x" * 20_001)
    await _refused_insert(unguarded, "scenarios", row, id=new_id(), title="x" * 81)
    await _refused_insert(unguarded, "scenarios", row)  # the id is taken
    await _insert(unguarded, "scenarios", {**row, "id": new_id(), "text": "🧾" * 20_000})


async def _row(store: Store, id: str) -> dict[str, Any]:
    return (await store.fetch("SELECT * FROM scenarios WHERE id = $1", id))[0]


async def test_people_and_tenants_are_unique(unguarded: Store) -> None:
    you = await demo(unguarded)
    tenant, user = await _first(unguarded, "tenants"), await _first(unguarded, "users")
    await _refused_insert(unguarded, "tenants", tenant, id=new_id())
    await _refused_insert(unguarded, "users", user, id=new_id())
    await _refused_insert(unguarded, "users", user, id=new_id(), email="new@demo.local", tenant_id=new_id())
    await _refused_insert(
        unguarded, "memberships", {"tenant_id": you.tenant_id, "user_id": you.user.id, "role": "EMPEROR"}
    )
    await _refused(unguarded, "DELETE FROM tenants WHERE id = $1", you.tenant_id)


async def test_keys_are_unique_and_digests_whole(unguarded: Store) -> None:
    you = await demo(unguarded)
    row = {
        "tenant_id": you.tenant_id,
        "user_id": you.user.id,
        "operation": "simulate",
        "key": "k",
        "input_digest": "a" * 64,
        "result_id": new_id(),
        "created_ms": 0,
    }
    await _insert(unguarded, "idempotency_keys", row)
    await _refused_insert(unguarded, "idempotency_keys", row)
    await _refused_insert(unguarded, "idempotency_keys", row, key="")
    await _refused_insert(unguarded, "idempotency_keys", row, key="x" * 201)
    await _refused_insert(unguarded, "idempotency_keys", row, key="l", input_digest="short")
    await _refused_insert(unguarded, "idempotency_keys", row, key="l", tenant_id=new_id())
    await _refused_insert(unguarded, "idempotency_keys", row, key="l", user_id=new_id())
