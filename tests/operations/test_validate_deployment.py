"""Validating: what passes waits for reviewers, what does not says what to put right; nothing in between."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import EventDict

from tests.operations.inboxes import inbox
from tests.operations.packages_world import mine, uploaded
from tests.operations.pipeline_world import stored, submitted, told
from tests.operations.review_world import approve, by_token, person
from tests.operations.test_api_tokens import trail
from tests.operations.validating import KIND, an_agent, asked, signed, trusted, validated, wrong
from tests.operations.world import demo, process
from tests.packages.world import FILES, MANIFEST
from windtunnel.domain.agents import AgentVersion
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.failures import Severity
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.packages import Classification
from windtunnel.domain.review_rules import digest_of_json, policy_for
from windtunnel.domain.reviews import QueueChange, Review
from windtunnel.domain.viewers import Role
from windtunnel.operations.expect_review import expectation_of
from windtunnel.operations.services import Services
from windtunnel.operations.sign_package import sign_package
from windtunnel.operations.tend_deployment import tend_deployment
from windtunnel.packages.codes import Code, Passed
from windtunnel.packages.signers import Signers
from windtunnel.storage import agent_versions, deployment_care, production, reviews, tenant_logs
from windtunnel.storage.store import Store, open_store

RESTRICTED: dict[str, Any] = {"data": MANIFEST["data"] | {"classification": "restricted"}}
EVIL = FILES | {"triage/more.py": b"import socket\n"}


async def review_of(services: Services, deployment: Deployment) -> Review:
    return (await reviews.of_deployments(services.store, deployment.tenant_id, [deployment.id]))[deployment.id]


async def version_of(services: Services, deployment: Deployment) -> AgentVersion:
    assert deployment.version_id
    found = await agent_versions.get_many(services.store, deployment.tenant_id, [deployment.version_id])
    return found[deployment.version_id]


async def test_what_passes_waits_for_reviewers(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        reviewer = await person(services, viewer, "reviewer@demo.test")
        deployment = await asked(services)
        expected = await expectation_of(services, deployment)
        deployment = await validated(services, deployment)
        version, review = await version_of(services, deployment), await review_of(services, deployment)
        assert (deployment.status, deployment.lease_owner, deployment.finished_at) == (S.IN_REVIEW, None, None)
        assert (version.version, version.bound, version.classification) == ("1.0.0", True, "internal")
        assert version.manifest_digest == deployment.manifest_digest == digest_of_json(version.manifest)
        assert version.manifest["name"] == "demo/triage"
        assert review.policy == policy_for(Classification.INTERNAL)
        assert deployment.quorum == review.policy.quorum == 1
        assert deployment.review_deadline == review.expires_at
        assert review.config_digest == (await production.snapshot(services.store, viewer.tenant_id)).digest
        assert (review.expected_at, review.expected_basis) == (expected.at, expected.basis)
        assert review.excluded == (viewer.user.id,)
        assert review.risk is Severity.LOW
        assert {check.code for check in deployment.checks} >= {Passed.CODE_READ, Passed.NO_SECRETS}
        assert [event.status for event in await told(services, deployment)] == [S.SUBMITTED, S.VALIDATING, S.IN_REVIEW]
        (moved,) = await tenant_logs.read_queue(services.store, viewer.tenant_id, 0, 10)
        assert (moved.change, moved.review_id) == (QueueChange.ENTERED, review.id)
        (asked_for,) = await inbox(services, reviewer)
        assert asked_for.kind is NotificationKind.REVIEW_REQUESTED
        assert asked_for.subject.id == deployment.id
        entries = await trail(services, viewer)
        assert [entry.action for entry in entries if entry.subject_id == deployment.id] == [
            AuditAction.DEPLOYMENT_SUBMITTED,
            AuditAction.REVIEW_OPENED,
        ]
        assert entries[-1].request_id == deployment.request_id
        await approve(services, reviewer, deployment)
        assert (await stored(services, deployment)).status is S.APPROVED


async def test_what_does_not_pass_says_what_to_put_right(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        deployment = await validated(services, await asked(services, mine(EVIL)))
        version = await version_of(services, deployment)
        assert (deployment.status, deployment.lease_owner) == (S.INVALID, None)
        assert deployment.finished_at
        assert wrong(deployment) == [(Code.NETWORK_UNDECLARED, "triage/more.py", 1)]
        assert (version.version, version.bound) == ("1.0.0", False)
        assert deployment.failure == "The package cannot be deployed: 1 finding to put right, see its `checks`."
        (notice,) = [each for each in await inbox(services, viewer) if each.kind is NotificationKind.DEPLOYMENT_INVALID]
        assert "NETWORK_UNDECLARED triage/more.py:1" in notice.body
        assert "permissions.network" in notice.body
        entry = (await trail(services, viewer))[-1]
        assert (entry.action, entry.subject_id) == (AuditAction.DEPLOYMENT_INVALID, deployment.id)
        assert not await reviews.of_deployments(services.store, viewer.tenant_id, [deployment.id])
        assert not await tenant_logs.read_queue(services.store, viewer.tenant_id, 0, 10)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"no archive", Code.ARCHIVE_UNREADABLE),
        (mine(name="other/triage"), Code.NAMESPACE_FOREIGN),
        (mine(name="demo/other"), Code.AGENT_DIFFERENT),
        (mine(_meta={"org.example.big": 2**60}), Code.MANIFEST_INVALID),
    ],
)
async def test_what_is_not_this_agent_has_no_version(database_url: str, data: bytes, expected: Code) -> None:
    async with process(database_url) as services:
        deployment = await validated(services, await asked(services, data))
        assert (deployment.status, deployment.version_id) == (S.INVALID, None)
        assert expected in {code for code, _, _ in wrong(deployment)}


@pytest.mark.parametrize("in_manifest", [False, True])
async def test_a_planted_secret_is_nowhere_but_in_its_package(
    database_url: str, logs: list[EventDict], *, in_manifest: bool
) -> None:
    secret = "AKIA" + "QWERTYUIOPASDFGH"
    async with process(database_url) as services:
        data = mine(description=f"Uses {secret}.") if in_manifest else mine(FILES | {"a.txt": secret.encode()})
        deployment = await validated(services, await asked(services, data))
        assert wrong(deployment) == [(Code.SECRET_FOUND, "agent.json" if in_manifest else "a.txt", 1)]
        store = await open_store(database_url, role=None)
        try:
            kept = [await _everything(store, table) for table in _TABLES]
        finally:
            await store.close()
        assert any(deployment.id in rows for rows in kept)
        assert not any(secret in rows for rows in kept)
        assert secret not in repr(logs)


_TABLES = ("packages", "agent_versions", "deployments", "deployment_events", "notifications", "audit_entries")


async def _everything(store: Store, table: str) -> str:
    return repr(await store.of("").fetch(f"SELECT * FROM {table}"))


async def test_after_a_refusal_the_number_can_be_used_again(database_url: str) -> None:
    async with process(database_url) as services:
        refused = await validated(services, await asked(services, mine(EVIL)))
        better = await validated(services, await asked(services))
        assert (refused.status, better.status) == (S.INVALID, S.IN_REVIEW)
        assert (await version_of(services, better)).version == (await version_of(services, refused)).version


async def test_a_number_is_never_used_for_other_bytes(database_url: str) -> None:
    async with process(database_url) as services:
        first = await validated(services, await asked(services))
        other = await validated(services, await asked(services, title="Another one"))
        assert other.status is S.INVALID
        assert wrong(other) == [(Code.VERSION_TAKEN, "agent.json", None)]
        assert not (await version_of(services, other)).bound
        again = await validated(services, await asked(services))
        assert again.status is S.IN_REVIEW
        assert again.version_id == first.version_id


async def test_two_at_once_with_the_same_number_are_told_apart(database_url: str) -> None:
    async with process(database_url) as services:
        one, two = await asked(services), await asked(services, title="Another one")
        claimed = await deployment_care.claim(services.store, "validator", 10)
        await asyncio.gather(*(tend_deployment(services, each) for each in claimed))
        ends = sorted([(await stored(services, each)).status for each in (one, two)])
        assert ends == [S.INVALID, S.IN_REVIEW]


async def test_restricted_data_need_a_trusted_signature_and_two_people(database_url: str, tmp_path: Path) -> None:
    async with process(database_url, signers=Signers(tmp_path)) as services:
        viewer = await demo(services)
        await person(services, viewer, "one@demo.test")
        await person(services, viewer, "two@demo.test")
        signer = await person(services, viewer, "signer@demo.test")
        key = trusted(tmp_path, "demo", "signer@demo.test")
        unsigned = await validated(services, await asked(services, **RESTRICTED))
        assert wrong(unsigned) == [(Code.SIGNATURE_MISSING, None, None)]
        digest = unsigned.package_digest
        for bad in (signed(trusted(tmp_path, "others", "x@y.test"), digest), signed(key, digest, "text/plain")):
            await sign_package(services, viewer, digest, bad)
            refused = await validated(services, await asked(services, **RESTRICTED))
            assert wrong(refused) == [(Code.SIGNATURE_UNVERIFIED, None, None)]
        await sign_package(services, viewer, digest, signed(key, digest))
        passed = await validated(services, await asked(services, **RESTRICTED))
        review = await review_of(services, passed)
        assert (passed.status, passed.quorum) == (S.IN_REVIEW, 2)
        assert signer.user.id in review.excluded
        assert Passed.SIGNATURE_VERIFIED in {check.code for check in passed.checks}


async def test_before_any_key_is_trusted_nobody_knows_the_signer(database_url: str, tmp_path: Path) -> None:
    async with process(database_url, signers=Signers(tmp_path)) as services:
        viewer = await demo(services)
        unsigned = await validated(services, await asked(services, **RESTRICTED))
        other_tenants = trusted(tmp_path, "others", "x@y.test")
        await sign_package(services, viewer, unsigned.package_digest, signed(other_tenants, unsigned.package_digest))
        told = await validated(services, await asked(services, **RESTRICTED))
        assert (told.status, told.quorum) == (S.IN_REVIEW, 2)
        codes = {check.code for check in told.checks}
        assert (Code.SIGNER_UNKNOWN in codes, Passed.SIGNATURE_VERIFIED in codes) == (True, False)
        trusted(tmp_path, "demo", "signer@demo.test")
        refused = await validated(services, await asked(services, **RESTRICTED))
        assert (refused.status, wrong(refused)) == (S.INVALID, [(Code.SIGNATURE_UNVERIFIED, None, None)])


async def test_a_store_that_is_more_sensitive_counts(database_url: str) -> None:
    data = MANIFEST["data"] | {"stores": [MANIFEST["data"]["stores"][0] | {"sensitivity": "RESTRICTED"}]}
    async with process(database_url) as services:
        deployment = await validated(services, await asked(services, data=data))
        assert wrong(deployment) == [(Code.SIGNATURE_MISSING, None, None)]
        assert (await version_of(services, deployment)).classification == "restricted"


async def test_owner_uploader_and_lender_may_not_vote(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        owner = await person(services, viewer, "owner@demo.test")
        uploader = await person(services, viewer, "uploader@demo.test", Role.DEVELOPER, Role.SECURITY_REVIEWER)
        lender = await person(services, viewer, "lender@demo.test", Role.ADMIN)
        reviewer = await person(services, viewer, "free@demo.test")
        data = mine(owners=["Owner@demo.test"])
        await uploaded(services, uploader, data)
        lent = await by_token(services, lender, viewer)
        deployment = await submitted(services, lent, await an_agent(services, viewer), data=data)
        review = await review_of(services, await validated(services, deployment))
        assert set(review.excluded) == {each.user.id for each in (viewer, owner, uploader, lender)}
        assert [len(await inbox(services, each)) for each in (owner, uploader, reviewer)] == [0, 0, 1]


async def test_too_few_reviewers_are_told_to_those_who_can_help(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        admin = await person(services, viewer, "admin@demo.test", Role.ADMIN)
        deployment = await validated(services, await asked(services))
        assert deployment.status is S.IN_REVIEW
        for each in (viewer, admin):
            assert NotificationKind.NO_ELIGIBLE_REVIEWER in {told.kind for told in await inbox(services, each)}


def test_the_kind_of_what_is_signed_is_that_of_envelopes() -> None:
    assert KIND == "application/vnd.in-toto+json"
