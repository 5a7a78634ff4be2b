"""Withdrawing a deployment: before it is decided, by its submitter or an ADMIN, and with its review."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.operations.pipeline_world import approved, became, in_review, registered, stored, submitted, told
from tests.operations.world import demo, process
from tests.storage.worlds import colleague, stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    PolicyError,
    ValidationError,
)
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.reviews import QueueChange, ReviewStatus
from windtunnel.domain.viewers import Role
from windtunnel.operations.withdraw_deployment import withdraw_deployment
from windtunnel.storage import audit, notifications, people, reviews, tenant_logs


async def test_it_ends_with_its_review_and_the_reviewers_hear_of_it(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        reviewer = await colleague(one.store, viewer)
        made = await in_review(one, viewer)
        ended = await withdraw_deployment(one, viewer, made.id, "  Not needed. ")
        assert ended == await stored(one, made)
        assert (ended.status, ended.lease_owner) == (S.WITHDRAWN, None)
        assert ended.finished_at is not None
        review = (await reviews.of_deployments(one.store, viewer.tenant_id, [made.id]))[made.id]
        assert (review.status, review.comment) == (ReviewStatus.WITHDRAWN, "Not needed.")
        assert review.decided_at is not None
        (moved,) = await tenant_logs.read_queue(one.store, viewer.tenant_id, 0, 10)
        assert (moved.change, moved.review_id) == (QueueChange.WITHDRAWN, review.id)
        (notice,) = await notifications.read(one.store, viewer.tenant_id, reviewer.user.id, 0, 10)
        assert notice.kind is NotificationKind.DEPLOYMENT_WITHDRAWN
        assert notice.subject.id == made.id
        assert "Not needed." in notice.body
        assert await notifications.last_seq(one.store, viewer.tenant_id, viewer.user.id) == 0
        entry = (await audit.read(one.store, viewer.tenant_id, 0, 100))[-1]
        assert (entry.action, entry.reason, json.loads(entry.details)) == (
            AuditAction.DEPLOYMENT_WITHDRAWN,
            "Not needed.",
            {"from": "IN_REVIEW"},
        )
        last = (await told(one, made))[-1]
        assert (last.status, last.step, last.actor_id) == (S.WITHDRAWN, "withdraw", viewer.user.id)
        assert last.message == "The deployment was withdrawn: Not needed."


@pytest.mark.parametrize("statuses", [(), (S.VALIDATING,)])
async def test_before_its_review_there_is_nobody_to_tell(database_url: str, statuses: tuple[S, ...]) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        reviewer = await colleague(one.store, viewer)
        made = await became(one, await submitted(one, viewer), *statuses)
        assert (await withdraw_deployment(one, viewer, made.id)).status is S.WITHDRAWN
        assert await tenant_logs.last_queue(one.store, viewer.tenant_id) == 0
        assert await notifications.last_seq(one.store, viewer.tenant_id, reviewer.user.id) == 0


async def test_an_admin_may_and_the_submitter_hears_of_it(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        admin = replace(await colleague(one.store, viewer), roles=frozenset({Role.ADMIN}))
        made = await submitted(one, viewer)
        await withdraw_deployment(one, admin, made.id)
        (notice,) = await notifications.read(one.store, viewer.tenant_id, viewer.user.id, 0, 10)
        assert notice.kind is NotificationKind.DEPLOYMENT_WITHDRAWN


async def test_others_may_not_and_their_attempt_is_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, eve = await demo(one), await stranger(one.store)
        bo = await colleague(one.store, viewer)
        made = await submitted(one, viewer)
        with pytest.raises(PolicyError) as refused:
            await withdraw_deployment(one, replace(bo, roles=frozenset({Role.DEVELOPER})), made.id)
        assert refused.value.code is ErrorCode.POLICY_VIOLATION
        entry = (await audit.read(one.store, viewer.tenant_id, 0, 100))[-1]
        assert (entry.action, entry.subject_id, entry.actor_id) == (
            AuditAction.ACCESS_DENIED,
            made.id,
            bo.user.id,
        )
        async with one.store.transaction(bo.tenant_id):  # who is ADMIN no longer may not, whatever they could
            await people.set_roles(one.store, bo.tenant_id, bo.user.id, {Role.DEVELOPER})
        with pytest.raises(PolicyError):
            await withdraw_deployment(one, bo, made.id)
        for role in set(Role) - {Role.DEVELOPER, Role.ADMIN}:
            with pytest.raises(ForbiddenError):
                await withdraw_deployment(one, replace(viewer, roles=frozenset({role})), made.id)
        for who, unknown in ((eve, made.id), (viewer, "x"), (viewer, ""), (viewer, "\ud800")):
            with pytest.raises(NotFoundError):
                await withdraw_deployment(one, who, unknown)
        assert await stored(one, made) == made


async def test_what_is_decided_cannot_be_withdrawn(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await registered(one, viewer)
        made = await approved(one, viewer, agent)
        invalid = await became(one, await submitted(one, viewer, agent), S.VALIDATING, S.INVALID)
        gone = await submitted(one, viewer, agent)
        await withdraw_deployment(one, viewer, gone.id)
        for each in (made, invalid, gone):
            before = await stored(one, each)
            with pytest.raises(ConflictError) as refused:
                await withdraw_deployment(one, viewer, each.id)
            assert refused.value.current == before.status.value
            assert refused.value.allowed == ("IN_REVIEW", "SUBMITTED", "VALIDATING")
            assert await stored(one, each) == before


async def test_too_late_it_has_expired(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await in_review(one, viewer)
        one.store.clock_offset += timedelta(days=1)
        for _ in range(2):
            with pytest.raises(ConflictError) as refused:
                await withdraw_deployment(one, viewer, made.id)
            assert refused.value.code is ErrorCode.REVIEW_EXPIRED
            assert (await stored(one, made)).status is S.EXPIRED
        assert [event.status for event in await told(one, made)].count(S.EXPIRED) == 1


async def test_a_key_makes_it_one_request(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await submitted(one, viewer)
        first = await withdraw_deployment(one, viewer, made.id, "Because.", "k")
        assert await withdraw_deployment(one, viewer, made.id, "Because.", "k") == first
        with pytest.raises(ConflictError) as refused:
            await withdraw_deployment(one, viewer, made.id, "Else.", "k")
        assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH


async def test_of_many_at_once_one_does_it(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, bus=one.bus, owner="two") as two:
        viewer = await demo(one)
        made = await in_review(one, viewer)
        outcomes = await asyncio.gather(
            *(withdraw_deployment(each, viewer, made.id) for each in (one, two) * 4), return_exceptions=True
        )
        assert sum(isinstance(each, ConflictError) for each in outcomes) == 7
        entries = await audit.read(one.store, viewer.tenant_id, 0, 100)
        assert sum(entry.action == AuditAction.DEPLOYMENT_WITHDRAWN for entry in entries) == 1
        assert await tenant_logs.last_queue(one.store, viewer.tenant_id) == 1


@pytest.mark.parametrize("reason", ["x" * 2_001, "\ud800", "\0"])
async def test_a_reason_that_cannot_be_kept_is_refused(sqlite_url: str, reason: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        made = await submitted(one, viewer)
        with pytest.raises(ValidationError) as refused:
            await withdraw_deployment(one, viewer, made.id, reason)
        assert refused.value.path == ("input", "reason")
