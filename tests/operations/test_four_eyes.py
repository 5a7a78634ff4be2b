"""Nobody reviews what they had a part in, in whatever name: each case is refused, recorded, and changes nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.operations.packages_world import mine
from tests.operations.pipeline_world import registered, stored, submitted
from tests.operations.review_world import (
    REVIEWER,
    approve,
    by_token,
    person,
    reject,
    review_of,
    reviewable,
    to_review,
)
from tests.operations.test_api_tokens import trail
from tests.operations.world import demo, process
from tests.packages.test_signatures import envelope, statement
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ErrorCode, PolicyError
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.claim_review import claim_review
from windtunnel.operations.review_people import eligible_reviewers
from windtunnel.operations.revoke_api_token import revoke_api_token
from windtunnel.operations.services import Services
from windtunnel.operations.sign_package import sign_package
from windtunnel.storage import reviews

Both = tuple[Deployment, Viewer]
Case = Callable[[Services, Viewer], Awaitable[Both]]
"""A deployment, and somebody who may not review it. The viewer has every role and is called dev@example.org."""

EVERYTHING = tuple(Role)


async def the_submitter(services: Services, dev: Viewer) -> Both:
    return await reviewable(services, dev), dev


async def the_submitter_by_a_second_token(services: Services, dev: Viewer) -> Both:
    asked = await reviewable(services, await by_token(services, dev, dev))
    return asked, await by_token(services, dev, dev)


def signature_of(asked: Deployment, signer: str = "key-1") -> bytes:
    subject = [{"name": "triage", "digest": {"sha256": asked.package_digest}}]
    return envelope(statement(subject=subject), signatures=[{"keyid": signer, "sig": "c2lnbmVk"}])


async def an_owner_who_came_later(services: Services, dev: Viewer) -> Both:
    asked = await reviewable(services, dev, owners=["Own.Er@example.org", "x@acme.test"])
    assert (await review_of(services, asked)).excluded == (dev.user.id,)
    return asked, await person(services, dev, "own.er@example.org")


async def an_owner_who_was_there_before(services: Services, dev: Viewer) -> Both:
    owner = await person(services, dev, "owner@example.org")
    return await reviewable(services, dev, owners=["owner@example.org"]), owner


async def an_author(services: Services, dev: Viewer) -> Both:
    author = await person(services, dev, "author@example.org")
    meta = {"org.example.build": {"authors": [{"name": "A", "email": "A. Uthor <author@example.org>"}]}}
    return await reviewable(services, dev, _meta=meta), author


async def the_uploader(services: Services, dev: Viewer) -> Both:
    uploader = await person(services, dev, "uploader@example.org", Role.DEVELOPER, Role.SECURITY_REVIEWER)
    told = {"name": "demo/triage", "version": "7.0.0"}
    first = await submitted(services, uploader, await registered(services, dev, "other"), data=mine(**told))
    again = await submitted(services, dev, data=mine(**told))
    assert first.package_digest == again.package_digest
    return await to_review(services, again, **told), uploader


async def the_signer(services: Services, dev: Viewer) -> Both:
    signer = await person(services, dev, "signer@example.org")
    return await reviewable(services, dev, signers=["signer@example.org"]), signer


async def who_uploaded_the_signature(services: Services, dev: Viewer) -> Both:
    signer = await person(services, dev, "carrier@example.org", Role.DEVELOPER, Role.SECURITY_REVIEWER)
    told = {"name": "demo/triage", "version": "8.0.0"}
    asked = await submitted(services, dev, data=mine(**told))
    await sign_package(services, signer, asked.package_digest, signature_of(asked))
    return await to_review(services, asked, **told), signer


async def whom_the_signature_names(services: Services, dev: Viewer) -> Both:
    signer = await person(services, dev, "signer@example.org")
    told = {"name": "demo/triage", "version": "9.0.0"}
    asked = await submitted(services, dev, data=mine(**told))
    await sign_package(services, dev, asked.package_digest, signature_of(asked, "signer@example.org"))
    return await to_review(services, asked, **told), signer


async def whom_the_submitter_gave_a_token(services: Services, dev: Viewer) -> Both:
    puppet = await person(services, dev, "puppet@example.org")
    puppet = await by_token(services, dev, puppet)
    return await reviewable(services, dev), puppet


async def whom_the_submitter_gave_a_token_once(services: Services, dev: Viewer) -> Both:
    """They come by themselves, and the token is valid."""
    puppet = await person(services, dev, "puppet@example.org")
    await by_token(services, dev, puppet)
    return await reviewable(services, dev), puppet


async def whom_the_submitter_gave_a_token_later(services: Services, dev: Viewer) -> Both:
    asked = await reviewable(services, dev)
    return asked, await by_token(services, dev, await person(services, dev, "puppet@example.org"))


async def a_token_that_a_token_of_the_submitter_issued(services: Services, dev: Viewer) -> Both:
    asked = await reviewable(services, dev)
    puppet = await person(services, dev, "puppet@example.org", Role.ADMIN, Role.SECURITY_REVIEWER)
    first = await by_token(services, dev, puppet)
    second = await by_token(services, first, puppet)
    await revoke_api_token(services, dev, first.token_id or "")
    return asked, second


async def who_issued_the_submitting_token(services: Services, dev: Viewer) -> Both:
    sub = await person(services, dev, "sub@example.org", Role.DEVELOPER)
    boss = await person(services, dev, "boss@example.org", *EVERYTHING)
    lent = await by_token(services, boss, sub)
    made = await registered(services, dev, "lent")
    asked = await submitted(services, lent, made, data=mine(name="demo/lent", version="1.2.3"))
    await revoke_api_token(services, dev, lent.token_id or "")
    return await to_review(services, asked, name="demo/lent", version="1.2.3"), boss


async def who_could_have_been_the_submitter(services: Services, dev: Viewer) -> Both:
    """They have a token in the submitter's name, with which nothing was done."""
    boss = await person(services, dev, "boss@example.org", *EVERYTHING)
    await by_token(services, boss, dev)
    return await reviewable(services, dev), boss


