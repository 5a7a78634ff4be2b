"""Rollbacks: accepted as one, at most one at a time, inside the window, and nothing older slips through."""

import asyncio
import json
from datetime import timedelta

import pytest

from tests.operations.inboxes import inbox
from tests.operations.pipeline_world import became, registered, stored, told
from tests.operations.releases_world import (
    REASON,
    agent_with,
    approved,
    as_stored,
    claimed,
    go_live,
    live,
    on_record,
    pointer_of,
    production_events,
    reviewed,
    rolled,
    states,
    switch,
    versions_of,
)
from tests.operations.world import demo, process
from tests.storage.worlds import colleague, stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    PolicyError,
    ValidationError,
)
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.rollbacks import ProductionEventKind, RollbackStatus, is_held
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.restoring import complete
from windtunnel.operations.rollback_deployment import RollbackRequest, rollback_deployment
from windtunnel.storage import rollbacks, workflows

WINDOW = timedelta(days=30)


async def test_what_was_before_is_restored(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await registered(one, viewer)
        first, second = await live(one, viewer, agent, "1.0.0", "2.0.0")
        before = await pointer_of(one, agent)

        rollback = await rolled(one, viewer, agent)
        assert (rollback.status, rollback.deployment_id) == (RollbackStatus.RUNNING, second.id)
        assert (rollback.reason, rollback.requested_by) == (REASON, viewer.user.id)
        assert rollback.deadline - rollback.started_at == timedelta(seconds=60)
        accepted = await pointer_of(one, agent)
        assert (accepted.fence, accepted.version_id) == (before.fence + 1, before.version_id)
        assert (await as_stored(one, agent)).held_by == rollback.id
        assert (await told(one, second))[-1].step == "rollback"

        pointer = await complete(one, await claimed(one))
        versions = await versions_of(one, agent)
        assert await states(one, agent) == {"1.0.0": "LIVE", "2.0.0": "QUARANTINED"}
        assert versions["2.0.0"].quarantine_reason == REASON
        assert (pointer.version_id, pointer.deployment_id) == (versions["1.0.0"].id, first.id)
        assert pointer.release_seq == before.release_seq + 1
        assert versions["1.0.0"].version_seq == 1
        restored, away = await stored(one, first), await stored(one, second)
        assert (restored.status, restored.finished_at) == (S.LIVE, None)
        assert (away.status, away.finished_at is not None) == (S.ROLLED_BACK, True)
        done = await rollbacks.get(one.store, viewer.tenant_id, rollback.id)
        assert done
        assert (done.status, done.failure) == (RollbackStatus.SUCCEEDED, None)
        assert done.duration_ms is not None
        assert 0 <= done.duration_ms < 60_000
        assert (await rollbacks.of_deployments(one.store, viewer.tenant_id, [second.id]))[second.id] == [done]
        # The specification's second rollback to the same version: it is found again.
        await live(one, viewer, agent, "3.0.0")
        await rolled(one, viewer, agent)
        await complete(one, await claimed(one))
        assert (await states(one, agent))["1.0.0"] == "LIVE"


async def test_everybody_hears_of_it_and_it_is_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        operator = await colleague(one.store, viewer, "Op")
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        versions = await versions_of(one, agent)
        first, second = versions["1.0.0"], versions["2.0.0"]
        await workflows.follows(one.store, viewer.tenant_id, "stream", operator.user.id)
        await workflows.follows(one.store, viewer.tenant_id, "other", viewer.user.id, ["another agent"])

        rollback = await rolled(one, operator, agent)
        assert rollback.notified == (Subject(Kind.USER, operator.user.id).global_id,)
        await complete(one, await claimed(one))

        kinds = [(event.kind, event.version_id, event.previous_id) for event in await production_events(one, viewer)]
        assert kinds == [
            (ProductionEventKind.ROLLBACK_STARTED, first.id, second.id),
            (ProductionEventKind.ROLLBACK_COMPLETED, first.id, second.id),
        ]
        for person in (viewer, operator):
            heard = [
                each.kind for each in await inbox(one, person) if each.subject == Subject(Kind.ROLLBACK, rollback.id)
            ]
            assert heard == [NotificationKind.ROLLBACK_STARTED, NotificationKind.ROLLBACK_COMPLETED]
        entries = (await on_record(one, viewer))[-4:]
        assert [(entry.action, entry.actor_id) for entry in entries] == [
            (AuditAction.HOLD_PLACED, operator.user.id),
            (AuditAction.ROLLBACK_STARTED, operator.user.id),
            (AuditAction.VERSION_QUARANTINED, None),
            (AuditAction.ROLLBACK_COMPLETED, None),
        ]
        assert {entry.reason for entry in entries} == {REASON}
        details = json.loads(entries[1].details)
        assert (details["fromVersion"], details["toVersion"]) == ("2.0.0", "1.0.0")
        assert details["notifiedWorkflows"] == list(rollback.notified)


async def test_what_was_submitted_before_is_held_and_what_comes_after_passes(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        waiting = await approved(one, viewer, agent, "3.0.0")
        failed = await became(one, await approved(one, viewer, agent, "4.0.0"), S.DEPLOYING, S.DEPLOY_FAILED)
        under_way = await became(one, await approved(one, viewer, agent, "5.0.0"), S.DEPLOYING)
        undecided = await reviewed(one, viewer, agent, "6.0.0")

        rollback = await rolled(one, viewer, agent)
        for deployment in (waiting, failed, under_way):
            now = await stored(one, deployment)
            assert now.status is S.HELD
            assert (await told(one, deployment))[-1].step == "held"
        assert [(await stored(one, each)).attempts for each in (waiting, failed, under_way)] == [0, 1, 0]
        held = [each for each in await inbox(one, viewer) if each.kind is NotificationKind.DEPLOYMENT_HELD]
        assert {each.title for each in held} == {f"Deployment held back: {agent.name} {n}.0.0" for n in (3, 4, 5)}
        entries = [each for each in await on_record(one, viewer) if each.action == AuditAction.DEPLOYMENT_HELD]
        assert [each.subject_id for each in entries] == [waiting.id, failed.id, under_way.id]

        one.store.clock_offset += timedelta(milliseconds=5)
        later = await reviewed(one, viewer, agent, "7.0.0")
        agent = await as_stored(one, agent)
        assert agent.held_by == rollback.id
        assert is_held(agent, await stored(one, undecided))
        assert not is_held(agent, later)
        await complete(one, await claimed(one))
        assert await go_live(one, await became(one, later, S.APPROVED)) is not None


async def test_a_deployment_under_way_loses_to_a_rollback(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        deploying = await became(one, await approved(one, viewer, agent, "3.0.0"), S.DEPLOYING)
        fence = (await pointer_of(one, agent)).fence
        await rolled(one, viewer, agent)
        assert await switch(one, deploying, fence) is None
        one.store.clock_offset += timedelta(milliseconds=5)
        later = await approved(one, viewer, agent, "4.0.0")
        assert await go_live(one, later) is None  # not while it runs: it could not end any more
        await complete(one, await claimed(one))
        assert (await states(one, agent))["1.0.0"] == "LIVE"


async def test_only_what_is_eligible_is_restored(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0", "3.0.0")
        other = await agent_with(one, viewer, "9.0.0")
        await approved(one, viewer, agent, "4.0.0")
        await rolled(one, viewer, agent)
        await complete(one, await claimed(one))

        for number, code in (("2.0.0", "LIVE"), ("3.0.0", "QUARANTINED"), ("4.0.0", "CANDIDATE")):
            with pytest.raises(ConflictError) as refused:
                await rolled(one, viewer, agent, number)
            assert (refused.value.code, refused.value.current) == (ErrorCode.ROLLBACK_INELIGIBLE, code)
        foreign = (await versions_of(one, other))["9.0.0"].id
        for unknown in (foreign, "nobody's"):
            with pytest.raises(NotFoundError):
                await rollback_deployment(one, viewer, RollbackRequest(agent.id, REASON, unknown))
        with pytest.raises(NotFoundError):
            await rollback_deployment(one, await stranger(one.store), RollbackRequest(agent.id, REASON))
        with pytest.raises(ConflictError) as alone:
            await rolled(one, viewer, other)
        assert alone.value.code is ErrorCode.ROLLBACK_INELIGIBLE
        nothing = await registered(one, viewer, "nothing")
        with pytest.raises(ConflictError) as empty:
            await rolled(one, viewer, nothing)
        assert empty.value.current == "NOTHING_LIVE"
        for reason in ("too short", " " * 20, "x" * 2_001, "nul \0 in a reason"):
            with pytest.raises(ValidationError):
                await rollback_deployment(one, viewer, RollbackRequest(agent.id, reason))
        developer = Viewer(viewer.user, viewer.tenant, frozenset({Role.DEVELOPER, Role.SECURITY_REVIEWER}))
        with pytest.raises(ForbiddenError):
            await rolled(one, developer, agent)


async def test_after_thirty_days_to_the_millisecond_it_is_too_late(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        since = (await pointer_of(one, agent)).live_since
        assert since
        one.store.clock_offset += since + WINDOW - await one.store.now()
        for to in (None, "1.0.0"):
            with pytest.raises(PolicyError) as refused:
                await rolled(one, viewer, agent, to)
            assert refused.value.code is ErrorCode.ROLLBACK_WINDOW_CLOSED
        one.store.clock_offset -= timedelta(seconds=30)
        assert (await rolled(one, viewer, agent)).status is RollbackStatus.RUNNING


async def test_two_rollbacks_at_once_are_one_or_a_conflict(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        for _ in range(3):
            agent = await agent_with(one, viewer, "1.0.0", "2.0.0", "3.0.0")
            asked = await asyncio.gather(
                rolled(one, viewer, agent, "1.0.0"),
                rolled(two, viewer, agent, "2.0.0"),
                rolled(two, viewer, agent, "1.0.0"),
                return_exceptions=True,
            )
            accepted = {each.id for each in asked if not isinstance(each, BaseException)}
            refused = [each for each in asked if isinstance(each, BaseException)]
            assert len(accepted) == 1
            assert refused
            assert all(isinstance(each, ConflictError) for each in refused)
            started = [each for each in await on_record(one, viewer) if each.action == AuditAction.ROLLBACK_STARTED]
            assert [each.subject_id for each in started if each.subject_id in accepted] == [*accepted]
            await complete(one, await claimed(one))


async def test_asked_again_with_its_key_it_is_the_same_one(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        first = await rolled(one, viewer, agent, idempotency_key="k")
        await complete(one, await claimed(one))
        again = await rolled(one, viewer, agent, idempotency_key="k")
        assert (again.id, again.status) == (first.id, RollbackStatus.SUCCEEDED)
        with pytest.raises(ConflictError) as other:
            await rollback_deployment(one, viewer, RollbackRequest(agent.id, "Something else.", None, "k"))
        assert other.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
