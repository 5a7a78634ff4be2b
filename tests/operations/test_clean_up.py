"""What cannot be removed is named, told once, and tried again until nothing is left."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.typing import EventDict

from tests.operations.care import asked, entries, left_of, now, processes_with, ready, resources, tend_all, told
from tests.operations.inboxes import inbox
from tests.operations.world import demo, process
from tests.waiting import until
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.environments import EnvironmentStatus, ResourceKind, ResourceStatus
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations import clean_up
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.sandboxes import sandbox_of
from windtunnel.storage import environment_care, environment_resources, environments
from windtunnel.storage.environment_files import EnvironmentFiles
from windtunnel.storage.errors import DependedOnError, LeaseLostError

WEEK = timedelta(days=7)


class Sticky(EnvironmentFiles):
    """Databases that cannot be removed for a while."""

    trouble: Exception | None = None

    async def remove(self, namespace: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        await super().remove(namespace)


class Believed(EnvironmentFiles):
    """Databases of which it is only said that they are removed."""

    async def remove(self, namespace: str) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (UnavailableError("The server 10.0.0.1:5432 is away."), clean_up.UNREACHED),
        (DependedOnError("role wte_x cannot be dropped: owner of database payroll"), clean_up.STILL_OWNS),
        (PermissionError(13, "Permission denied", "/secret/place"), "Permission denied"),
        (ZeroDivisionError("by zero"), "a defect in this service"),
    ],
)
async def test_what_cannot_be_removed_is_named_and_tried_until_it_is_gone(
    sqlite_url: str, tmp_path: Path, trouble: Exception, reason: str
) -> None:
    databases = Sticky(tmp_path / "environments")
    async with process(sqlite_url, databases=databases, environments_dir=tmp_path / "environments") as services:
        viewer, environment = await demo(services), await ready(services, "mine")
        databases.trouble = trouble
        await delete_environment(services, viewer, environment.id)
        pauses = [timedelta(seconds=each) for each in clean_up.AGAIN_AFTER_S]
        for attempt, pause in enumerate([*pauses, pauses[-1]], start=1):
            await tend_all(services)
            stuck = await now(services, environment)
            assert (stuck.status, stuck.attempts, stuck.lease_owner) == (EnvironmentStatus.DELETE_STUCK, attempt, None)
            assert stuck.remaining == (f"database {environment.namespace}/environment.db: {reason}",)
            assert await environments.count(services.store, viewer.tenant_id) == 1
            assert stuck.due_at - await services.store.now() <= pause
            services.store.clock_offset += pause + timedelta(milliseconds=1)
        databases.trouble = None
        await tend_all(services)
        gone = await now(services, environment)
        assert (gone.status, gone.remaining) == (EnvironmentStatus.DELETED, ())
        assert await left_of(services, environment) == []
        assert await environments.count(services.store, viewer.tenant_id) == 0
        kinds = [each.kind for each in await inbox(services, viewer)]
        assert kinds.count(NotificationKind.ENVIRONMENT_DELETE_STUCK) == 1
        told_once = [each for each in await entries(services, environment) if each.action == _STUCK]
        assert len(told_once) == 1
        assert reason in json.loads(told_once[0].details)["remaining"][0]


async def test_what_is_said_to_be_removed_is_looked_for(sqlite_url: str, tmp_path: Path) -> None:
    databases = Believed(tmp_path / "environments")
    async with process(sqlite_url, databases=databases, environments_dir=tmp_path / "environments") as services:
        viewer, environment = await demo(services), await ready(services)
        await delete_environment(services, viewer, environment.id)
        await tend_all(services)
        stuck = await now(services, environment)
        assert stuck.remaining == (f"database {environment.namespace}/environment.db: it is still there",)
        parts = {each.kind: each.status for each in await resources(services, environment)}
        assert parts[ResourceKind.DATABASE] is ResourceStatus.CREATED
        services.store.clock_offset = timedelta(minutes=1)
        await tend_all(services)  # its directory took it along
        assert (await now(services, environment)).status is EnvironmentStatus.DELETED


_STUCK = AuditAction.ENVIRONMENT_DELETE_STUCK


async def test_who_removes_is_nobody_whose_claim_is_over(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, environment = await demo(services), await ready(services)
        await delete_environment(services, viewer, environment.id)
        (slow,) = await environment_care.claim(services.store, "slow", 1)
        services.store.clock_offset = timedelta(seconds=11)
        await tend_all(services, "quick")
        gone = await now(services, environment)
        with pytest.raises(LeaseLostError):
            await clean_up.clean_up(services, slow)
        assert await now(services, environment) == gone
        assert [each.action for each in await entries(services, environment)].count("ENVIRONMENT_DELETED") == 1


async def test_what_was_put_into_an_environment_goes_with_it(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer, environment = await demo(services), await ready(services)
        of = (services.store, environment.tenant_id, environment.id)
        locator = f"{environment.namespace}/packages/abc"
        assert await environment_resources.intend(*of, key="package abc", kind=ResourceKind.PACKAGE, locator=locator)
        package = services.environments_dir / locator
        (package / "code").mkdir(parents=True)
        (package / "code" / "agent.py").write_text("print()")
        (package / "code").chmod(0o500)
        package.chmod(0o500)
        await delete_environment(services, viewer, environment.id)
        await tend_all(services)
        assert await left_of(services, environment) == []
        parts = await resources(services, environment)
        assert {each.kind for each in parts} == set(ResourceKind)
        assert {each.status for each in parts} == {ResourceStatus.REMOVED}
        receipt = json.loads((await now(services, environment)).receipt or "")
        assert locator in [each["locator"] for each in receipt["resources"]]


async def test_one_of_which_nothing_was_made_is_gone_as_well(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, environment = await demo(services), await asked(services)
        await delete_environment(services, viewer, environment.id)
        await tend_all(services)
        gone = await now(services, environment)
        assert gone.status is EnvironmentStatus.DELETED
        assert json.loads(gone.receipt or "")["resources"] == []


async def test_a_broken_database_keeps_nothing_from_being_removed(sqlite_url: str, logs: list[EventDict]) -> None:
    async with process(sqlite_url) as services:
        viewer, environment = await demo(services), await ready(services)
        (services.environments_dir / environment.namespace / "environment.db").write_bytes(b"no database" * 1_000)
        await delete_environment(services, viewer, environment.id)
        await tend_all(services)
        assert (await now(services, environment)).status is EnvironmentStatus.DELETED
        assert await left_of(services, environment) == []
    assert "environment not measured" in [entry["event"] for entry in logs]


@pytest.mark.skipif(sys.platform != "linux", reason="code runs on Linux only")
async def test_code_that_does_not_want_to_end_is_ended(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_up, "GRACE_S", 0.2)
    async with process(sqlite_url) as services:
        environment = await ready(services)
        sandbox = await sandbox_of(services, environment)
        script = _STUBBORN.replace("NAMESPACE", environment.namespace)
        running = asyncio.create_task(sandbox.run(("python", "-c", script), wall_s=60))
        await until(lambda: bool(processes_with(f"grandchild of {environment.namespace}")))
        services.store.clock_offset = WEEK
        await tend_all(services)
        gone = await now(services, environment)
        assert gone.status is EnvironmentStatus.DELETED
        assert await left_of(services, environment) == []
        assert json.loads(gone.receipt or "")["processesEnded"] == 1
        await running


_STUBBORN = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, ["python", "-c", "import signal; signal.pause() # grand" + "child of NAMESPACE"])
    os._exit(0)
signal.pause()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="code runs on Linux only")
async def test_code_that_cannot_be_ended_keeps_its_directory(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> int:
        raise TimeoutError("1 runs do not end")

    async with process(sqlite_url) as services:
        viewer, environment = await demo(services), await ready(services)
        end = clean_up.end_code  # type: ignore[attr-defined]
        monkeypatch.setattr(clean_up, "end_code", refuse)
        monkeypatch.setattr(clean_up, "code_remaining", lambda *_: (4711,))
        await delete_environment(services, viewer, environment.id)
        await tend_all(services)
        stuck = await now(services, environment)
        assert stuck.remaining == (
            "code (1 of its processes): does not end",
            f"directory {environment.namespace}/: not tried while code runs in it",
        )
        assert "code (1 of its processes)" in (await told(services, environment))[-1].message
        monkeypatch.setattr(clean_up, "end_code", end)
        monkeypatch.setattr(clean_up, "code_remaining", lambda *_: ())
        services.store.clock_offset = WEEK
        await tend_all(services)
        assert (await now(services, environment)).status is EnvironmentStatus.DELETED
