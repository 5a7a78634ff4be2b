"""Extending, pausing, resuming, refreshing and deleting environments: when it can be done, and what is on record."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.operations.world import demo, process
from tests.storage.environment_worlds import became, gone, provisioning, ready, stored
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import Ending, Environment, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, ErrorCode, ForbiddenError, NotFoundError, ValidationError
from windtunnel.domain.flags import Flag
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.extend_environment import extend_environment
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.refresh_environment import refresh_environment
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.operations.services import Services
from windtunnel.operations.set_feature_flag import set_feature_flag
from windtunnel.storage import audit, environment_events, production

HOUR, DAY, MS = timedelta(hours=1), timedelta(days=1), timedelta(milliseconds=1)
Verb = Callable[[Services, Viewer, str], Awaitable[Environment]]


async def extend(services: Services, viewer: Viewer, environment_id: str) -> Environment:
    return await extend_environment(services, viewer, environment_id, HOUR)


VERBS: dict[str, Verb] = {
    "extendEnvironment": extend,
    "pauseEnvironment": pause_environment,
    "resumeEnvironment": resume_environment,
    "refreshEnvironment": refresh_environment,
    "deleteEnvironment": delete_environment,
}
GUARDED = [name for name in VERBS if name != "deleteEnvironment"]


async def log(services: Services, viewer: Viewer) -> list[AuditEntry]:
    return list(await audit.read(services.store, viewer.tenant_id, 0, 1_000))


async def steps(services: Services, environment: Environment) -> list[tuple[str, EnvironmentStatus]]:
    told = await environment_events.read(services.store, environment.tenant_id, environment.id)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    return [(event.step, event.status) for event in told]


def spelt(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def turn(services: Services, moment: datetime, now: datetime) -> None:
    """Have the clock show `moment` instead of `now`."""
    services.store.clock_offset += moment - now


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


@pytest.mark.parametrize("path", ["FAILED", "READY EXPIRING", "DELETING", "DELETING DELETE_STUCK", "DELETING DELETED"])
async def test_what_is_on_its_way_out_is_not_deleted_again(database_url: str, path: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await provisioning(one.store, viewer)
        for status in path.split():
            made = await became(one.store, made, status, "ended_by = 'PERSON'" if status == "DELETING" else "")
        assert await delete_environment(one, viewer, made.id) == made
        assert await log(one, viewer) == []
        assert len(await steps(one, made)) == 1


@pytest.mark.parametrize("verb", VERBS)
async def test_only_those_who_run_things_change_environments(sqlite_url: str, verb: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        with pytest.raises(ForbiddenError):
            await VERBS[verb](one, replace(viewer, roles=frozenset({Role.AUDITOR, Role.SECURITY_REVIEWER})), made.id)
        assert await stored(one.store, made) == made
        (entry,) = await log(one, viewer)
        assert (entry.action, entry.subject_id) == (AuditAction.ACCESS_DENIED, made.id)
        assert json.loads(entry.details)["attempted"] == verb


@pytest.mark.parametrize("verb", VERBS)
async def test_others_environments_are_as_unknown_as_any(database_url: str, verb: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        theirs = await ready(one.store, await stranger(one.store))
        answers = set()
        for unknown in (theirs.id, new_id(), "", "\0", "x" * 1_000):
            with pytest.raises(NotFoundError) as refused:
                await VERBS[verb](one, viewer, unknown)
            answers.add((refused.value.message, refused.value.path))
        assert len(answers) == 1
        assert await stored(one.store, theirs) == theirs


@pytest.mark.parametrize("verb", GUARDED)
async def test_nothing_is_done_with_what_is_not_ready_yet_or_not_any_more(database_url: str, verb: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await provisioning(one.store, viewer)
        await refused(one, viewer, verb, made, ErrorCode.CONFLICT)
        made = await became(one.store, made, "FAILED")
        await refused(one, viewer, verb, made, ErrorCode.CONFLICT)
        deleted = await delete_environment(one, viewer, (await ready(one.store, viewer)).id)
        await refused(one, viewer, verb, deleted, ErrorCode.CONFLICT)
        deleted = await gone(one.store, deleted)
        await refused(one, viewer, verb, deleted, ErrorCode.CONFLICT)
        one.store.clock_offset += 30 * DAY
        await refused(one, viewer, verb, deleted, ErrorCode.CONFLICT)  # a person deleted it: it did not expire


@pytest.mark.parametrize("verb", GUARDED)
@pytest.mark.parametrize("status", ["READY", "PAUSED"])
async def test_past_its_end_an_environment_has_expired_before_and_after_it_is_taken_away(
    database_url: str, verb: str, status: str
) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer, lifetime=HOUR)
        if status == "PAUSED":
            made = await became(one.store, made, "PAUSED")
        turn(one, made.expires_at, await one.store.now())
        for next_status in ("", "EXPIRING", "DELETING", "DELETED"):
            if next_status:
                made = await became(one.store, made, next_status)
            await refused(one, viewer, verb, made, ErrorCode.ENVIRONMENT_EXPIRED)


async def refused(services: Services, viewer: Viewer, verb: str, made: Environment, code: ErrorCode) -> None:
    """The verb is refused with this code, and nothing happens."""
    before = len(await log(services, viewer))
    with pytest.raises(ConflictError) as conflict:
        await VERBS[verb](services, viewer, made.id)
    assert (conflict.value.code, conflict.value.current) == (code, made.status)
    assert await stored(services.store, made) == made
    assert len(await log(services, viewer)) == before


async def test_what_is_past_its_end_can_be_deleted_all_the_same(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer, lifetime=HOUR)
        one.store.clock_offset += DAY
        assert (await delete_environment(one, viewer, made.id)).status is EnvironmentStatus.DELETING


async def test_switched_off_what_there_is_goes_on(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        await set_feature_flag(one, viewer, Flag.ENVIRONMENTS, enabled=False)
        for verb in VERBS.values():
            assert (await verb(one, viewer, made.id)).id == made.id


async def test_a_change_that_cannot_be_put_on_record_is_not_made(database_url: str) -> None:
    def failing(statement: str) -> None:
        if "audit" in statement:
            raise RuntimeError("no room in the log")

    async with process(database_url) as one:
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        paused = await became(one.store, await ready(one.store, viewer), "PAUSED")
        await configure_production(one, viewer, [EntryRequest("MODEL", "a")])
        one.store.on_statement = failing
        for name, verb in VERBS.items():
            with pytest.raises(RuntimeError, match="no room"):
                await verb(one, viewer, (paused if name == "resumeEnvironment" else made).id)
        one.store.on_statement = None
        assert [await stored(one.store, each) for each in (made, paused)] == [made, paused]
        assert [len(await steps(one, each)) for each in (made, paused)] == [1, 1]
