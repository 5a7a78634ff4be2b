"""What the database itself refuses of experiments, whoever writes to it."""

from typing import Any

import pytest

from tests.storage import worlds
from windtunnel.domain.experiments import Experiment, ExperimentStatus, Load
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import experiment_care, experiment_changes, experiments
from windtunnel.storage.errors import ConstraintError
from windtunnel.storage.store import Store

ENDS: dict[str, dict[str, Any]] = {
    "QUEUED": {"finished_ms": None, "findings": None, "failure": None},
    "RUNNING": {"finished_ms": None, "findings": None, "failure": None},
    "SUCCEEDED": {"finished_ms": 1, "findings": "{}", "failure": None},
    "FAILED": {"finished_ms": 1, "findings": None, "failure": "why"},
    "CANCELLED": {"finished_ms": 1, "findings": None, "failure": None},
}
LEGAL = {
    "QUEUED": {"RUNNING", "FAILED", "CANCELLED"},
    "RUNNING": {"SUCCEEDED", "FAILED", "CANCELLED"},
    "SUCCEEDED": set[str](),
    "FAILED": set[str](),
    "CANCELLED": set[str](),
}
WRONG: list[dict[str, Any]] = [
    {"id": "other"},
    {"architecture_id": "other"},
    {"package_digest": "0" * 64},
    {"environment_id": "other"},
    {"seed": 1},
    {"replications": 1},
    {"tasks": 1},
    {"arrival_rate": 2.0},
    {"overrides": "{}"},
    {"variant": "{}"},
    {"created_ms": 1},
    {"created_by": "other"},
    {"progress": 1.5},
    {"lease_owner": "me"},
    {"finished_ms": 1},
    {"findings": "{}"},
    {"status": "LOST"},
]


def experiment(viewer: Viewer, **changed: Any) -> Experiment:
    given: dict[str, Any] = {
        "id": new_id(),
        "tenant_id": viewer.tenant_id,
        "architecture_id": new_id(),
        "environment_id": None,
        "package_digest": None,
        "status": ExperimentStatus.QUEUED,
        "load": Load(5, 10, 20, 1.0),
        "overrides": None,
        "variant": None,
        "progress": 0.0,
        "last_seq": 0,
        "findings": None,
        "failure": None,
        "created_by": viewer.user.id,
    }
    at: dict[str, Any] = {"created_at": None, "finished_at": None}
    return Experiment(**(given | at | changed))


async def made(store: Store, viewer: Viewer, status: str = "QUEUED") -> str:
    """One in a status that it came to step by step."""
    async with store.transaction(viewer.tenant_id):
        stored, _ = await experiment_changes.insert(store, experiment(viewer))
    if status not in {"QUEUED"}:
        await _set(store, viewer, stored.id, {"status": "RUNNING"})
    if status not in {"QUEUED", "RUNNING"}:
        await _set(store, viewer, stored.id, {"status": status} | ENDS[status])
    return stored.id


async def _set(store: Store, viewer: Viewer, id: str, values: dict[str, Any]) -> None:
    sets = ", ".join(f"{column} = ${number}" for number, column in enumerate(values, 3))
    await store.of(viewer.tenant_id).fetch(
        f"UPDATE experiments SET {sets} WHERE tenant_id = $1 AND id = $2", viewer.tenant_id, id, *values.values()
    )


async def test_only_legal_changes_of_status_happen(store: Store) -> None:
    viewer = await worlds.demo(store)
    for before, allowed in LEGAL.items():
        for after in LEGAL.keys() - {before}:
            id = await made(store, viewer, before)  # noqa: A001
            if after in allowed:
                await _set(store, viewer, id, {"status": after} | ENDS[after])
            else:
                with pytest.raises(ConstraintError):
                    await _set(store, viewer, id, {"status": after} | ENDS[after])


async def test_what_was_asked_for_stays(store: Store) -> None:
    viewer = await worlds.demo(store)
    id = await made(store, viewer)  # noqa: A001
    for wrong in WRONG:
        with pytest.raises(ConstraintError):
            await _set(store, viewer, id, wrong)
    for load in (Load(5, 0, 20, 1.0), Load(5, 10_000, 5_001, 1.0), Load(5, 1, 1, 0.0)):
        with pytest.raises(ConstraintError):
            async with store.transaction(viewer.tenant_id):
                await experiment_changes.insert(store, experiment(viewer, load=load))


async def test_events_stay_as_they_are(store: Store) -> None:
    viewer = await worlds.demo(store)
    id = await made(store, viewer)  # noqa: A001
    with pytest.raises(ConstraintError):
        await store.of(viewer.tenant_id).fetch(
            "UPDATE experiment_events SET progress = 1 WHERE tenant_id = $1 AND experiment_id = $2",
            viewer.tenant_id,
            id,
        )
    (event,) = await experiments.read_events(store, viewer.tenant_id, id, 0, 10)
    assert (event.seq, event.progress) == (1, 0.0)


async def test_an_outdated_fence_changes_nothing(store: Store) -> None:
    viewer = await worlds.demo(store)
    await made(store, viewer)
    (first,) = await experiment_care.claim(store, "one", 10)
    await experiment_care.release(store, "one", {first.id: first.fence})
    (second,) = await experiment_care.claim(store, "two", 10)
    assert second.fence == first.fence + 1
    async with store.transaction(viewer.tenant_id):
        assert await experiment_changes.begun(store, first) is None
        begun = await experiment_changes.begun(store, second)
        assert begun
        assert await experiment_changes.advanced(store, first, 0.5, {0: b"x"}) is None
        assert await experiment_changes.advanced(store, second, 0.5, {0: b"x", 1: b"y"})
        assert await experiment_changes.succeeded(store, first, "{}") is None
    assert await experiment_changes.parts(store, second) == [b"x", b"y"]
    assert await experiment_care.renew(store, "one", {first.id: first.fence}) == set()
    assert await experiment_care.renew(store, "two", {first.id: second.fence}) == {first.id}
    async with store.transaction(viewer.tenant_id):
        assert await experiment_changes.failed(store, second, "why")
    assert await experiment_changes.parts_done(store, second) == set()
