"""Submitting a deployment: stored, told and on record at once; what is wrong inside of a package is found later."""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from tests.operations.packages_world import mine, uploaded
from tests.operations.pipeline_world import became, in_review, registered, stored, submitted, told
from tests.operations.world import demo, process, with_token
from tests.packages.world import package
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    PolicyError,
    QuotaError,
    ValidationError,
)
from windtunnel.domain.flags import Flag, RolloutStage
from windtunnel.domain.submissions import SubmitRequest
from windtunnel.domain.viewers import Role
from windtunnel.operations import submit_deployment as module
from windtunnel.operations.announce import PIPELINE
from windtunnel.operations.expect_review import expectation_of
from windtunnel.operations.set_feature_flag import set_feature_flag
from windtunnel.operations.submit_deployment import submit_deployment
from windtunnel.storage import audit, reviews


async def test_a_package_is_submitted_told_and_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = replace(await with_token(one, await demo(one), *Role), request_id="r-1")
        agent = await registered(one, viewer)
        async with one.bus.subscribe(PIPELINE) as rung:
            made = await submitted(one, viewer, agent, changelog="  Sorts better. ")
            assert await rung() == ""
        assert made == await stored(one, made)
        assert (made.status, made.agent_id, made.version_id) == (S.SUBMITTED, agent.id, None)
        assert (made.submitted_by, made.token_id, made.request_id) == (viewer.user.id, viewer.token_id, "r-1")
        assert (made.changelog, made.due_at, made.revision) == ("Sorts better.", made.submitted_at, 1)
        (event,) = await told(one, made)
        assert (event.status, event.step, event.actor_id, event.at) == (
            S.SUBMITTED,
            "submit",
            viewer.user.id,
            made.submitted_at,
        )
        entry = (await audit.read(one.store, viewer.tenant_id, 0, 100))[-1]
        assert (entry.action, entry.subject) == (
            AuditAction.DEPLOYMENT_SUBMITTED,
            Subject(Kind.DEPLOYMENT, made.id),
        )
        assert json.loads(entry.details) == {
            "agentId": Subject(Kind.AGENT, agent.id).global_id,
            "packageDigest": made.package_digest,
            "evidence": [],
        }


