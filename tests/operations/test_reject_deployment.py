"""Rejecting: one reviewer is enough, who says why and what would remedy it."""

from dataclasses import replace

import pytest

from tests.operations.inboxes import inbox
from tests.operations.pipeline_world import stored, told
from tests.operations.review_world import FINDING, REASON, person, reject, review_of, reviewable
from tests.operations.test_api_tokens import trail
from tests.operations.test_approve_deployment import RESTRICTED
from tests.operations.world import demo, process
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.failures import Severity
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.reviews import Decision, QueueChange, ReviewStatus
from windtunnel.storage import reviews, tenant_logs

OTHER = replace(FINDING, severity=Severity.LOW, title="Old lock file")


async def test_the_developer_is_told_what_to_do(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev, **RESTRICTED)
        made = await reject(services, ada, asked, [FINDING, OTHER])
        assert made == await stored(services, asked)
        assert made.status is S.REJECTED
        assert made.finished_at is not None
        review = await review_of(services, asked)
        assert (review.status, review.comment) == (ReviewStatus.REJECTED, REASON)
        assert (await reviews.findings(services.store, dev.tenant_id, [review.id]))[review.id] == [FINDING, OTHER]
        votes = (await reviews.votes(services.store, dev.tenant_id, [review.id]))[review.id]
        assert [(vote.decision, vote.comment) for vote in votes] == [(Decision.REJECT, REASON)]
        last = (await inbox(services, dev))[-1]
        assert (last.kind, last.subject.id) == (NotificationKind.DEPLOYMENT_REJECTED, asked.id)
        for said in (REASON, FINDING.title, FINDING.detail, FINDING.remediation, OTHER.title):
            assert said in last.body
        assert (await told(services, made))[-1].status is S.REJECTED
        moves = await tenant_logs.read_queue(services.store, dev.tenant_id, 0, 10)
        assert [(move.change, move.review_id) for move in moves] == [(QueueChange.DECIDED, review.id)]
        entries = [each for each in await trail(services, dev) if each.subject_id == asked.id][-2:]
        assert [each.action for each in entries] == [AuditAction.REVIEW_VOTED, AuditAction.DEPLOYMENT_REJECTED]
        assert all(each.reason == REASON and each.actor_id == ada.user.id for each in entries)
        assert FINDING.remediation in entries[-1].details


async def test_what_says_too_little_rejects_nothing(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev)
        for reason, path in ((" " * 30 + "No.", "reason"), ("x" * 4_001, "reason"), ("x" * 30 + "\0", "reason")):
            with pytest.raises(ValidationError) as refused:
                await reject(services, ada, asked, reason=reason)
            assert refused.value.path == ("input", path)
        for findings, place in (
            ([], ()),
            ([FINDING] * 101, ()),
            ([FINDING, replace(FINDING, remediation=" \n")], ("1", "remediation")),
            ([replace(FINDING, title="")], ("0", "title")),
            ([replace(FINDING, title="t" * 201)], ("0", "title")),
            ([replace(FINDING, detail="\t")], ("0", "detail")),
        ):
            with pytest.raises(ValidationError) as refused:
                await reject(services, ada, asked, findings)
            assert refused.value.path == ("input", "findings", *place)
        assert await stored(services, asked) == asked
        review = await review_of(services, asked)
        assert (await reviews.votes(services.store, dev.tenant_id, [review.id]))[review.id] == []


async def test_asked_again_it_is_rejected_once(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada = await person(services, dev, "ada@example.org")
        asked = await reviewable(services, dev)
        made = await reject(services, ada, asked, idempotency_key="k")
        assert await reject(services, ada, asked, idempotency_key="k") == made
        entries = [each.action for each in await trail(services, dev) if each.subject_id == asked.id]
        assert entries.count(AuditAction.DEPLOYMENT_REJECTED) == 1
