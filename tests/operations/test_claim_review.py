"""Claiming a review, and following how the queue moves."""

from contextlib import aclosing
from datetime import timedelta

import pytest

from tests.operations.pipeline_world import stored, told
from tests.operations.review_world import approve, person, reject, review_of, reviewable
from tests.operations.test_api_tokens import trail
from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ConflictError, ErrorCode, ForbiddenError, NotFoundError
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.reviews import QueueChange, ReviewFilter, ReviewStatus
from windtunnel.domain.viewers import Role
from windtunnel.operations.claim_review import claim_review
from windtunnel.operations.read_review_queue import read_review_queue
from windtunnel.operations.watch_review_queue import watch_review_queue
from windtunnel.storage import people, reviews, tenant_logs


async def test_the_others_see_who_looks_at_it(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, bob = await person(services, dev, "ada@example.org"), await person(services, dev, "bob@example.org")
        asked = await reviewable(services, dev)
        review = await review_of(services, asked)
        claimed = await claim_review(services, ada, review.id)
        assert claimed == await review_of(services, asked)
        assert (claimed.status, claimed.claimed_by) == (ReviewStatus.IN_REVIEW, ada.user.id)
        assert await claim_review(services, ada, review.id) == claimed
        with pytest.raises(ConflictError, match="Somebody else"):
            await claim_review(services, bob, review.id)
        entries = [each for each in await trail(services, dev) if each.action == AuditAction.REVIEW_CLAIMED]
        assert [(each.subject_id, each.actor_id) for each in entries] == [(asked.id, ada.user.id)]
        assert (await told(services, asked))[-1].step == "claimed"
        # Who decides needs no claim.
        assert (await approve(services, bob, asked)).status is S.APPROVED
        with pytest.raises(ConflictError) as refused:
            await claim_review(services, ada, review.id)
        assert refused.value.current == S.APPROVED
        moves = await tenant_logs.read_queue(services.store, dev.tenant_id, 0, 10)
        assert [move.change for move in moves] == [QueueChange.CLAIMED, QueueChange.DECIDED]


async def test_whoever_left_holds_nothing(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, bob = await person(services, dev, "ada@example.org"), await person(services, dev, "bob@example.org")
        review = await review_of(services, await reviewable(services, dev))
        await claim_review(services, ada, review.id)
        async with services.store.transaction(dev.tenant_id):
            await people.set_roles(services.store, dev.tenant_id, ada.user.id, {Role.DEVELOPER})
        assert (await claim_review(services, bob, review.id)).claimed_by == bob.user.id


async def test_who_cannot_claim(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, boss = await person(services, dev, "ada@example.org"), await person(services, dev, "b@x.org", Role.ADMIN)
        asked = await reviewable(services, dev)
        review = await review_of(services, asked)
        with pytest.raises(ForbiddenError):
            await claim_review(services, boss, review.id)
        for other, id_ in ((await stranger(services.store), review.id), (ada, asked.id), (ada, "\0")):
            with pytest.raises(NotFoundError):
                await claim_review(services, other, id_)
        services.store.clock_offset = timedelta(days=2)
        with pytest.raises(ConflictError) as refused:
            await claim_review(services, ada, review.id)
        assert refused.value.code is ErrorCode.REVIEW_EXPIRED
        assert (await stored(services, asked)).status is S.EXPIRED


async def test_the_queue_is_followed(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, bob = await person(services, dev, "ada@example.org"), await person(services, dev, "b@x.org", Role.OPERATOR)
        first, second = await reviewable(services, dev), await reviewable(services, dev)
        ids = [(await review_of(services, each)).id for each in (first, second)]
        await claim_review(services, ada, ids[0])
        async with aclosing(watch_review_queue(services, ada, 0)) as moves:
            assert (await anext(moves)).change is QueueChange.CLAIMED
            await reject(services, ada, second)
            await approve(services, ada, first)
            told_ = [await anext(moves), await anext(moves)]
        assert [(each.seq, each.change, each.review_id) for each in told_] == [
            (2, QueueChange.DECIDED, ids[1]),
            (3, QueueChange.DECIDED, ids[0]),
        ]
        with pytest.raises(ForbiddenError):
            await anext(watch_review_queue(services, bob))


async def test_what_expires_first_comes_first(database_url: str) -> None:
    async with process(database_url) as services:
        dev, ids = await demo(services), []
        for hours in (3, 1, 2):
            services.store.clock_offset = timedelta(hours=hours)
            ids.append((await review_of(services, await reviewable(services, dev))).id)
        wanted = [ids[1], ids[2], ids[0]]
        first = await reviews.queue(services.store, dev.tenant_id, PageRequest(2), ReviewFilter())
        assert ([each.id for each in first.items], first.total) == (wanted[:2], 3)
        assert (first.has_next, first.has_previous) == (True, False)
        rest = await reviews.queue(services.store, dev.tenant_id, PageRequest(2, after=first.keys[1]), ReviewFilter())
        assert [each.id for each in rest.items] == wanted[2:]
        assert (rest.has_next, rest.has_previous) == (False, True)
        last = await reviews.queue(services.store, dev.tenant_id, PageRequest(2, backward=True), ReviewFilter())
        assert [each.id for each in last.items] == wanted[1:]
        assert (last.has_next, last.has_previous) == (False, True)
        before = PageRequest(2, before=last.keys[0], backward=True)
        start = await reviews.queue(services.store, dev.tenant_id, before, ReviewFilter())
        assert [each.id for each in start.items] == wanted[:1]
        assert (start.has_next, start.has_previous) == (True, False)


async def test_who_reads_the_queue(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        waiting = await review_of(services, await reviewable(services, dev))
        for role in Role:
            viewer = await person(services, dev, f"{role.lower()}@example.org", role)
            if role in {Role.SECURITY_REVIEWER, Role.ADMIN}:
                page = await read_review_queue(services, viewer, PageRequest(), ReviewFilter())
                assert page.items == [waiting]
            else:
                with pytest.raises(ForbiddenError):
                    await read_review_queue(services, viewer, PageRequest(), ReviewFilter())
        other = await stranger(services.store)
        assert (await read_review_queue(services, other, PageRequest(), ReviewFilter())).items == []