async def test_the_expected_time_is_known_at_once_and_stays_until_there_is_a_review(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await submitted(one, viewer)
        expected = await expectation_of(one, made)
        assert expected.at == made.submitted_at + timedelta(hours=4)
        assert "fewer than 10 reviews of internal packages" in expected.basis
        one.store.clock_offset += timedelta(minutes=90)
        assert await expectation_of(one, made) == expected
        reviewed = await in_review(one, viewer)
        review = (await reviews.of_deployments(one.store, viewer.tenant_id, [reviewed.id]))[reviewed.id]
        known = await expectation_of(one, reviewed)
        assert (known.at, known.basis) == (review.expected_at, review.expected_basis)


async def test_what_is_no_package_at_all_is_submitted_and_has_an_expected_time(database_url: str) -> None:
    async with process(database_url) as one:
        made = await submitted(one, await demo(one), data=b"no archive")
        assert made.status is S.SUBMITTED
        assert "packages like this one" in (await expectation_of(one, made)).basis


async def test_asked_again_with_the_same_key_it_is_the_same_deployment(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent, digest = await registered(one, viewer), await uploaded(one, viewer, mine())
        request = SubmitRequest(agent.id, digest, "Better.", idempotency_key="k")
        made = await submit_deployment(one, viewer, request)
        await set_feature_flag(one, viewer, Flag.DEPLOYMENT_PIPELINE.value, enabled=False)
        assert await submit_deployment(one, viewer, request) == made
        validating = await became(one, made, S.VALIDATING)
        assert await submit_deployment(one, viewer, request) == validating
        other = await uploaded(one, viewer, mine(version="2.0.0"))
        for different in (replace(request, package_digest=other), replace(request, changelog="Worse.")):
            with pytest.raises(ConflictError) as refused:
                await submit_deployment(one, viewer, different)
            assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH


async def test_a_refused_request_leaves_the_key_free_and_nothing_behind(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await registered(one, viewer)
        data = mine()
        request = SubmitRequest(agent.id, sha256(data).hexdigest(), idempotency_key="k")
        with pytest.raises(NotFoundError) as refused:
            await submit_deployment(one, viewer, request)
        assert refused.value.path == ("input", "package_digest")
        assert not await one.store.of(viewer.tenant_id).fetch("SELECT id FROM deployments")
        await uploaded(one, viewer, data)
        assert (await submit_deployment(one, viewer, request)).status is S.SUBMITTED


async def test_what_others_have_is_not_told_from_what_nobody_has(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, eve = await demo(one), await stranger(one.store)
        agent, theirs = await registered(one, viewer), await registered(one, eve)
        digest = await uploaded(one, viewer, mine())
        foreign = await uploaded(one, eve, package(version="9.0.0"))
        for agent_id in (theirs.id, "x", "", "\ud800", "\0"):
            with pytest.raises(NotFoundError) as refused:
                await submit_deployment(one, viewer, SubmitRequest(agent_id, digest))
            assert refused.value.path == ("input", "agent_id")
        for unknown in (foreign, "f" * 64, "x", "", digest.upper()):
            with pytest.raises(NotFoundError) as refused:
                await submit_deployment(one, viewer, SubmitRequest(agent.id, unknown))
            assert refused.value.path == ("input", "package_digest")


async def test_the_flag_stops_submissions_but_of_pilots(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        pilot, other = await registered(one, viewer, "pilot"), await registered(one, viewer, "other")
        flag = Flag.DEPLOYMENT_PIPELINE.value
        developer = replace(viewer, roles=frozenset({Role.DEVELOPER}))
        await set_feature_flag(one, viewer, flag, enabled=True, stage=RolloutStage.PILOT, pilots=["pilot"])
        assert (await submitted(one, developer, pilot)).status is S.SUBMITTED
        with pytest.raises(PolicyError) as refused:
            await submitted(one, developer, other)
        assert refused.value.code is ErrorCode.FEATURE_DISABLED
        await set_feature_flag(one, viewer, flag, enabled=False)
        with pytest.raises(PolicyError):
            await submitted(one, viewer, pilot)


async def test_those_who_may_are_developers_and_admins(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent, digest = await registered(one, viewer), await uploaded(one, viewer, mine())
        for role in Role:
            who = replace(viewer, roles=frozenset({role}))
            if role in {Role.DEVELOPER, Role.ADMIN}:
                assert (await submit_deployment(one, who, SubmitRequest(agent.id, digest))).agent_id == agent.id
            else:
                with pytest.raises(ForbiddenError):
                    await submit_deployment(one, who, SubmitRequest(agent.id, digest))
                entry = (await audit.read(one.store, viewer.tenant_id, 0, 100))[-1]
                assert (entry.action, entry.subject) == (AuditAction.ACCESS_DENIED, Subject(Kind.AGENT, agent.id))


async def test_open_ones_are_limited_and_decided_ones_do_not_count(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEPLOYMENTS_OPEN_PER_TENANT", 2)
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await registered(one, viewer)
        first = await submitted(one, viewer, agent)
        await submitted(one, viewer, agent)
        with pytest.raises(QuotaError):
            await submitted(one, viewer, agent)
        await became(one, first, S.VALIDATING, S.INVALID)
        assert (await submitted(one, viewer, agent)).status is S.SUBMITTED


@pytest.mark.parametrize("changelog", ["x" * 20_001, "\ud800", "a\0b"])
async def test_a_changelog_that_cannot_be_kept_is_refused(sqlite_url: str, changelog: str) -> None:
    async with process(sqlite_url) as one:
        with pytest.raises(ValidationError) as refused:
            await submitted(one, await demo(one), changelog=changelog)
        assert refused.value.path == ("input", "changelog")
