"""An environment is made step by step, stands, comes to its end and is taken away: told, on record, and proven."""

import asyncio
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
import rfc8785

from tests.operations.care import asked, entries, left_of, now, ready, resources, tend_all, told
from tests.operations.inboxes import inbox
from tests.operations.world import begun, demo, now_stored, process
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import (
    Ending,
    Environment,
    EnvironmentKey,
    EnvironmentStatus,
    IsolationReport,
    ResourceKind,
    ResourceStatus,
)
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.isolation import IsolationLevel, Probe, ProbeOutcome, ProbeResult
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations import provisioning, sandboxes
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.services import Services
from windtunnel.operations.tend_environment import tend_environment
from windtunnel.sandbox.errors import SandboxError
from windtunnel.storage import environment_care, environments
from windtunnel.storage.environment_files import EnvironmentFiles

DAY = timedelta(days=1)
MADE = ["request", "directory", "database", "channels", "configuration", "isolation", "ready"]
GONE = ["database", "channels", "directory", "deleted"]


async def test_an_environment_is_made_step_by_step(database_url: str) -> None:
    async with process(database_url) as services:
        environment = await ready(services)
        events = await told(services, environment)
        assert [event.step for event in events] == MADE
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.progress for event in events] == sorted(event.progress for event in events)
        assert (events[-1].status, events[-1].progress) == (EnvironmentStatus.READY, 1.0)
        assert [(each.kind, each.status) for each in await resources(services, environment)] == [
            (kind, ResourceStatus.CREATED)
            for kind in (ResourceKind.DIRECTORY, ResourceKind.DATABASE, ResourceKind.CHANNEL)
        ]
        assert environment.lease_owner is None
        assert environment.isolation is not None
        assert {probe.probe for probe in environment.isolation.probes} == set(Probe)
        directory = services.environments_dir / environment.namespace
        assert directory.stat().st_mode & 0o777 == 0o700
        assert await services.places.databases.exists(environment.namespace)


async def test_readiness_is_told_and_on_record_with_what_was_seen_of_isolation(database_url: str) -> None:
    async with process(database_url) as services:
        environment = await ready(services, "mine")
        (notice,) = await inbox(services, await demo(services))
        assert notice.kind is NotificationKind.ENVIRONMENT_READY
        assert notice.subject == Subject(Kind.ENVIRONMENT, environment.id)
        assert notice.title == "Environment ready: mine"
        entry = (await entries(services, environment))[-1]
        assert entry.action == AuditAction.ENVIRONMENT_READY
        assert entry.actor_id is None
        rows = await services.store.of(environment.tenant_id).fetch(
            "SELECT isolation FROM environments WHERE id = $1", environment.id
        )
        details = json.loads(entry.details)
        assert details["isolationReportSha256"] == sha256(rows[0]["isolation"].encode()).hexdigest()
        assert details["configurationDigest"] == environment.snapshot_digest


