"""The checkpointer: what is due when, whoever appends, and whatever happens to database and files."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from app.checkpointer import Checkpointer
from tests import tampering
from tests.storage import worlds
from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.checkpoints import Checkpoint
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import AUDIT_CHECKPOINT_AFTER_S
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.verify_audit import check_chain
from windtunnel.storage import audit
from windtunnel.storage.store import DatabaseRole, Store, open_store
from windtunnel.vault.checkpoints import CheckpointFiles

A_WHILE = timedelta(seconds=AUDIT_CHECKPOINT_AFTER_S)


@pytest.fixture
def files(tmp_path: Path) -> CheckpointFiles:
    return CheckpointFiles(tmp_path / "audit", tmp_path / "keys" / "audit.key")


@pytest.fixture
def viewer(store: Store, runner: asyncio.Runner) -> Viewer:
    return runner.run(worlds.demo(store))


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[EventDict]]:
    with capture_logs() as entries:
        yield entries


async def append(store: Store, viewer: Viewer, count: int) -> None:
    for _ in range(count):
        draft = AuditDraft(AuditAction.TOKEN_ISSUED, Subject(Kind.API_TOKEN, new_id()))
        await audit.append(store, viewer.tenant_id, draft)


def sizes(files: CheckpointFiles, viewer: Viewer) -> list[int]:
    return [each.size for each in files.read(viewer.tenant_id).checkpoints]


async def test_the_first_look_signs_what_is_there(store: Store, viewer: Viewer, files: CheckpointFiles) -> None:
    checkpointer = Checkpointer(store, files)
    await checkpointer.look()
    assert files.tenants() == set()
    await append(store, viewer, 3)
    await Checkpointer(store, files).look()
    last = (await audit.read(store, viewer.tenant_id, 2, 1))[0]
    assert files.read(viewer.tenant_id).checkpoints == (Checkpoint(viewer.tenant_id, 3, last.hash),)


async def test_every_hundredth_entry_is_signed(store: Store, viewer: Viewer, files: CheckpointFiles) -> None:
    checkpointer = Checkpointer(store, files)
    await append(store, viewer, 1)
    await checkpointer.look()
    await append(store, viewer, 98)
    await checkpointer.look()
    assert sizes(files, viewer) == [1]
    await append(store, viewer, 1)
    await checkpointer.look()
    await append(store, viewer, 250)
    await checkpointer.look()
    await checkpointer.look()
    assert sizes(files, viewer) == [1, 100, 200, 300]
    assert (await check_chain(store, files, viewer.tenant_id)).valid


async def test_a_few_entries_are_signed_after_a_while(store: Store, viewer: Viewer, files: CheckpointFiles) -> None:
    checkpointer = Checkpointer(store, files)
    await checkpointer.look()
    await append(store, viewer, 2)
    store.clock_offset = A_WHILE - timedelta(seconds=20)
    await checkpointer.look()
    assert sizes(files, viewer) == []
    store.clock_offset = A_WHILE
    await checkpointer.look()
    assert sizes(files, viewer) == [2]
    store.clock_offset = 2 * A_WHILE
    await checkpointer.look()
    assert sizes(files, viewer) == [2]  # nothing new to sign


async def test_the_end_is_signed(store: Store, viewer: Viewer, files: CheckpointFiles) -> None:
    async with Checkpointer(store, files):
        await append(store, viewer, 7)
    assert sizes(files, viewer)[-1] == 7


async def test_a_busy_log_is_signed_while_it_grows(store: Store, viewer: Viewer, files: CheckpointFiles) -> None:
    async with Checkpointer(store, files) as checkpointer:
        writing = [asyncio.create_task(append(store, viewer, 60)) for _ in range(4)]
        while not all(task.done() for task in writing):
            await checkpointer.look()
    assert {100, 200, 240} <= set(sizes(files, viewer))
    assert (await check_chain(store, files, viewer.tenant_id)).valid


async def test_each_tenant_has_a_file_of_its_own(store: Store, viewer: Viewer, files: CheckpointFiles) -> None:
    other = await worlds.stranger(store)
    await append(store, viewer, 2)
    await append(store, other, 1)
    await Checkpointer(store, files).look()
    assert files.tenants() == {viewer.tenant_id, other.tenant_id}
    assert (sizes(files, viewer), sizes(files, other)) == ([2], [1])


async def test_others_append_and_others_sign(
    store: Store, viewer: Viewer, files: CheckpointFiles, database_url: str, tmp_path: Path
) -> None:
    """Processes on one database and one data directory; also those that may only do what a worker may."""
    colleague = await open_store(database_url, role=DatabaseRole.WORKER)
    again = CheckpointFiles(tmp_path / "audit", tmp_path / "keys" / "audit.key")
    mine, theirs = Checkpointer(store, files), Checkpointer(colleague, again)
    await mine.look()
    await theirs.look()
    for _ in range(3):
        await append(colleague, viewer, 55)
        await mine.look()
        await append(store, viewer, 55)
        await theirs.look()
    await mine.look()
    await colleague.close()
    assert sizes(files, viewer) == [100, 200, 300]
    assert files.read(viewer.tenant_id).refused == ()


async def test_a_new_process_goes_on_where_the_last_one_ended(
    store: Store, viewer: Viewer, files: CheckpointFiles, tmp_path: Path
) -> None:
    await append(store, viewer, 2)
    await Checkpointer(store, files).look()
    path = tmp_path / "audit" / f"{viewer.tenant_id}.checkpoints"
    with path.open("ab") as file:
        file.write(path.read_bytes()[:50])  # it was killed while it wrote another one
    assert (await check_chain(store, files, viewer.tenant_id)).valid
    await append(store, viewer, 1)
    await Checkpointer(store, files).look()
    assert sizes(files, viewer) == [2, 3]
    assert (await check_chain(store, files, viewer.tenant_id)).valid


async def test_what_was_tampered_with_is_not_signed(
    store: Store, viewer: Viewer, files: CheckpointFiles, database_url: str, logs: list[EventDict]
) -> None:
    await append(store, viewer, 5)
    checkpointer = Checkpointer(store, files)
    await checkpointer.look()
    attacker = await open_store(database_url, role=None)
    await tampering.disarm(attacker)
    await tampering.rewrite(attacker, viewer.tenant_id, 2, "nothing happened")
    for _ in range(3):
        await checkpointer.look(to_the_end=True)
    await tampering.cut(attacker, viewer.tenant_id, 3)
    await append(store, viewer, 8)
    await checkpointer.look(to_the_end=True)
    await attacker.close()
    assert sizes(files, viewer) == [5]
    assert [(entry["event"], entry["tenant"]) for entry in logs] == [("audit log tampered with", "demo")]


async def test_an_outage_is_outlived(
    store: Store, viewer: Viewer, files: CheckpointFiles, tmp_path: Path, logs: list[EventDict]
) -> None:
    (tmp_path / "audit").write_text("not a directory")
    await append(store, viewer, 1)
    checkpointer = Checkpointer(store, files)
    await checkpointer.look()
    await checkpointer.look(to_the_end=True)
    assert [entry["event"] for entry in logs] == ["no checkpoint written"]
    (tmp_path / "audit").unlink()
    await checkpointer.look(to_the_end=True)
    assert sizes(files, viewer) == [1]


async def test_leaving_without_a_database(database_url: str, files: CheckpointFiles, logs: list[EventDict]) -> None:
    store = await open_store(database_url)
    async with Checkpointer(store, files):
        await store.close()
    assert {entry["event"] for entry in logs} == {"audit chains not looked at"}
