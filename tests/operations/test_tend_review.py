"""What time does to a review: reminders, ADMINs are told, it expires; once, however many look."""

import asyncio
from datetime import datetime, timedelta

from tests.operations.inboxes import inbox
from tests.operations.pipeline_world import stored, told
from tests.operations.review_world import approve, person, review_of, reviewable
from tests.operations.test_api_tokens import trail
from tests.operations.test_approve_deployment import RESTRICTED
from tests.operations.world import demo, process
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.notifications import NotificationKind as N
from windtunnel.domain.reviews import QueueChange, ReviewStatus
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.services import Services
from windtunnel.operations.tend_review import tend_review
from windtunnel.storage import tenant_logs

HOUR = timedelta(hours=1)


async def kinds(services: Services, viewer: Viewer) -> list[N]:
    return [each.kind for each in await inbox(services, viewer)]


async def due_after(services: Services, deployment: Deployment, queued_at: datetime) -> timedelta:
    return (await stored(services, deployment)).due_at - queued_at


async def test_reviewers_are_reminded_and_admins_told(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, bob = await person(services, dev, "ada@example.org"), await person(services, dev, "bob@example.org")
        boss = await person(services, dev, "boss@example.org", Role.ADMIN)
        asked = await reviewable(services, dev, **RESTRICTED)
        review = await review_of(services, asked)
        begun = asked.due_at - 12 * HOUR
        assert begun == review.queued_at
        assert not await tend_review(services, dev.tenant_id, asked.id)
        await approve(services, bob, asked)
        for hours, reminded, next_due in ((12.1, 1, 19.2), (19.3, 2, 22.8), (22.9, 3, 24)):
            services.store.clock_offset = hours * HOUR
            assert await tend_review(services, dev.tenant_id, asked.id)
            assert not await tend_review(services, dev.tenant_id, asked.id)
            assert (await review_of(services, asked)).reminded == reminded
            assert await due_after(services, asked, begun) == next_due * HOUR
        assert (await kinds(services, ada)).count(N.REVIEW_EXPIRING) == 3
        assert await kinds(services, bob) == []
        assert (await kinds(services, boss)).count(N.REVIEW_EXPIRING) == 2
        assert (
            "1 h 06 min" in (await inbox(services, ada))[-1].body or "1 h 05" in (await inbox(services, ada))[-1].body
        )
        services.store.clock_offset = 24 * HOUR
        assert await tend_review(services, dev.tenant_id, asked.id)
        assert not await tend_review(services, dev.tenant_id, asked.id)
        made = await stored(services, asked)
        assert (made.status, made.finished_at is None) == (S.EXPIRED, False)
        assert (await review_of(services, asked)).status is ReviewStatus.EXPIRED
        for viewer in (dev, ada, bob):
            assert (await kinds(services, viewer))[-1] is N.REVIEW_EXPIRED
        assert (await told(services, made))[-1].actor_id is None
        entries = [each for each in await trail(services, dev) if each.action == AuditAction.REVIEW_EXPIRED]
        assert [(each.subject_id, each.actor_id) for each in entries] == [(asked.id, None)]
        moves = await tenant_logs.read_queue(services.store, dev.tenant_id, 0, 10)
        assert moves[-1].change is QueueChange.EXPIRED


async def test_reminders_that_were_missed_are_one(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev)
        services.store.clock_offset = 23 * HOUR
        assert await tend_review(services, dev.tenant_id, asked.id)
        assert await kinds(services, ada) == [N.REVIEW_EXPIRING]
        assert (await review_of(services, asked)).reminded == 3


async def test_of_all_who_look_at_once_one_does_it(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as services, process(postgres_database_url, owner="two") as others:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev)
        for hours in (13, 20, 25):
            for each in (services, others):
                each.store.clock_offset = hours * HOUR
            looks = [tend_review(each, dev.tenant_id, asked.id) for each in (services, others) * 3]
            assert sorted(await asyncio.gather(*looks)) == [False] * 5 + [True]
        assert await kinds(services, ada) == [N.REVIEW_EXPIRING, N.REVIEW_EXPIRING, N.REVIEW_EXPIRED]


async def test_what_is_decided_is_left_alone(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev)
        made = await approve(services, ada, asked)
        services.store.clock_offset = 30 * HOUR
        assert not await tend_review(services, dev.tenant_id, asked.id)
        assert not await tend_review(services, dev.tenant_id, "none")
        found = await stored(services, asked)
        assert (found.revision, found.last_seq, found.approved_at) == (made.revision, made.last_seq, made.approved_at)
