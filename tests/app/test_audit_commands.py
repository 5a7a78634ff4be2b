"""`windtunnel audit`: exit codes, sentences, and lines that can be read elsewhere."""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from app.checkpointer import Checkpointer
from app.cli import cli
from app.settings import SettingsError
from tests import tampering
from tests.processes import Api
from tests.storage import worlds
from windtunnel.domain.audit import AuditAction, AuditDraft, AuditEntry, canonical_details, is_intact
from windtunnel.domain.checkpoints import Checkpoint
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import WindtunnelError
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Viewer
from windtunnel.storage import audit
from windtunnel.storage.store import Store, open_store
from windtunnel.vault.checkpoints import CheckpointFiles


@dataclass(frozen=True)
class Done:
    """What a command has left behind."""

    returncode: int
    stdout: str
    stderr: str


async def run(url: str, directory: Path, *arguments: str, **settings: str) -> Done:
    """The command in a thread of its own, as it has an event loop of its own."""
    environment = {"WINDTUNNEL_DATA_DIR": str(directory), "WINDTUNNEL_DATABASE_URL": url, **settings}
    result = await asyncio.to_thread(CliRunner().invoke, cli, ["audit", *arguments], env=environment)
    if isinstance(result.exception, SettingsError | WindtunnelError):  # what `main` makes of it
        return Done(2, result.stdout, f"windtunnel: {result.exception}\n")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


async def filled(store: Store, viewer: Viewer, count: int) -> Sequence[AuditEntry]:
    for number in range(count):
        subject = Subject(Kind.API_TOKEN, new_id())
        draft = AuditDraft(AuditAction.TOKEN_ISSUED, subject, actor_id=viewer.user.id, details={"number": number})
        await audit.append(store, viewer.tenant_id, draft)
    return await audit.read(store, viewer.tenant_id, 0, 10_000)


def files_in(directory: Path) -> CheckpointFiles:
    return CheckpointFiles(directory / "audit", directory / "keys" / "audit.key")


async def test_an_intact_log(store: Store, database_url: str, tmp_path: Path) -> None:
    entries = await filled(store, await worlds.demo(store), 3)
    await worlds.stranger(store)
    done = await run(database_url, tmp_path, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    alone = "0 checkpoints: the chain agrees with itself; there is no checkpoint to compare it with."
    assert f"demo: 3 entries, head {entries[-1].hash}, {alone}" in done.stdout.splitlines()
    assert len(done.stdout.splitlines()) == 2
    assert not (tmp_path / "keys").exists()  # looking makes nothing
    await Checkpointer(store, files_in(tmp_path)).look()
    done = await run(database_url, tmp_path, "verify", "--tenant", "demo")
    assert (done.returncode, done.stdout) == (
        0,
        f"demo: 3 entries, head {entries[-1].hash}, 1 checkpoint: intact.\n",
    )


async def test_a_log_that_was_tampered_with(store: Store, database_url: str, tmp_path: Path) -> None:
    viewer, other = await worlds.demo(store), await worlds.stranger(store)
    await filled(store, viewer, 5)
    await filled(store, other, 2)
    await Checkpointer(store, files_in(tmp_path)).look()
    attacker = await open_store(database_url, role=None)
    await tampering.disarm(attacker)
    await tampering.cut(attacker, viewer.tenant_id, 3)
    done = await run(database_url, tmp_path, "verify")
    assert done.returncode == 1
    assert done.stderr == (
        "windtunnel: the audit log of tenant demo was tampered with: "
        "entry 4 is missing, as is all that followed: a checkpoint has seen 5 entries.\n"
    )
    assert done.stdout.startswith(f"{other.tenant.slug}: 2 entries")
    assert (await run(database_url, tmp_path, "verify", "--tenant", other.tenant.slug)).returncode == 0
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "audit").rename(elsewhere)
    assert (await run(database_url, tmp_path, "verify")).returncode == 0  # by the chain alone
    assert (await run(database_url, tmp_path, "verify", "--checkpoints", str(elsewhere))).returncode == 1
    await tampering.edit(attacker, viewer.tenant_id, 2, "reason", "other")
    await attacker.close()
    done = await run(database_url, tmp_path, "verify", "--tenant", "demo")
    assert done.returncode == 1
    assert "tenant demo was tampered with: entry 2 was edited" in done.stderr