async def an_administrator(services: Services, dev: Viewer) -> Both:
    """Being ADMIN, OPERATOR and everything else does not help."""
    owner = await person(services, dev, "all@example.org", *EVERYTHING)
    return await reviewable(services, dev, owners=["all@example.org"]), owner


CASES: tuple[Case, ...] = (
    the_submitter,
    the_submitter_by_a_second_token,
    an_owner_who_came_later,
    an_owner_who_was_there_before,
    an_author,
    the_uploader,
    the_signer,
    whom_the_signature_names,
    who_uploaded_the_signature,
    whom_the_submitter_gave_a_token,
    whom_the_submitter_gave_a_token_once,
    whom_the_submitter_gave_a_token_later,
    a_token_that_a_token_of_the_submitter_issued,
    who_issued_the_submitting_token,
    who_could_have_been_the_submitter,
    an_administrator,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_somebody_else_has_to_review_it(case: Case, database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        asked, viewer = await case(services, dev)
        review = await review_of(services, asked)
        for attempt in (
            lambda: approve(services, viewer, asked),
            lambda: reject(services, viewer, asked),
            lambda: claim_review(services, viewer, review.id),
        ):
            with pytest.raises(PolicyError) as refused:
                await attempt()
            assert refused.value.code is ErrorCode.SELF_REVIEW
        assert await stored(services, asked) == asked
        assert await review_of(services, asked) == review
        assert (await reviews.votes(services.store, dev.tenant_id, [review.id]))[review.id] == []
        denied = [each for each in await trail(services, dev) if each.action == AuditAction.ACCESS_DENIED]
        assert [(each.subject_id, each.actor_id) for each in denied] == [(asked.id, viewer.user.id)] * 3
        # Somebody else does.
        other = await person(services, dev, "else@example.org")
        assert other.user.id in await eligible_reviewers(services.store, dev.tenant_id, review.excluded)
        assert (await approve(services, other, asked)).status is S.APPROVED


async def test_addresses_are_compared_as_people_write_them(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        owner = await person(services, dev, "own.er@example.org")
        asked = await reviewable(services, dev, owners=["Own.Er@Example.org"])
        assert owner.user.id in (await review_of(services, asked)).excluded
        with pytest.raises(PolicyError):
            await approve(services, owner, asked)


async def test_a_token_of_ones_own_is_no_trouble(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        boss = await person(services, dev, "boss@example.org", Role.ADMIN, Role.SECURITY_REVIEWER)
        own = replace(await by_token(services, boss, boss), roles=REVIEWER)
        assert (await approve(services, own, await reviewable(services, dev))).status is S.APPROVED
