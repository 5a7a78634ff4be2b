"""Whoever writes into the database gets nothing deployed: it fails, says why in three places, and production stays."""

import pytest

from tests.operations.deploying import deploy_all, deployed, pointer_of
from tests.operations.pipeline_world import stored, told
from tests.operations.review_world import approve, person, review_of, reviewable
from tests.operations.test_api_tokens import trail
from tests.operations.test_approvals import (
    TAMPERS,
    Tamper,
    approved,
    kept,
    lowered_policy,
    shortened_exclusions,
    signed,
    votes_by_sql,
    votes_with_the_seal_of_another,
)
from tests.operations.world import demo, process
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ConflictError, ErrorCode
from windtunnel.operations.approvals import signed_approval
from windtunnel.operations.services import Services
from windtunnel.storage import reviews
from windtunnel.storage.store import Store


async def refused(services: Services, asked: Deployment) -> None:
    """What a deployer makes of it, while nothing changes in production."""
    before = await pointer_of(services, asked)
    await deploy_all(services)
    made = await stored(services, asked)
    assert made.status is S.DEPLOY_FAILED
    assert (made.failure or "").startswith("APPROVAL_INVALID: ")
    events = await told(services, made)
    assert "APPROVAL_INVALID" in events[-1].message
    assert events[-1].status is S.DEPLOY_FAILED
    entries = [each for each in await trail(services, await demo(services)) if each.subject_id == made.id]
    assert entries[-1].action == AuditAction.DEPLOYMENT_FAILED
    assert "APPROVAL_INVALID" in (entries[-1].reason or "") + entries[-1].details
    after = await pointer_of(services, asked)
    assert (after.version_id, after.release_seq, after.package_digest) == (
        before.version_id,
        before.release_seq,
        before.package_digest,
    )


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.__name__)
async def test_what_was_changed_before_it_was_signed(tamper: Tamper, database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services:
        made = await approved(services, await demo(services))
        await tamper(services, unguarded, made)
        await refused(services, made)


@pytest.mark.parametrize("tamper", [votes_by_sql, votes_with_the_seal_of_another])
async def test_votes_that_nobody_gave(tamper: Tamper, database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services:
        asked = await reviewable(services, await demo(services))
        await tamper(services, unguarded, asked)
        await refused(services, asked)


@pytest.mark.parametrize("tamper", [lowered_policy, shortened_exclusions])
async def test_a_review_that_was_changed_before_the_vote(tamper: Tamper, database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        asked = await reviewable(services, dev)
        await tamper(services, unguarded, asked)
        with pytest.raises(ConflictError) as refused_vote:
            await approve(services, await person(services, dev, "ada@example.org"), asked)
        assert refused_vote.value.code is ErrorCode.APPROVAL_INVALID
        assert (await stored(services, asked)).status is S.IN_REVIEW
        review = await review_of(services, asked)
        assert (await reviews.votes(services.store, dev.tenant_id, [review.id]))[review.id] == []
        entries = [each for each in await trail(services, dev) if each.subject_id == asked.id]
        assert entries[-1].action == AuditAction.ACCESS_DENIED
        assert "APPROVAL_INVALID" in entries[-1].details


async def test_what_was_changed_after_it_was_signed(database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services:
        for tamper in TAMPERS:
            made = await signed(services, await approved(services, await demo(services)))
            await tamper(services, unguarded, made)
            await refused(services, made)


async def test_an_approval_that_was_given_to_another(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        live = await deployed(services)
        assert live.approval
        made = await approved(services, dev)
        await refused(services, await kept(services, made, live.approval))
        again, other = await approved(services, dev), await approved(services, dev)
        await refused(services, await kept(services, again, await signed_approval(services, other)))