async def test_one_that_is_deleted_leaves_a_receipt_and_nothing_else(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, environment = await demo(services), await ready(services)
        simulation = await begun(services, viewer, environment_id=environment.id)
        assert await left_of(services, environment)
        await delete_environment(services, viewer, environment.id)
        await tend_all(services)
        gone = await now(services, environment)
        assert (gone.status, gone.ended_by) == (EnvironmentStatus.DELETED, Ending.PERSON)
        assert await left_of(services, environment) == []
        assert [event.step for event in await told(services, environment)][len(MADE) + 1 :] == GONE
        assert (await told(services, environment))[-1].status is EnvironmentStatus.DELETED
        parts = await resources(services, environment)
        assert {each.status for each in parts} == {ResourceStatus.REMOVED}
        receipt = json.loads(gone.receipt or "")
        assert gone.receipt == rfc8785.dumps(receipt).decode()
        assert gone.receipt_digest == sha256((gone.receipt or "").encode()).hexdigest()
        assert {each["key"]: each["probe"] for each in receipt["resources"]} == {each.key: "ABSENT" for each in parts}
        assert receipt["environment"] == Subject(Kind.ENVIRONMENT, environment.id).global_id
        assert receipt["finishedAt"] >= receipt["startedAt"]
        last = (await entries(services, environment))[-1]
        assert last.action == AuditAction.ENVIRONMENT_DELETED
        assert json.loads(last.details)["receiptSha256"] == gone.receipt_digest
        assert (gone.snapshot.entries, gone.sealed_password) == ((), None)
        assert gone.snapshot_digest == environment.snapshot_digest
        assert gone.usage.storage_bytes > 0
        assert gone.usage.simulations == 1
        assert await environments.count(services.store, viewer.tenant_id) == 0
        cancelled = [each for each in await _all_entries(services, gone) if each.subject_id == simulation.id]
        assert cancelled[-1].action == AuditAction.SIMULATION_CANCELLED


async def _all_entries(services: Services, environment: Environment) -> list[Any]:
    from windtunnel.storage import audit

    return list(await audit.read(services.store, environment.tenant_id, 0, 1_000))


@pytest.mark.parametrize("paused", [False, True])
async def test_one_whose_time_is_over_is_taken_away_by_itself(database_url: str, paused: bool) -> None:
    async with process(database_url) as services:
        viewer, environment = await demo(services), await ready(services, lifetime=DAY)
        if paused:
            await pause_environment(services, viewer, environment.id)
        services.store.clock_offset = DAY + timedelta(seconds=1)
        await tend_all(services)
        gone = await now(services, environment)
        assert (gone.status, gone.ended_by) == (EnvironmentStatus.DELETED, Ending.EXPIRY)
        assert await left_of(services, environment) == []
        statuses = [event.status for event in await told(services, environment)][len(MADE) + paused :]
        assert statuses[:2] == [EnvironmentStatus.EXPIRING, EnvironmentStatus.DELETING]
        kinds = [each.kind for each in await inbox(services, viewer)]
        assert kinds.count(NotificationKind.ENVIRONMENT_EXPIRED) == 1
        actions = [each.action for each in await entries(services, environment)]
        assert actions[-2:] == [AuditAction.ENVIRONMENT_EXPIRED, AuditAction.ENVIRONMENT_DELETED]


async def test_where_a_probe_gets_out_nothing_is_kept(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def examine(services: Services, environment: Environment) -> IsolationReport:
        probes = (
            ProbeResult(Probe.READ_PRODUCTION, ProbeOutcome.ALLOWED, "Read it."),
            ProbeResult(Probe.BIND_PORT, ProbeOutcome.DENIED, "No."),
            ProbeResult(Probe.SEND_DATAGRAM, ProbeOutcome.NOT_ENFORCED, "Sent."),
        )
        return IsolationReport(IsolationLevel.FULL, IsolationLevel.FULL, await services.store.now(), probes)

    monkeypatch.setattr(provisioning, "examine", examine)
    async with process(database_url) as services:
        environment = await asked(services)
        await tend_all(services)
        gone = await now(services, environment)
        assert (gone.status, gone.ended_by) == (EnvironmentStatus.DELETED, Ending.FAILURE)
        assert gone.failure == "What runs in it could get out: read-production."
        assert gone.isolation is not None
        assert gone.isolation.probes[0].outcome is ProbeOutcome.ALLOWED
        assert await left_of(services, environment) == []
        assert [each.action for each in await entries(services, environment)][-2:] == [
            AuditAction.ENVIRONMENT_FAILED,
            AuditAction.ENVIRONMENT_DELETED,
        ]
        (notice,) = await inbox(services, await demo(services))
        assert notice.kind is NotificationKind.ENVIRONMENT_FAILED
        assert notice.body.startswith("What runs in it could get out: read-production.")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (SandboxError("probes", "/secret/place: ended with 1"), "It could not be made: its isolation cannot be tried"),
        (OSError(28, "No space left on device", "/secret/place"), "It could not be made: No space left on device."),
        (ZeroDivisionError("by zero"), provisioning.DEFECT),
    ],
)
async def test_what_cannot_be_made_has_failed_at_once(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, error: Exception, failure: str
) -> None:
    async def examine(services: Services, environment: Environment) -> IsolationReport:
        raise error

    monkeypatch.setattr(provisioning, "examine", examine)
    async with process(sqlite_url) as services:
        environment = await asked(services)
        await tend_all(services)
        gone = await now(services, environment)
        assert (gone.status, gone.ended_by) == (EnvironmentStatus.DELETED, Ending.FAILURE)
        assert (gone.failure or "").startswith(failure)
        assert "/secret/place" not in (gone.failure or "")
        assert await left_of(services, environment) == []