async def test_a_tenant_that_is_gone_with_its_log(sqlite_url: str, tmp_path: Path) -> None:
    tenant_id = new_id()
    files_in(tmp_path).append(tenant_id, [Checkpoint(tenant_id, 2, "0" * 64)])
    done = await run(sqlite_url, tmp_path, "verify")
    assert done.returncode == 1
    assert f"tenant {tenant_id} was tampered with: entry 1 is missing" in done.stderr


@pytest.mark.parametrize("form", ["jsonl", "cloudevents", "ocsf"])
async def test_exports(store: Store, database_url: str, tmp_path: Path, form: str) -> None:
    viewer, other = await worlds.demo(store), await worlds.stranger(store)
    entries = await filled(store, viewer, 3)
    others = await filled(store, other, 1)
    done = await run(database_url, tmp_path, "export", "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    records = [line.get("data") or line.get("unmapped", {}).get("entry") or line for line in lines]
    again = [AuditEntry(**{**record, "details": canonical_details(record["details"])}) for record in records]
    assert all(is_intact(entry) for entry in again)
    assert sorted(again, key=lambda entry: entry.id) == sorted([*entries, *others], key=lambda entry: entry.id)
    out = tmp_path / "log"
    done = await run(database_url, tmp_path, "export", "--format", form, "--tenant", "demo", "--out", str(out))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(out.read_text().splitlines()) == 3


async def test_bad_input_is_one_clear_line_and_code_2(sqlite_url: str, tmp_path: Path) -> None:
    for arguments, settings, complaint in (
        (("verify", "--tenant", "nobody"), {}, "--tenant 'nobody' is refused: there is no tenant of this slug."),
        (("export", "--format", "jsonl", "--tenant", "nobody"), {}, "there is no tenant of this slug."),
        (("export", "--format", "jsonl", "--out", str(tmp_path)), {}, "cannot be written: Is a directory."),
        (("verify",), {"WINDTUNNEL_DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}, "There is no database at"),
        (("verify",), {"WINDTUNNEL_CLOCK_OFFSET": "PT25H"}, "set WINDTUNNEL_TEST_CLOCK=1"),
    ):
        done = await run(sqlite_url, tmp_path, *arguments, **settings)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert done.stderr.startswith("windtunnel: ")
        assert done.stderr.count("\n") == 1
        assert complaint in done.stderr
    shifted = {"WINDTUNNEL_TEST_CLOCK": "1", "WINDTUNNEL_CLOCK_OFFSET": "PT25H"}
    assert (await run(sqlite_url, tmp_path, "verify", **shifted)).returncode == 0


async def test_an_unusable_key_is_told(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "audit.key").write_text("secret")
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "gone.checkpoints").write_text("x\n")
    done = await run(sqlite_url, tmp_path, "verify")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "audit.key' is open to others" in done.stderr
    assert "secret" not in done.stderr


async def test_a_server_leaves_a_checkpoint_behind(tmp_path: Path) -> None:
    settings = {"WINDTUNNEL_DATA_DIR": str(tmp_path), "WINDTUNNEL_LOG_LEVEL": "error"}
    url = f"sqlite:///{tmp_path}/windtunnel.db"
    with Api(settings) as api:
        simulate(api)
        os.kill(api.pid, 15)
        assert api._process
        assert api._process.wait(30) == 0
    (tenant_id,) = files_in(tmp_path).tenants()
    ended = files_in(tmp_path).last(tenant_id)
    store = await open_store(url)
    head = (await audit.read(store, tenant_id, 0, 100))[-1]
    await store.close()
    assert ended
    assert (ended.size, ended.hash) == (head.seq, head.hash)
    with Api(settings) as api:
        simulate(api)
        api.kill()
    assert (await run(url, tmp_path, "verify")).returncode == 0


def simulate(api: Api) -> None:
    document = 'mutation { simulate(input: { scenario: { text: "Sort mail." } }) { errors { code } } }'
    answer = httpx.post(f"{api.url}/graphql", json={"query": document}, timeout=120)
    assert answer.json()["data"] == {"simulate": {"errors": []}}
