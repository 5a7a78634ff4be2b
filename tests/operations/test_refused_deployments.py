"""Whoever writes into the database gets nothing deployed: it fails, says why in three places, and production stays."""

import json
from collections.abc import Callable

import pytest

from tests.operations.deploying import an_agent, deploy_all, deployed, pointer_of, waiting
from tests.operations.packages_world import mine
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

EDITS: list[Callable[[bytes], bytes]] = [
    lambda data: data[:-1] + b"x",
    lambda data: data + b"x",
    lambda data: data[:-1],
    lambda data: mine(title="Another one"),
    lambda data: b"",
]


async def refused(services: Services, asked: Deployment, code: str = "APPROVAL_INVALID") -> None:
    """What a deployer makes of it, while nothing changes in production."""
    before = await pointer_of(services, asked)
    await deploy_all(services)
    made = await stored(services, asked)
    assert made.status is S.DEPLOY_FAILED
    assert (made.failure or "").startswith(f"{code}: ")
    events = await told(services, made)
    assert events[-1].message == made.failure
    assert events[-1].status is S.DEPLOY_FAILED
    entries = [each for each in await trail(services, await demo(services)) if each.subject_id == made.id]
    assert entries[-1].action == AuditAction.DEPLOYMENT_FAILED
    assert (entries[-1].reason, json.loads(entries[-1].details)["code"]) == (made.failure, code)
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


@pytest.mark.parametrize("edit", EDITS)
async def test_bytes_that_are_not_those_that_were_approved(edit: Callable[[bytes], bytes], database_url: str) -> None:
    async with process(database_url) as services:
        agent = await an_agent(services)
        await deployed(services, agent)
        made = await waiting(services, agent)
        path = await services.blobs.path(made.package_digest)
        path.chmod(0o600)
        path.write_bytes(edit(path.read_bytes()))
        await refused(services, made, "DIGEST_MISMATCH")


async def test_an_approval_that_was_given_to_another(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        agent = await an_agent(services)
        live = await deployed(services, agent)
        assert live.approval
        await refused(services, await kept(services, await approved(services, dev), live.approval))
        await refused(services, await kept(services, await waiting(services, agent), live.approval))
        again, other = await approved(services, dev), await approved(services, dev)
        await refused(services, await kept(services, again, await signed_approval(services, other)))
