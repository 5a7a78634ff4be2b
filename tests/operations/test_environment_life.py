"""Extending, pausing, resuming, refreshing and deleting environments: what becomes of them, and what is on record."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.operations.environment_verbs import DAY, HOUR, MS, log, spelt, steps, turn
from tests.operations.environment_world import begun_in, conduct_in, opened_environment, stored_in
from tests.operations.world import demo, process, watched
from tests.storage.environment_worlds import became, provisioning, ready, stored
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import Ending, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, ErrorCode, ValidationError
from windtunnel.operations.claiming_runs import claim_runs
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.extend_environment import extend_environment
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.places import in_environment
from windtunnel.operations.refresh_environment import refresh_environment
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.storage import environment_events, production


async def test_an_extended_environment_ends_later_or_sooner_and_both_times_are_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = replace(await demo(one), request_id="r-1")
        before = await ready(one.store, viewer, lifetime=2 * DAY)
        later = await extend_environment(one, viewer, before.id, 3 * DAY)
        assert later == await stored(one.store, before)
        assert later.expires_at > before.created_at + 3 * DAY
        sooner = await extend_environment(one, viewer, before.id, HOUR)
        assert later.expires_at - 3 * DAY <= sooner.expires_at - HOUR
        assert sooner.expires_at < before.expires_at
        assert sooner.due_at == sooner.expires_at - HOUR  # to be looked at now: warnings are another matter now
        first, second = await log(one, viewer)
        assert (first.action, first.subject) == (AuditAction.ENVIRONMENT_EXTENDED, Subject(Kind.ENVIRONMENT, before.id))
        assert (first.actor_id, first.request_id) == (viewer.user.id, "r-1")
        assert json.loads(first.details) == {"from": spelt(before.expires_at), "to": spelt(later.expires_at)}
        assert json.loads(second.details) == {"from": spelt(later.expires_at), "to": spelt(sooner.expires_at)}
        ready_then = EnvironmentStatus.READY
        assert (await steps(one, before))[1:] == [("extend", ready_then), ("extend", ready_then)]
        told = await environment_events.read(one.store, before.tenant_id, before.id)
        assert [event.message for event in told[1:]] == [
            f"It ends at {then.expires_at:%Y-%m-%d %H:%M} UTC now." for then in (later, sooner)
        ]


async def test_a_paused_environment_is_extended_too(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        paused = await became(one.store, await ready(one.store, viewer), "PAUSED")
        assert (await extend_environment(one, viewer, paused.id, 3 * DAY)).status is EnvironmentStatus.PAUSED


async def test_nothing_lives_longer_than_seven_days_however_often_it_is_extended(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer, lifetime=7 * DAY)
        turn(one, made.created_at + 6 * DAY, await one.store.now())
        for lifetime in (DAY + HOUR, 7 * DAY):
            with pytest.raises(ValidationError) as refused:
                await extend_environment(one, viewer, made.id, lifetime)
            assert (refused.value.rule, refused.value.path) == ("lifetime_too_long", ("input", "lifetime"))
        assert (await stored(one.store, made)).expires_at == made.expires_at  # not clamped
        assert await log(one, viewer) == []
        extended = await extend_environment(one, viewer, made.id, DAY - HOUR)
        assert extended.expires_at < made.created_at + 7 * DAY


@pytest.mark.parametrize("lifetime", [timedelta(minutes=10) - MS, timedelta(0), -DAY, 7 * DAY + MS])
async def test_a_lifetime_is_ten_minutes_to_seven_days(sqlite_url: str, lifetime: timedelta) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        with pytest.raises(ValidationError) as refused:
            await extend_environment(one, viewer, made.id, lifetime)
        assert (refused.value.rule, refused.value.path) == ("lifetime_out_of_range", ("input", "lifetime"))


async def test_warnings_come_again_unless_the_new_end_is_near(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer, lifetime=2 * DAY)

        async def warned() -> list[datetime | None]:
            (row,) = await one.store.of(viewer.tenant_id).fetch(
                "SELECT warned_day_ms, warned_hour_ms, expires_ms FROM environments WHERE tenant_id = $1 AND id = $2",
                viewer.tenant_id,
                made.id,
            )
            return [
                None if row[name] is None else row[name] == row["expires_ms"] for name in row if name != "expires_ms"
            ]

        assert await warned() == [None, None]
        for lifetime, expected in (
            (HOUR, [True, True]),
            (HOUR + MS, [True, None]),
            (DAY, [True, None]),
            (DAY + MS, [None, None]),
        ):
            await extend_environment(one, viewer, made.id, lifetime)
            assert await warned() == expected


async def test_a_key_extends_once(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made, other = await ready(one.store, viewer), await ready(one.store, viewer)
        first = await extend_environment(one, viewer, made.id, DAY, "k")
        one.store.clock_offset += HOUR
        assert await extend_environment(one, viewer, made.id, DAY, "k") == first
        for wrong in ((made.id, 2 * DAY), (other.id, DAY)):
            with pytest.raises(ConflictError) as refused:
                await extend_environment(one, viewer, *wrong, "k")
            assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
        assert len(await log(one, viewer)) == 1


async def test_an_environment_is_paused_and_resumed_and_its_time_goes_on(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        paused = await pause_environment(one, viewer, made.id)
        assert paused == await stored(one.store, made)
        assert (paused.status, paused.expires_at, paused.slot) == ("PAUSED", made.expires_at, made.slot)
        resumed = await resume_environment(one, viewer, made.id)
        assert resumed == await stored(one.store, made)
        assert (resumed.status, resumed.expires_at) == ("READY", made.expires_at)
        assert resumed.work_seq == made.work_seq + 1  # what waited there is looked for
        assert [(entry.action, entry.subject_id) for entry in await log(one, viewer)] == [
            (AuditAction.ENVIRONMENT_PAUSED, made.id),
            (AuditAction.ENVIRONMENT_RESUMED, made.id),
        ]
        assert (await steps(one, made))[1:] == [("pause", "PAUSED"), ("resume", "READY")]


async def test_what_runs_ends_by_pausing_and_what_waits_goes_on_when_resumed(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await opened_environment(one, viewer)
        running, waiting = [await begun_in(one, viewer, made) for _ in range(2)]
        async with in_environment(one, made) as place:
            assert [each.id for each in await claim_runs(place, "conductor", 1)] == [running.id]
        await pause_environment(one, viewer, made.id)
        assert (await watched(one, viewer, running))[-1].body["status"] == "CANCELLED"
        still = await stored_in(one, made, waiting.id)
        assert still
        assert still.status == "QUEUED"
        assert await conduct_in(one, made) == 0
        await resume_environment(one, viewer, made.id)
        assert await conduct_in(one, made) == 1
        assert (await watched(one, viewer, waiting))[-1].body["status"] == "SUCCEEDED"


async def test_what_is_paused_or_resumed_already_stays_so(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        assert await resume_environment(one, viewer, made.id) == made
        paused = await pause_environment(one, viewer, made.id)
        assert await pause_environment(one, viewer, made.id) == paused
        assert len(await log(one, viewer)) == 1
        assert len(await steps(one, made)) == 2


async def test_a_refreshed_environment_is_configured_as_production_is(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        before = await production.snapshot(one.store, viewer.tenant_id)
        now = await configure_production(one, viewer, [EntryRequest("MODEL", "b"), EntryRequest("KEY", "s3cret", True)])
        refreshed = await refresh_environment(one, viewer, made.id)
        assert refreshed == await stored(one.store, made)
        assert (refreshed.snapshot, refreshed.snapshot_digest) == (now, now.digest)
        *_, entry = await log(one, viewer)
        assert (entry.action, entry.subject_id) == (AuditAction.ENVIRONMENT_REFRESHED, made.id)
        assert json.loads(entry.details) == {
            "from": {"productionRevision": 0, "configurationDigest": before.digest},
            "to": {"productionRevision": 1, "configurationDigest": now.digest},
        }
        assert (await steps(one, made))[1:] == [("refresh", "READY")]


async def test_what_has_not_drifted_is_not_refreshed(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        assert await refresh_environment(one, viewer, made.id) == made
        assert await log(one, viewer) == []


async def test_a_key_refreshes_once(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        await configure_production(one, viewer, [EntryRequest("MODEL", "a")])
        first = await refresh_environment(one, viewer, made.id, "k")
        await configure_production(one, viewer, [EntryRequest("MODEL", "b")])
        assert await refresh_environment(one, viewer, made.id, "k") == first
        assert (await refresh_environment(one, viewer, made.id)).snapshot.revision == 2


@pytest.mark.parametrize("status", ["PROVISIONING", "READY", "PAUSED"])
async def test_what_lives_is_deleted_by_a_person(database_url: str, status: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await provisioning(one.store, viewer)
        for each in {"READY": ["READY"], "PAUSED": ["READY", "PAUSED"]}.get(status, []):
            made = await became(one.store, made, each)
        going = await delete_environment(one, viewer, made.id)
        assert going == await stored(one.store, made)
        assert (going.status, going.ended_by) == (EnvironmentStatus.DELETING, Ending.PERSON)
        assert going.due_at == going.cleanup_started_at
        (entry,) = await log(one, viewer)
        assert (entry.action, entry.subject_id) == (AuditAction.ENVIRONMENT_DELETE_REQUESTED, made.id)
        assert (await steps(one, made))[1:] == [("delete", "DELETING")]


@pytest.mark.parametrize("path", ["FAILED", "READY EXPIRING", "DELETING", "DELETING DELETED"])
async def test_what_is_on_its_way_out_is_not_deleted_again(database_url: str, path: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await provisioning(one.store, viewer)
        for status in path.split():
            made = await became(one.store, made, status, "ended_by = 'PERSON'" if status == "DELETING" else "")
        assert await delete_environment(one, viewer, made.id) == made
        assert await log(one, viewer) == []
        assert len(await steps(one, made)) == 1


async def test_what_could_not_be_removed_is_tried_again_at_once_when_somebody_deletes_it_again(
    database_url: str,
) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await became(one.store, await provisioning(one.store, viewer), "DELETING", "ended_by = 'PERSON'")
        stuck = await became(one.store, made, "DELETE_STUCK", "due_ms = {now} + 900000")
        asked = await one.store.now()
        hurried = await delete_environment(one, viewer, made.id)
        assert asked <= hurried.due_at <= await one.store.now()
        assert hurried == replace(stuck, due_at=hurried.due_at) == await stored(one.store, made)
        assert await log(one, viewer) == []  # nothing but the wait has changed
        assert len(await steps(one, made)) == 1