class Down(EnvironmentFiles):
    """Databases that cannot be made for a while."""

    down = True

    async def create(self, key: EnvironmentKey) -> None:
        if self.down:
            raise UnavailableError("The server of databases is away.")
        await super().create(key)


async def test_what_is_down_is_tried_again_until_it_is_there(sqlite_url: str, tmp_path: Any) -> None:
    databases = Down(tmp_path / "environments")
    async with process(sqlite_url, databases=databases, environments_dir=tmp_path / "environments") as services:
        environment = await asked(services)
        await tend_all(services)
        waiting = await now(services, environment)
        assert (waiting.status, waiting.lease_owner) == (EnvironmentStatus.PROVISIONING, None)
        assert (await told(services, environment))[-1].message == provisioning.AWAY
        databases.down = False
        services.store.clock_offset = timedelta(seconds=3)
        await tend_all(services)
        assert (await now(services, environment)).status is EnvironmentStatus.READY
        assert [event.step for event in await told(services, environment)].count("directory") == 1


async def test_what_is_down_for_five_minutes_has_failed(sqlite_url: str, tmp_path: Any) -> None:
    databases = Down(tmp_path / "environments")
    async with process(sqlite_url, databases=databases, environments_dir=tmp_path / "environments") as services:
        environment = await asked(services)
        await tend_all(services)
        services.store.clock_offset = timedelta(minutes=5)
        await tend_all(services)
        gone = await now(services, environment)
        assert (gone.status, gone.failure) == (EnvironmentStatus.DELETED, "It could not be made within five minutes.")
        assert await left_of(services, environment) == []


async def test_the_watchdog_takes_one_away_from_whoever_is_stuck_with_it(database_url: str) -> None:
    async with process(database_url) as services:
        environment = await asked(services)
        (held,) = await environment_care.claim(services.store, "stuck", 1)
        services.store.clock_offset = timedelta(minutes=5)
        assert await environment_care.renew(services.store, "stuck", {held.id: held.fence}) == {held.id}
        await tend_all(services)
        assert (await now(services, environment)).status is EnvironmentStatus.DELETED
        await tend_environment(services, held)  # it wakes up, late, and does nothing
        assert await left_of(services, environment) == []
        assert (await now(services, environment)).status is EnvironmentStatus.DELETED


async def test_one_deleted_while_it_is_made_is_taken_away_by_who_makes_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    examine = sandboxes.examine

    async def slowly(services: Services, environment: Environment) -> IsolationReport:
        begun.set()
        await go_on.wait()
        return await examine(services, environment)

    monkeypatch.setattr(provisioning, "examine", slowly)
    async with process(database_url) as services:
        viewer, environment = await demo(services), await asked(services)
        (held,) = await environment_care.claim(services.store, "one", 1)
        tending = asyncio.create_task(tend_environment(services, held))
        await begun.wait()
        await delete_environment(services, viewer, environment.id)
        assert await environment_care.claim(services.store, "other", 1) == []  # nobody removes what is being made
        go_on.set()
        await tending
        gone = await now(services, environment)
        assert (gone.status, gone.ended_by, gone.ready_at) == (EnvironmentStatus.DELETED, Ending.PERSON, None)
        assert await left_of(services, environment) == []


async def test_a_tampered_copy_of_production_is_not_used(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        environment = await asked(services)
        await services.store.of(environment.tenant_id).fetch(
            'UPDATE environments SET snapshot = \'{"A":{"value":"b"}}\' WHERE id = $1', environment.id
        )
        await tend_all(services)
        assert "configuration" in ((await now(services, environment)).failure or "")


async def test_simulations_end_with_their_environment(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, environment = await demo(services), await ready(services, lifetime=DAY)
        simulation = await begun(services, viewer, environment_id=environment.id)
        services.store.clock_offset = DAY
        await tend_all(services)
        (ended,) = [
            each
            for each in await _all_entries(services, environment)
            if each.subject_id == simulation.id and each.reason
        ]
        assert (ended.action, ended.reason) == (AuditAction.SIMULATION_CANCELLED, "The environment's time is over.")
        with pytest.raises(UnavailableError):
            async with services.places.opened(EnvironmentKey(environment.namespace, "x")):
                await now_stored(services, simulation)
