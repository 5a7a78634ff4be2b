"""Verbs on one environment at once, from several processes: who is first decides, and the record tells it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from tests.operations.world import demo, process
from tests.storage.environment_worlds import provisioning, ready, stored
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.environments import Ending, Environment, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, ErrorCode, ForbiddenError
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.expiring import expire
from windtunnel.operations.extend_environment import extend_environment
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.refresh_environment import refresh_environment
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.operations.services import Services
from windtunnel.storage import audit, environment_events, people

HOUR = timedelta(hours=1)
ON_RECORD = {
    "pause": AuditAction.ENVIRONMENT_PAUSED,
    "resume": AuditAction.ENVIRONMENT_RESUMED,
    "extend": AuditAction.ENVIRONMENT_EXTENDED,
    "refresh": AuditAction.ENVIRONMENT_REFRESHED,
    "delete": AuditAction.ENVIRONMENT_DELETE_REQUESTED,
    "expiring": AuditAction.ENVIRONMENT_EXPIRED,
}


@asynccontextmanager
async def two(url: str) -> AsyncIterator[list[Services]]:
    """Two processes on one database."""
    async with process(url) as one, process(url, owner="two") as other:
        yield [one, other]


async def history(services: Services, environment: Environment) -> list[str]:
    """The steps of an environment, which are exactly those on record, and all of them numbered."""
    told = await environment_events.read(services.store, environment.tenant_id, environment.id)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    entries = await audit.read(services.store, environment.tenant_id, 0, 1_000)
    recorded = [entry.action for entry in entries if entry.subject_id == environment.id]
    steps = [event.step for event in told[1:]]
    assert [ON_RECORD[step] for step in steps] == recorded
    return steps


async def test_of_many_who_delete_one_does_and_all_are_told_the_same(database_url: str) -> None:
    async with two(database_url) as processes:
        viewer = await demo(processes[0])
        for made in (await ready(processes[0].store, viewer), await provisioning(processes[0].store, viewer)):
            answers = await asyncio.gather(
                *(delete_environment(each, viewer, made.id) for each in processes for _ in range(6))
            )
            assert len(set(map(str, answers))) == 1
            assert answers[0].status is EnvironmentStatus.DELETING
            assert await history(processes[0], made) == ["delete"]


async def test_of_many_who_pause_one_does(database_url: str) -> None:
    async with two(database_url) as processes:
        viewer = await demo(processes[0])
        made = await ready(processes[0].store, viewer)
        for verb, steps in ((pause_environment, ["pause"]), (resume_environment, ["pause", "resume"])):
            await asyncio.gather(*(verb(each, viewer, made.id) for each in processes for _ in range(6)))
            assert await history(processes[0], made) == steps


async def test_whatever_is_deleted_is_never_there_again(database_url: str) -> None:
    """Extending, pausing, resuming and refreshing against deleting: nothing comes after the deletion."""
    async with two(database_url) as processes:
        viewer = await demo(processes[0])
        for number in range(4):
            made = await ready(processes[0].store, viewer)
            await configure_production(processes[0], viewer, [EntryRequest("NUMBER", str(number))])
            verbs = [
                extend_environment(processes[0], viewer, made.id, HOUR),
                pause_environment(processes[1], viewer, made.id),
                delete_environment(processes[number % 2], viewer, made.id),
                refresh_environment(processes[1], viewer, made.id),
                resume_environment(processes[0], viewer, made.id),
            ]
            Random(number).shuffle(verbs)
            answers = await asyncio.gather(*verbs, return_exceptions=True)
            conflicts = [each for each in answers if isinstance(each, BaseException)]
            assert all(isinstance(each, ConflictError) and each.code is ErrorCode.CONFLICT for each in conflicts)
            steps = await history(processes[0], made)
            assert steps[-1] == "delete"
            assert set(Counter(steps).values()) == {1}
            now = await stored(processes[0].store, made)
            assert (now.status, now.ended_by) == (EnvironmentStatus.DELETING, Ending.PERSON)


async def test_what_expires_is_not_extended_and_what_is_extended_does_not_expire(database_url: str) -> None:
    async with two(database_url) as (one, ahead):
        viewer = await demo(one)
        ahead.store.clock_offset = HOUR  # it thinks that the time is over already
        for number in range(6):
            made = await ready(one.store, viewer, lifetime=HOUR)
            verbs = [extend_environment(one, viewer, made.id, 2 * HOUR), expire(ahead, viewer.tenant_id, made.id)]
            Random(number).shuffle(verbs)
            answers = await asyncio.gather(*verbs, return_exceptions=True)
            steps = await history(one, made)
            if steps == ["extend"]:
                assert False in answers
                assert (await stored(one.store, made)).status is EnvironmentStatus.READY
            else:
                assert steps == ["expiring"]
                (refused,) = [each for each in answers if isinstance(each, ConflictError)]
                assert refused.code is ErrorCode.ENVIRONMENT_EXPIRED
                assert (await stored(one.store, made)).status is EnvironmentStatus.EXPIRING


async def test_what_is_deleted_at_its_end_ends_once(database_url: str) -> None:
    async with two(database_url) as (one, other):
        viewer = await demo(one)
        for each in (one, other):
            each.store.clock_offset = 2 * HOUR
        one.store.clock_offset = timedelta(0)
        for number in range(4):
            made = await ready(one.store, viewer, lifetime=HOUR)
            verbs = [
                delete_environment(one, viewer, made.id),
                expire(other, viewer.tenant_id, made.id),
                expire(other, viewer.tenant_id, made.id),
            ]
            Random(number).shuffle(verbs)
            await asyncio.gather(*verbs)
            steps = await history(one, made)
            now = await stored(one.store, made)
            assert (steps, now.status, now.ended_by) in (
                (["delete"], EnvironmentStatus.DELETING, Ending.PERSON),
                (["expiring"], EnvironmentStatus.EXPIRING, Ending.EXPIRY),
            )


async def test_whoever_loses_the_role_while_waiting_changes_nothing(postgres_database_url: str) -> None:
    async with two(postgres_database_url) as (one, other):
        viewer = await demo(one)
        made = await ready(one.store, viewer)
        waits = asyncio.Event()
        other.store.on_statement = lambda sql: waits.set() if "pg_advisory_xact_lock" in sql else None
        async with one.store.transaction(viewer.tenant_id):
            await one.store.lock_tenant(viewer.tenant_id)
            deleting = asyncio.create_task(delete_environment(other, viewer, made.id))
            await waits.wait()
            await people.set_roles(one.store, viewer.tenant_id, viewer.user.id, ())
        with pytest.raises(ForbiddenError):
            await deleting
        assert await stored(one.store, made) == made
        (entry,) = await audit.read(one.store, viewer.tenant_id, 0, 10)
        assert (entry.action, json.loads(entry.details)["attempted"]) == (
            AuditAction.ACCESS_DENIED,
            "deleteEnvironment",
        )


async def test_a_key_of_extending_counts_once_whoever_is_asked(database_url: str) -> None:
    async with two(database_url) as processes:
        viewer: Viewer = replace(await demo(processes[0]))
        made = await ready(processes[0].store, viewer)
        answers = await asyncio.gather(
            *(extend_environment(each, viewer, made.id, HOUR, "k") for each in processes for _ in range(5))
        )
        assert len({each.expires_at for each in answers}) == 1
        assert await history(processes[0], made) == ["extend"]
