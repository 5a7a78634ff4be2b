"""Approving: votes for exactly these bytes, by as many other people as the policy wants, each once, in time."""

from datetime import timedelta
from typing import Any

import pytest

from tests.operations.inboxes import inbox
from tests.operations.pipeline_world import stored, told
from tests.operations.review_world import approve, by_token, person, reject, review_of, reviewable
from tests.operations.test_api_tokens import trail
from tests.operations.world import demo, process
from tests.packages.world import MANIFEST
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    PolicyError,
    WindtunnelError,
)
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.reviews import QueueChange, ReviewStatus
from windtunnel.domain.viewers import Role
from windtunnel.operations.services import Services
from windtunnel.storage import people, reviews, tenant_logs

RESTRICTED: dict[str, Any] = {"data": MANIFEST["data"] | {"classification": "restricted"}}
DAY = timedelta(days=1)


async def actions(services: Services, deployment_id: str) -> list[AuditAction]:
    entries = await trail(services, await demo(services))
    return [AuditAction(entry.action) for entry in entries if entry.subject_id == deployment_id]


async def test_one_vote_of_another_person_approves(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev)
        made = await approve(services, ada, asked, comment="  Looks right.  ")
        assert made == await stored(services, asked)
        assert (made.status, made.quorum, made.approval) == (S.APPROVED, 1, None)
        assert made.approved_at is not None
        assert made.execute_by == made.approved_at + DAY
        review = await review_of(services, asked)
        assert (review.status, review.comment) == (ReviewStatus.APPROVED, "Looks right.")
        votes = (await reviews.votes(services.store, dev.tenant_id, [review.id]))[review.id]
        assert [(vote.person_id, vote.reviewed_digest, vote.comment) for vote in votes] == [
            (ada.user.id, asked.package_digest, "Looks right.")
        ]
        assert (await told(services, made))[-1].actor_id == ada.user.id
        assert (await told(services, made))[-1].status is S.APPROVED
        moves = await tenant_logs.read_queue(services.store, dev.tenant_id, 0, 10)
        assert [move.change for move in moves] == [QueueChange.DECIDED]
        last = (await inbox(services, dev))[-1]
        assert (last.kind, last.subject.id, last.body) == (
            NotificationKind.DEPLOYMENT_APPROVED,
            asked.id,
            "Looks right.",
        )
        assert (await actions(services, asked.id))[-2:] == [AuditAction.REVIEW_VOTED, AuditAction.DEPLOYMENT_APPROVED]


