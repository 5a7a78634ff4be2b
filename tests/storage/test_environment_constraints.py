"""What the database itself refuses of environments, whoever writes to it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.storage.environment_worlds import REPORT, became, provisioning, ready, stored
from tests.storage.worlds import demo
from windtunnel.domain.environments import LIVE_STATUSES, Environment, EnvironmentStatus
from windtunnel.domain.ids import new_id, new_namespace
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store
from windtunnel.storage.times import milliseconds

WAYS = {
    "PROVISIONING": [],
    "READY": ["READY"],
    "PAUSED": ["READY", "PAUSED"],
    "FAILED": ["FAILED"],
    "EXPIRING": ["READY", "EXPIRING"],
    "DELETING": ["DELETING"],
    "DELETE_STUCK": ["DELETING", "DELETE_STUCK"],
    "DELETED": ["DELETING", "DELETED"],
}
LEGAL = {
    "PROVISIONING": {"READY", "FAILED", "DELETING"},
    "READY": {"PAUSED", "EXPIRING", "DELETING", "FAILED"},
    "PAUSED": {"READY", "EXPIRING", "DELETING", "FAILED"},
    "FAILED": {"DELETING"},
    "EXPIRING": {"DELETING"},
    "DELETING": {"DELETED", "DELETE_STUCK"},
    "DELETE_STUCK": {"DELETING"},
    "DELETED": set[str](),
}
DAY_MS = 86_400_000
WRONG: list[dict[str, Any]] = [
    {"id": "other"},
    {"tenant_id": "other"},
    {"slot": 2},
    {"namespace": "f" * 16},
    {"created_ms": 1},
    {"created_by": "other"},
    {"name": ""},
    {"name": "x" * 101},
    {"expires_ms": 0},
    {"cpu": 0.0},
    {"memory_mb": 0},
    {"storage_mb": 0},
    {"max_simulations": 0},
    {"production_revision": -1},
    {"snapshot": ""},
    {"snapshot_digest": "abc"},
    {"isolation": None},  # while it is READY
    {"ready_ms": None},
    {"ended_by": "PERSON"},
    {"ended_by": "NOBODY", "status": "DELETING", "cleanup_started_ms": 1},
    {"cleanup_started_ms": 1},
    {"remaining": "[]"},
    {"deleted_ms": 1},
    {"receipt": "{}"},
    {"receipt_digest": "0" * 64},
    {"status": "DELETING"},  # without who ended it, and since when
    {"status": "DELETING", "ended_by": "PERSON"},
    {"status": "EXPIRING"},
    {"status": "FAILED", "ended_by": "FAILURE"},  # without a reason
    {"lease_owner": "somebody"},
    {"lease_until_ms": 1},
    {"worked_seq": 1},  # more than there was to do
    {"work_seq": -1},
    {"last_seq": -1},
    {"fence": -1},
    {"attempts": -1},
    {"tokens": -1},
]


async def _update(store: Store, environment: Environment, values: dict[str, Any]) -> None:
    sets = ", ".join(f"{column} = ${number}" for number, column in enumerate(values, 2))
    await store.fetch(f"UPDATE environments SET {sets} WHERE id = $1", environment.id, *values.values())


def _as(status: str) -> dict[str, Any]:
    """What goes with a status: nothing but the status itself can be wrong with it."""
    return {
        "status": status,
        "ready_ms": 1,
        "isolation": REPORT,
        "ended_by": None if status in LIVE_STATUSES else "PERSON",
        "cleanup_started_ms": 1 if status in {"DELETING", "DELETE_STUCK", "DELETED"} else None,
        "remaining": "[]" if status == "DELETE_STUCK" else None,
        "deleted_ms": 1 if status == "DELETED" else None,
        "receipt": "{}" if status == "DELETED" else None,
        "receipt_digest": "0" * 64 if status == "DELETED" else None,
        "sealed_password": None,
    }


async def test_statuses_follow_each_other_as_they_must_and_the_row_stays(unguarded: Store) -> None:
    viewer = await demo(unguarded)
    for before in EnvironmentStatus:
        for after in EnvironmentStatus:
            environment = await provisioning(unguarded, viewer)
            for status in WAYS[before]:
                await _update(unguarded, environment, _as(status))
            if after in LEGAL[before] or before is after is not EnvironmentStatus.DELETED:
                await _update(unguarded, environment, _as(after))
            else:
                with pytest.raises(ConstraintError):
                    await _update(unguarded, environment, _as(after))
            with pytest.raises(ConstraintError):
                await unguarded.fetch("DELETE FROM environments WHERE id = $1", environment.id)
            await _away(unguarded, environment)


async def _away(store: Store, environment: Environment) -> None:
    """Make room in the tenant's slots."""
    while (status := (await stored(store, environment)).status) is not EnvironmentStatus.DELETED:
        following = {"DELETING": "DELETED"}.get(status, "DELETING")
        await _update(store, environment, _as(following))


