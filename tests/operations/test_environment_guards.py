"""Verbs on environments that are refused: by role, by tenant, by status and by the clock; and then nothing happens."""

import json
from dataclasses import replace

import pytest

from tests.operations.environment_verbs import DAY, GUARDED, HOUR, VERBS, log, steps, turn
from tests.operations.world import demo, process
from tests.storage.environment_worlds import became, gone, provisioning, ready, stored
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, ErrorCode, ForbiddenError, NotFoundError
from windtunnel.domain.flags import Flag
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.services import Services
from windtunnel.operations.set_feature_flag import set_feature_flag


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
