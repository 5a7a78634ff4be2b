"""The life of an experiment: asked for, queued, conducted, told of, or cancelled."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.operations.experiment_world import Noting, asked, claimed, conduct_all, now_stored, planned, told, until
from tests.operations.inboxes import inbox
from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ForbiddenError, NotFoundError, QuotaError, ValidationError
from windtunnel.domain.experiments import ExperimentStatus as S
from windtunnel.domain.experiments import findings_to_json
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.policy import EXPERIMENTS_RUNNING_PER_TENANT, LEASE_MS
from windtunnel.domain.viewers import Role
from windtunnel.operations.cancel_experiment import cancel_experiment
from windtunnel.operations.conduct_experiment import CONDUCTORS_MAX, GIVEN_UP, conduct_experiment
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.storage import architectures, audit, experiment_care, experiment_changes, experiments

VARIANT: dict[str, Any] = {"nodes": {}}


async def test_it_is_queued_conducted_and_told_of(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        made = await asked(services, viewer, variant={"nodes": {}})
        assert (made.status, made.progress, made.last_seq, made.findings) == (S.QUEUED, 0.0, 1, None)
        following = asyncio.create_task(told(services, viewer, made))
        await conduct_all(services)
        events = await following
        ended = await now_stored(services, made)
        assert (ended.status, ended.progress, ended.failure, ended.lease_owner) == (S.SUCCEEDED, 1.0, None, None)
        assert [event.seq for event in events] == list(range(1, ended.last_seq + 1))
        assert [event.status for event in events][:2] == [S.QUEUED, S.RUNNING]
        assert (events[-1].status, events[-1].progress) == (S.SUCCEEDED, 1.0)
        assert [event.progress for event in events] == sorted(event.progress for event in events)
        assert ended.findings is not None
        assert ended.findings.difference is not None
        assert ended.findings.difference.success_rate.mean == 0.0  # nothing differs, and the numbers are common
        assert await experiment_changes.parts_done(services.store, made) == set()
        (notice,) = [
            each for each in await inbox(services, viewer) if each.kind is NotificationKind.EXPERIMENT_FINISHED
        ]
        assert notice.subject == Subject(Kind.EXPERIMENT, made.id)
        assert notice.body.startswith("6 replications of 20 tasks: success ")
        entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
        about = [(each.action, each.actor_id) for each in entries if each.subject_id == made.id]
        assert about == [("EXPERIMENT_RUN", viewer.user.id), ("EXPERIMENT_FINISHED", None)]


async def test_whoever_takes_over_does_only_the_rest_and_finds_the_same(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        architecture_id = await planned(one, viewer)
        undisturbed = await asked(one, viewer, architecture_id, variant=VARIANT)
        await conduct_all(one)
        disturbed = await asked(one, viewer, architecture_id, variant=VARIANT)
        (taken,) = await claimed(one)
        dying = asyncio.create_task(conduct_experiment(replace(one, crew=Noting(one.crew, most=3)), taken))
        await until(one, viewer, disturbed, lambda event: event.progress > 0)
        dying.cancel()  # as kill -9: nothing is released, nothing more is stored
        await asyncio.wait([dying])
        assert await claimed(two) == []  # the lease is not over
        two.store.clock_offset = timedelta(milliseconds=LEASE_MS + 1)
        before = await experiment_changes.parts_done(one.store, taken)
        assert before
        (rescued,) = await claimed(two)
        assert rescued.fence == taken.fence + 1
        noting = Noting(two.crew)
        await conduct_experiment(replace(two, crew=noting), rescued)
        assert noting.parts
        assert before.isdisjoint(noting.parts)
        expected, found = await now_stored(two, undisturbed), await now_stored(two, disturbed)
        assert found.status is S.SUCCEEDED
        assert expected.findings is not None
        assert found.findings is not None
        assert findings_to_json(found.findings) == findings_to_json(expected.findings)
        await conduct_experiment(one, taken)  # what wakes up later changes nothing
        assert await now_stored(two, disturbed) == found
        events = await told(two, viewer, disturbed)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_cancelling_ends_it_whoever_conducts_it(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        architecture_id = await planned(services, viewer)
        waiting = await asked(services, viewer, architecture_id)
        ended = await cancel_experiment(services, viewer, waiting.id)
        assert (ended.status, ended.finished_at is None, ended.lease_owner) == (S.CANCELLED, False, None)
        assert await cancel_experiment(services, viewer, waiting.id) == ended
        running = await asked(services, viewer, architecture_id)
        (taken,) = await claimed(services)
        conducting = asyncio.create_task(
            conduct_experiment(replace(services, crew=Noting(services.crew, most=0)), taken)
        )
        await until(services, viewer, running, lambda event: event.status is S.RUNNING)
        await cancel_experiment(services, viewer, running.id)
        async with asyncio.timeout(5):
            await conducting  # it is told at once, and stops by itself
        events = await told(services, viewer, running)
        assert [event.status for event in events][-1] is S.CANCELLED
        assert await experiment_changes.parts_done(services.store, running) == set()
        entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
        assert [each.action for each in entries if each.subject_id == running.id] == [
            "EXPERIMENT_RUN",
            "EXPERIMENT_CANCELLED",
        ]
        succeeded = await asked(services, viewer, architecture_id)
        await conduct_all(services)
        with pytest.raises(ConflictError) as conflict:
            await cancel_experiment(services, viewer, succeeded.id)
        assert conflict.value.current == S.SUCCEEDED


BAD: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"replications": 0}, ("replications",)),
    ({"replications": 10_001}, ("replications",)),
    ({"tasks": 100_001}, ("tasks",)),
    ({"replications": 10_000, "tasks": 5_001}, ("replications",)),
    ({"arrival_rate": 0.0}, ("arrival_rate",)),
    ({"arrival_rate": float("inf")}, ("arrival_rate",)),
    ({"seed": 2**31}, ("seed",)),
    ({"overrides": {"nodes": {"nobody": {}}}}, ("overrides", "nodes", "nobody")),
    ({"variant": {"nodes": {"nobody": {}}}}, ("variant", "nodes", "nobody")),
    ({"variant": {"agents": {}}}, ("variant",)),
]


async def test_what_makes_no_sense_is_refused_and_nothing_is_stored(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        theirs = await stranger(services.store)
        architecture_id = await planned(services, viewer)
        for wrong, path in BAD:
            with pytest.raises(ValidationError) as refused:
                await asked(services, viewer, architecture_id, **wrong)
            assert (refused.value.path or ())[: 1 + len(path)] == ("input", *path)
        with pytest.raises(NotFoundError):
            await asked(services, theirs, architecture_id)
        with pytest.raises(ForbiddenError):
            await asked(services, replace(viewer, roles=frozenset({Role.AUDITOR})), architecture_id)
        assert await experiments.open_of(services.store, viewer.tenant_id) == 0


async def test_a_key_leads_to_one_experiment(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        architecture_id = await planned(services, viewer)
        first = await asked(services, viewer, architecture_id, idempotency_key="k", seed=None)
        assert await asked(services, viewer, architecture_id, idempotency_key="k", seed=None) == first
        with pytest.raises(ConflictError):
            await asked(services, viewer, architecture_id, idempotency_key="k", seed=1)


async def test_tenants_take_turns_and_none_has_more_than_its_share(database_url: str) -> None:
    async with process(database_url) as services:
        viewer, theirs = await demo(services), await stranger(services.store)
        architecture_id, other_id = await planned(services, viewer), await planned(services, theirs)
        mine = [await asked(services, viewer, architecture_id) for _ in range(EXPERIMENTS_RUNNING_PER_TENANT + 2)]
        other = await asked(services, theirs, other_id)
        assert {each.id for each in await experiment_care.claim(services.store, "one", 2)} == {mine[0].id, other.id}
        assert len(await experiment_care.claim(services.store, "one", 100)) == EXPERIMENTS_RUNNING_PER_TENANT - 1
        assert await experiment_care.claim(services.store, "two", 100) == []
        for each in (mine[0], other):
            assert await experiments.get(services.store, each.tenant_id, each.id) is not None
        assert await experiments.get(services.store, viewer.tenant_id, other.id) is None


async def test_too_many_at_a_time_are_refused(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.operations.run_experiment.EXPERIMENTS_WAITING_PER_TENANT", 2)
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        architecture_id = await planned(services, viewer)
        first = await asked(services, viewer, architecture_id)
        await asked(services, viewer, architecture_id)
        with pytest.raises(QuotaError) as refused:
            await asked(services, viewer, architecture_id)
        assert (refused.value.limit, refused.value.used) == (2, 2)
        await cancel_experiment(services, viewer, first.id)
        await asked(services, viewer, architecture_id)


async def test_it_goes_with_its_scenario(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        architecture_id = await planned(services, viewer)
        stored = (await architectures.get_many(services.store, viewer.tenant_id, [architecture_id]))[architecture_id]
        experiment = await asked(services, viewer, architecture_id)
        (taken,) = await claimed(services)
        await delete_scenario(services, viewer, stored.scenario_id or "")
        assert await experiments.get(services.store, viewer.tenant_id, experiment.id) is None
        await conduct_experiment(services, taken)
        with pytest.raises(NotFoundError):
            await told(services, viewer, experiment)


async def test_one_that_nobody_can_finish_is_given_up(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        experiment = await asked(services, viewer)
        await services.store.of(viewer.tenant_id).fetch(
            "UPDATE experiments SET fence = $1 WHERE tenant_id = $2", CONDUCTORS_MAX, viewer.tenant_id
        )
        await conduct_all(services)
        ended = await now_stored(services, experiment)
        assert (ended.status, ended.failure) == (S.FAILED, GIVEN_UP)
        (notice,) = [each for each in await inbox(services, viewer) if each.subject.id == experiment.id]
        assert notice.title == "Experiment failed"


async def test_following_again_tells_nothing_twice(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        experiment = await asked(services, viewer)
        await conduct_all(services)
        everything = await told(services, viewer, experiment)
        assert await told(services, viewer, experiment, after=1) == everything[1:]
        assert await told(services, viewer, experiment, after=everything[-1].seq) == []
        assert await told(services, viewer, experiment, after=None) == []