async def test_an_environment_is_always_consistent(unguarded: Store) -> None:
    environment = await ready(unguarded, await demo(unguarded))
    for wrong in WRONG:
        with pytest.raises(ConstraintError):
            await _update(unguarded, environment, wrong)
    assert await stored(unguarded, environment) == environment


async def test_nothing_lives_longer_than_seven_days(unguarded: Store) -> None:
    environment = await ready(unguarded, await demo(unguarded))
    born = milliseconds(environment.created_at)
    await _update(unguarded, environment, {"expires_ms": born + 7 * DAY_MS})
    with pytest.raises(ConstraintError):
        await _update(unguarded, environment, {"expires_ms": born + 7 * DAY_MS + 1})
    with pytest.raises(ConstraintError):
        await _update(unguarded, environment, {"provision_by_ms": born + 300_001})
    with pytest.raises(ConstraintError):
        await provisioning(unguarded, await demo(unguarded), lifetime=timedelta(days=7, milliseconds=1))


async def test_a_password_does_not_outlive_what_it_opens(unguarded: Store) -> None:
    environment = await became(unguarded, await provisioning(unguarded, await demo(unguarded)), "FAILED")
    environment = await became(unguarded, environment, "DELETING")
    with pytest.raises(ConstraintError):
        await _update(unguarded, environment, _as("DELETED") | {"sealed_password": "sealed", "ended_by": "FAILURE"})


async def test_a_slot_is_one_of_ten_and_has_one_environment_that_is_not_gone(unguarded: Store) -> None:
    viewer = await demo(unguarded)
    first, second = await provisioning(unguarded, viewer), await provisioning(unguarded, viewer)
    (row,) = await unguarded.fetch("SELECT * FROM environments WHERE id = $1", second.id)
    for slot in (0, 1, 11):
        with pytest.raises(ConstraintError):
            await _insert(unguarded, row | {"id": new_id(), "namespace": new_namespace(), "slot": slot})
    await became(unguarded, first, "DELETING", "ended_by = 'PERSON'")
    with pytest.raises(ConstraintError):
        await _insert(unguarded, row | {"id": new_id(), "namespace": new_namespace(), "slot": 1})
    await became(unguarded, first, "DELETED")
    await _insert(unguarded, row | {"id": new_id(), "namespace": new_namespace(), "slot": 1})
    with pytest.raises(ConstraintError):  # nobody ever has the namespace of another
        await _insert(unguarded, row | {"id": new_id(), "slot": 3, "namespace": first.namespace})


async def test_what_has_happened_has_happened(unguarded: Store) -> None:
    environment = await provisioning(unguarded, await demo(unguarded))
    with pytest.raises(ConstraintError):
        await unguarded.fetch("UPDATE environment_events SET message = 'x' WHERE environment_id = $1", environment.id)
    (row,) = await unguarded.fetch("SELECT * FROM environment_events WHERE environment_id = $1", environment.id)
    for wrong in ({}, {"seq": 0}, {"seq": 2, "progress": 1.1}, {"seq": 2, "environment_id": "unknown"}):
        with pytest.raises(ConstraintError):
            await _insert(unguarded, row | wrong, "environment_events")


async def _insert(store: Store, values: dict[str, Any], table: str = "environments") -> None:
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await store.fetch(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())