async def test_restricted_data_need_two_people(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, bob = await person(services, dev, "ada@example.org"), await person(services, dev, "bob@example.org")
        asked = await reviewable(services, dev, **RESTRICTED)
        assert asked.quorum == 2
        assert (await approve(services, ada, asked)).status is S.IN_REVIEW
        with pytest.raises(ConflictError, match="voted"):
            await approve(services, ada, asked)
        with pytest.raises(ConflictError, match="voted"):
            await reject(services, ada, asked)
        assert (await stored(services, asked)).status is S.IN_REVIEW
        assert (await approve(services, bob, asked)).status is S.APPROVED
        decided = await actions(services, asked.id)
        assert decided.count(AuditAction.REVIEW_VOTED) == 2
        assert decided.count(AuditAction.DEPLOYMENT_APPROVED) == 1


async def test_who_is_no_reviewer_any_more_does_not_count(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, bob, eve = [await person(services, dev, f"{name}@example.org") for name in ("ada", "bob", "eve")]
        asked = await reviewable(services, dev, **RESTRICTED)
        await approve(services, ada, asked)
        async with services.store.transaction(dev.tenant_id):
            await people.set_roles(services.store, dev.tenant_id, ada.user.id, {Role.DEVELOPER})
        assert (await approve(services, bob, asked)).status is S.IN_REVIEW
        assert (await approve(services, eve, asked)).status is S.APPROVED


async def test_two_names_of_one_person_are_one(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        boss = await person(services, dev, "boss@example.org", Role.ADMIN, Role.SECURITY_REVIEWER)
        ada, bob, eve = [await person(services, dev, f"{name}@example.org") for name in ("ada", "bob", "eve")]
        asked = await reviewable(services, dev, **RESTRICTED)
        await approve(services, await by_token(services, boss, ada), asked)
        for other in (await by_token(services, boss, bob), boss, ada):
            with pytest.raises(ConflictError, match="You have voted"):
                await approve(services, other, asked)
        assert (await approve(services, eve, asked)).status is S.APPROVED


async def test_what_was_read_is_what_is_approved(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked, other = await reviewable(services, dev), await reviewable(services, dev)
        with pytest.raises(ConflictError) as refused:
            await approve(services, ada, asked, reviewed_digest=other.package_digest)
        assert (refused.value.code, refused.value.path) == (ErrorCode.DIGEST_MISMATCH, ("input", "reviewed_digest"))
        assert (await stored(services, asked)).status is S.IN_REVIEW


async def test_a_vote_that_comes_too_late(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        for vote in (approve, reject):
            services.store.clock_offset = timedelta(0)
            asked = await reviewable(services, dev)
            services.store.clock_offset = DAY + timedelta(milliseconds=1)
            for _ in range(2):
                with pytest.raises(ConflictError) as refused:
                    await vote(services, ada, asked)
                assert refused.value.code is ErrorCode.REVIEW_EXPIRED
            assert (await stored(services, asked)).status is S.EXPIRED
            assert (await review_of(services, asked)).status is ReviewStatus.EXPIRED
            assert (await actions(services, asked.id)).count(AuditAction.REVIEW_EXPIRED) == 1


async def test_asked_again_it_is_the_same_vote(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev)
        made = await approve(services, ada, asked, idempotency_key="k")
        assert await approve(services, ada, asked, idempotency_key="k") == made
        with pytest.raises(ConflictError) as refused:
            await approve(services, ada, asked, idempotency_key="k", comment="Another one.")
        assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
        assert (await actions(services, asked.id)).count(AuditAction.REVIEW_VOTED) == 1


async def test_what_is_held_waits_although_it_is_approved(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev)
        await services.store.of(dev.tenant_id).fetch(
            "UPDATE agents SET held_by = $2, held_ms = {now} WHERE id = $1", asked.agent_id, asked.id
        )
        made = await approve(services, ada, asked)
        assert (made.status, made.due_at) == (S.HELD, made.execute_by)
        assert (await actions(services, asked.id))[-1] is AuditAction.DEPLOYMENT_HELD
        assert (await inbox(services, dev))[-1].kind is NotificationKind.DEPLOYMENT_HELD


async def test_who_may_not_vote_at_all(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        asked = await reviewable(services, dev)
        for role in set(Role) - {Role.SECURITY_REVIEWER}:
            other = await person(services, dev, f"{role.lower()}@example.org", role)
            for vote in (approve, reject):
                with pytest.raises(ForbiddenError):
                    await vote(services, other, asked)
        with pytest.raises(NotFoundError):
            await approve(services, await stranger(services.store), asked)
        assert (await stored(services, asked)).status is S.IN_REVIEW


async def test_what_is_not_in_review(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, bob = await person(services, dev, "ada@example.org"), await person(services, dev, "bob@example.org")
        asked = await reviewable(services, dev)
        await reject(services, ada, asked)
        refusals: list[WindtunnelError] = []
        for vote in (approve, reject):
            with pytest.raises(ConflictError) as refused:
                await vote(services, bob, asked)
            refusals.append(refused.value)
        assert [refusal.code for refusal in refusals] == [ErrorCode.CONFLICT] * 2
        assert (await stored(services, asked)).status is S.REJECTED


async def test_the_database_says_so_too(unguarded: Any, database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        asked = await reviewable(services, dev)
        with pytest.raises(Exception, match="an approval needs its votes"):
            await unguarded.of(dev.tenant_id).fetch(
                "UPDATE deployments SET status = 'APPROVED', approved_ms = {now}, execute_by_ms = {now} WHERE id = $1",
                asked.id,
            )
        with pytest.raises(PolicyError):
            await approve(services, dev, asked)
