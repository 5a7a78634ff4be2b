"""`windtunnel audit verify`: checkpoints that are gone are told of, and nothing is changed by looking."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.checkpointer import Checkpointer
from tests.app.test_audit_commands import Done, files_in, filled, run
from tests.databases import postgres_database, sqlite_database
from tests.storage import worlds
from windtunnel.domain.policy import AUDIT_CHECKPOINT_AFTER_S, AUDIT_CHECKPOINT_SLACK_S
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.verify_audit import check_chain
from windtunnel.storage import migrations
from windtunnel.storage.privileged import AUDIT_CHAINS, TENANT_OF_SLUG
from windtunnel.storage.store import Store, open_store

LONG_AGO = -timedelta(seconds=AUDIT_CHECKPOINT_AFTER_S + AUDIT_CHECKPOINT_SLACK_S + 1)
ALONE = "the chain agrees with itself; there is no checkpoint to compare it with"


@pytest.fixture
def viewer(store: Store, runner: asyncio.Runner) -> Viewer:
    return runner.run(worlds.demo(store))


async def verified(store: Store, viewer: Viewer, url: str, directory: Path) -> Done:
    """What the command says; `verifyAudit` says the same."""
    done = await run(url, directory, "verify", "--tenant", viewer.tenant.slug)
    verdict = await check_chain(store, files_in(directory), viewer.tenant_id)
    assert verdict.valid is (done.returncode == 0), done
    assert ("intact" in done.stdout) is (verdict.valid and verdict.checkpoints > 0)
    return done


async def test_a_directory_that_does_not_exist(sqlite_url: str, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    done = await run(sqlite_url, tmp_path, "verify", "--checkpoints", str(missing))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"windtunnel: --checkpoints {str(missing)!r} is refused: there is no such directory.\n"


@pytest.mark.parametrize(
    "left", [(content, taken) for content in (None, b"", b"garbage\n", b"\0" * 100) for taken in ("", "roll", "key")]
)
async def test_checkpoints_that_are_gone(
    store: Store, viewer: Viewer, database_url: str, tmp_path: Path, left: tuple[bytes | None, str]
) -> None:
    content, taken = left
    await filled(store, viewer, 3)
    await Checkpointer(store, files_in(tmp_path)).look()
    assert (await verified(store, viewer, database_url, tmp_path)).returncode == 0
    directory = tmp_path / "audit"
    path = directory / f"{viewer.tenant_id}.checkpoints"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    if taken:  # either of the key and the roll is enough
        (path.with_suffix(".pub") if taken == "key" else directory / "roll.note").unlink()
    done = await verified(store, viewer, database_url, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    said = "a checkpoint that cannot be read" if content and b"g" in content else "its checkpoints is gone or empty"
    assert "the audit log of tenant demo was tampered with: entry 1 " in done.stderr
    assert said in done.stderr
    await filled(store, viewer, 100)  # nothing is signed over it, by no process
    await Checkpointer(store, files_in(tmp_path)).look(to_the_end=True)
    assert (await verified(store, viewer, database_url, tmp_path)).returncode == 1
    assert (path.read_bytes() if path.exists() else None) == content


async def test_a_tenant_without_any_checkpoint(store: Store, viewer: Viewer, database_url: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    await filled(store, viewer, 99)
    given = ("--checkpoints", str(empty))
    done = await run(database_url, tmp_path, "verify", *given)
    assert (done.returncode, "intact" in done.stdout, ALONE in done.stdout) == (0, False, True)
    await filled(store, viewer, 1)
    assert (await run(database_url, tmp_path, "verify")).returncode == 0  # none were ever kept there
    done = await run(database_url, tmp_path, "verify", *given)
    assert (done.returncode, done.stdout) == (1, "")
    assert "entry 1 should be covered by a checkpoint by now, but there is none" in done.stderr


async def test_an_old_tenant_without_any_checkpoint(
    store: Store, viewer: Viewer, database_url: str, tmp_path: Path
) -> None:
    store.clock_offset = LONG_AGO
    await filled(store, viewer, 1)
    store.clock_offset = timedelta(0)
    assert (await verified(store, viewer, database_url, tmp_path)).returncode == 0  # none were ever kept there
    (tmp_path / "audit").mkdir()
    assert (await verified(store, viewer, database_url, tmp_path)).returncode == 1


async def test_a_tenant_that_came_when_no_server_ran(
    store: Store, viewer: Viewer, database_url: str, tmp_path: Path
) -> None:
    store.clock_offset = 2 * LONG_AGO
    await filled(store, viewer, 1)
    await Checkpointer(store, files_in(tmp_path)).look()
    store.clock_offset = LONG_AGO
    other = await worlds.stranger(store)
    await filled(store, other, 1)
    store.clock_offset = timedelta(0)
    assert (await verified(store, other, database_url, tmp_path)).returncode == 0
    await Checkpointer(store, files_in(tmp_path)).look()
    done = await verified(store, other, database_url, tmp_path)
    assert (done.returncode, ALONE in done.stdout) == (0, False)


async def test_checkpoints_that_were_cut_off(store: Store, viewer: Viewer, database_url: str, tmp_path: Path) -> None:
    store.clock_offset = 2 * LONG_AGO
    await filled(store, viewer, 2)
    await Checkpointer(store, files_in(tmp_path)).look()
    path = tmp_path / "audit" / f"{viewer.tenant_id}.checkpoints"
    first = path.read_bytes()
    await filled(store, viewer, 2)
    store.clock_offset = timedelta(0)
    await Checkpointer(store, files_in(tmp_path)).look()
    assert (await verified(store, viewer, database_url, tmp_path)).returncode == 0
    path.write_bytes(first)
    done = await verified(store, viewer, database_url, tmp_path)
    assert done.returncode == 1
    assert "entry 3 should be covered by a checkpoint by now" in done.stderr


async def test_a_roll_that_nobody_here_has_signed(
    store: Store, viewer: Viewer, database_url: str, tmp_path: Path
) -> None:
    await filled(store, viewer, 2)
    await Checkpointer(store, files_in(tmp_path)).look()
    roll = tmp_path / "audit" / "roll.note"
    for content in (b"", b"\xff", roll.read_bytes().replace(viewer.tenant_id.encode(), b"x")):
        roll.write_bytes(content)
        done = await verified(store, viewer, database_url, tmp_path)
        assert done.returncode == 1
        assert "the list of all checkpoints is not signed by this server's key" in done.stderr


async def test_a_tenant_that_is_gone_from_everywhere_but_the_roll(sqlite_url: str, tmp_path: Path) -> None:
    files_in(tmp_path).enrol(["gone"])
    done = await run(sqlite_url, tmp_path, "verify")
    assert done.returncode == 1
    assert "tenant gone was tampered with: entry 1 " in done.stderr


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield sqlite_database(tmp_path)
    else:
        with postgres_database(request.getfixturevalue("postgres_url")) as url:
            yield url


async def brought_to(number: int, url: str, patch: pytest.MonkeyPatch) -> Store:
    """The database as the version that knew so many revisions has left it."""
    old = migrations.revisions()[:number]
    store = await open_store(url, role=None)
    with patch.context() as context:
        context.setattr(migrations, "revisions", lambda: old)
        context.setattr(migrations, "STATEMENTS", [AUDIT_CHAINS, TENANT_OF_SLUG])
        if number < migrations.AUDIT_SINCE:
            context.setattr(migrations, "_install_privileged", Store.ping)  # there were none
        await migrations.migrate(store)
    return store


async def test_older_databases_are_read_as_they_are(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await brought_to(migrations.AUDIT_SINCE, empty_url, monkeypatch)
    await filled(store, await worlds.demo(store), 2)
    done = await run(empty_url, tmp_path, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("demo: 2 entries, head ")
    done = await run(empty_url, tmp_path, "export", "--format", "jsonl")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert await migrations.revision_of(store) == migrations.AUDIT_SINCE
    await store.close()


@pytest.mark.parametrize("revision", [0, 1])
async def test_databases_without_an_audit_log(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: int
) -> None:
    store = await (brought_to(revision, empty_url, monkeypatch) if revision else open_store(empty_url, role=None))
    await store.close()
    for command in (("verify",), ("export", "--format", "jsonl")):
        done = await run(empty_url, tmp_path, *command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "windtunnel: There is no audit log in this database: an older version of Windtunnel made it.\n"
        )


async def test_a_copy_of_the_file_alone_is_enough_and_stays_alone(sqlite_url: str, tmp_path: Path) -> None:
    store = await open_store(sqlite_url)
    await filled(store, await worlds.demo(store), 2)
    assert (await run(sqlite_url, tmp_path, "verify")).stdout.startswith("demo: 2 entries")  # beside a server
    await store.close()
    copy = copied(sqlite_url, tmp_path)
    before = read_whole(copy.parent)
    done = await run(f"sqlite:///{copy}", tmp_path, "verify")
    assert done.stdout.startswith("demo: 2 entries")
    assert read_whole(copy.parent) == before


def copied(url: str, directory: Path) -> Path:
    """The database's file, without anything beside it, under a name that URIs would take for something else."""
    (directory / "copy").mkdir()
    return Path(shutil.copy(url.removeprefix("sqlite:///"), directory / "copy" / "a file?#%41.db"))


def read_whole(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


async def test_a_store_for_reading_refuses_to_write(database_url: str, store: Store) -> None:
    del store
    reading = await open_store(database_url, role=None, read_only=True)
    try:
        with pytest.raises(Exception, match="cannot be used right now"):
            await reading.fetch("INSERT INTO schema_revisions (number, name, applied_ms) VALUES (99, 'x', 1)")
    finally:
        await reading.close()
