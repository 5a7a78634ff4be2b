"""What workers sign, and believe: what people said here, of these bytes, under this policy, as far as it counts."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from tests.operations.pipeline_world import registered, stored
from tests.operations.review_world import approve, person, review_of, reviewable
from tests.operations.test_approve_deployment import RESTRICTED
from tests.operations.world import demo, process
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.ids import new_id
from windtunnel.domain.reviews import Decision, ReviewStatus, Vote
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.approvals import (
    ApprovalInvalidError,
    check_approval,
    check_kept_approval,
    signed_approval,
)
from windtunnel.operations.services import Services
from windtunnel.storage import deployments, people, review_changes
from windtunnel.storage.store import DatabaseRole, Store, open_store
from windtunnel.vault.approvals import ApprovalKeys
from windtunnel.vault.sealing import KEY_BYTES, Vault

Tamper = Callable[[Services, Store, Deployment], Awaitable[None]]
DAY = timedelta(days=1)


async def approved(services: Services, dev: Viewer) -> Deployment:
    ada = await person(services, dev, "ada@example.org")
    return await approve(services, ada, await reviewable(services, dev))


async def signed(services: Services, deployment: Deployment) -> Deployment:
    return await kept(services, deployment, await signed_approval(services, deployment))


async def kept(services: Services, deployment: Deployment, approval: str) -> Deployment:
    await services.store.of(deployment.tenant_id).fetch(
        "UPDATE deployments SET approval = $2 WHERE id = $1", deployment.id, approval
    )
    return await stored(services, deployment)


async def test_the_statement_says_who_approved_what(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        ada, bob = await person(services, dev, "ada@example.org"), await person(services, dev, "bob@example.org")
        asked = await reviewable(services, dev, **RESTRICTED)
        await approve(services, ada, asked)
        made = await signed(services, await approve(services, bob, asked))
        await check_approval(services, made)
        await check_kept_approval(services, made)
        assert services.approvals
        approval = services.approvals.verify_approval(made.approval or "")
        review = await review_of(services, made)
        assert [each.person_id for each in approval.approvers] == [ada.user.id, bob.user.id]
        assert (approval.deployment_id, approval.package_digest) == (made.id, asked.package_digest)
        assert (approval.policy_digest, approval.config_digest) == (review.policy_digest, review.config_digest)
        assert (approval.quorum, approval.not_after) == (2, made.execute_by)
        other = services.approvals.verify_approval(await signed_approval(services, made))
        assert other.nonce != approval.nonce


async def votes_by_sql(services: Services, unguarded: Store, asked: Deployment) -> None:
    """Two people are reviewers, and nobody has asked them."""
    review = await review_of(services, asked)
    for name in ("ada", "bob"):
        voter = await person(services, await demo(services), f"{name}@example.org")
        vote = Vote(review.id, voter.user.id, Decision.APPROVE, asked.package_digest, None, None, review.queued_at)
        assert await review_changes.vote(unguarded, asked.tenant_id, replace(vote, seal="v1.0.0"))
    await decided_by_sql(unguarded, asked)


async def votes_with_the_seal_of_another(services: Services, unguarded: Store, asked: Deployment) -> None:
    """A vote for another package, copied as it is."""
    dev = await demo(services)
    other = await approved(services, dev)
    await unguarded.of(asked.tenant_id).fetch(
        "INSERT INTO review_votes SELECT $1, v.person_id, v.tenant_id, v.decision, $2, v.comment, v.token_id, v.at_ms,"
        " v.seal FROM review_votes AS v JOIN reviews AS r ON r.id = v.review_id WHERE r.deployment_id = $3",
        (await review_of(services, asked)).id,
        asked.package_digest,
        other.id,
    )
    await decided_by_sql(unguarded, asked)


async def decided_by_sql(unguarded: Store, asked: Deployment) -> None:
    await unguarded.of(asked.tenant_id).fetch(
        "UPDATE deployments SET status = 'APPROVED', approved_ms = {now}, execute_by_ms = {now} + 60000, due_ms = {now}"
        " WHERE id = $1",
        asked.id,
    )
    await review_changes.ended(unguarded, asked.tenant_id, asked.id, ReviewStatus.APPROVED)


@pytest.mark.parametrize("tamper", [votes_by_sql, votes_with_the_seal_of_another])
async def test_votes_that_nobody_gave_are_not_enough(tamper: Tamper, database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services:
        asked = await reviewable(services, await demo(services))
        await tamper(services, unguarded, asked)
        with pytest.raises(ApprovalInvalidError, match="0 of 1") as refused:
            await signed_approval(services, await stored(services, asked))
        assert refused.value.code is ErrorCode.APPROVAL_INVALID


async def lowered_policy(services: Services, unguarded: Store, made: Deployment) -> None:
    await without_guards(unguarded, "reviews", "reviews_go_on")
    policy = orjson.dumps({"quorum": 1, "signature_required": False, "classification": "public", "default_hours": 4.0})
    await unguarded.of(made.tenant_id).fetch(
        "UPDATE reviews SET policy = $2 WHERE deployment_id = $1", made.id, policy.decode()
    )


async def another_configuration(services: Services, unguarded: Store, made: Deployment) -> None:
    await without_guards(unguarded, "reviews", "reviews_go_on")
    await unguarded.of(made.tenant_id).fetch(
        "UPDATE reviews SET config_digest = $2 WHERE deployment_id = $1", made.id, "c" * 64
    )


async def another_policy(services: Services, unguarded: Store, made: Deployment) -> None:
    await without_guards(unguarded, "reviews", "reviews_go_on")
    await unguarded.of(made.tenant_id).fetch(
        "UPDATE reviews SET policy_digest = $2 WHERE deployment_id = $1", made.id, "c" * 64
    )


async def shortened_exclusions(services: Services, unguarded: Store, made: Deployment) -> None:
    await without_guards(unguarded, "reviews", "reviews_go_on")
    await unguarded.of(made.tenant_id).fetch("UPDATE reviews SET excluded = '[]' WHERE deployment_id = $1", made.id)


async def edited_manifest(services: Services, unguarded: Store, made: Deployment) -> None:
    await without_guards(unguarded, "agent_versions", "agent_versions_go_on")
    await unguarded.of(made.tenant_id).fetch(
        "UPDATE agent_versions SET manifest = replace(manifest, 'urgency', 'whim') WHERE id = $1", made.version_id
    )


async def edited_digests(services: Services, unguarded: Store, made: Deployment) -> None:
    await without_guards(unguarded, "agent_versions", "agent_versions_go_on")
    for table, key in (("agent_versions", made.version_id), ("deployments", made.id)):
        await unguarded.of(made.tenant_id).fetch(
            f"UPDATE {table} SET manifest_digest = $2 WHERE id = $1",
            key,
            "e" * 64,
        )


async def another_number(services: Services, unguarded: Store, made: Deployment) -> None:
    await without_guards(unguarded, "agent_versions", "agent_versions_go_on")
    await unguarded.of(made.tenant_id).fetch(
        "UPDATE agent_versions SET version = '9.9.9' WHERE id = $1", made.version_id
    )


async def another_agent(services: Services, unguarded: Store, made: Deployment) -> None:
    """One that is trusted, perhaps: its version and its deployment are those of what somebody reviewed as another."""
    other = await registered(services, await demo(services), f"agent-{new_id()[-12:]}")
    await without_guards(unguarded, "agent_versions", "agent_versions_go_on")
    await without_guards(unguarded, "deployments", "deployments_go_on")
    scope = unguarded.of(made.tenant_id)
    version_id = new_id()
    await scope.fetch(
        "INSERT INTO agent_versions (id, tenant_id, agent_id, version, package_digest, manifest_digest, manifest,"
        " classification, submitted_by, created_ms, bound, state)"
        " SELECT $2, tenant_id, $3, version, package_digest, manifest_digest, manifest, classification, submitted_by,"
        " created_ms, TRUE, 'CANDIDATE' FROM agent_versions WHERE id = $1",
        made.version_id,
        version_id,
        other.id,
    )
    await scope.fetch(
        "UPDATE deployments SET agent_id = $2, version_id = $3 WHERE id = $1", made.id, other.id, version_id
    )


async def longer_time(services: Services, unguarded: Store, made: Deployment) -> None:
    await unguarded.of(made.tenant_id).fetch(
        "UPDATE deployments SET approved_ms = approved_ms + 3600000, execute_by_ms = execute_by_ms + 3600000"
        " WHERE id = $1",
        made.id,
    )


async def a_role_taken_away(services: Services, unguarded: Store, made: Deployment) -> None:
    ada = await people.of_email(services.store, made.tenant_id, "ada@example.org")
    assert ada
    async with services.store.transaction(made.tenant_id):
        await people.set_roles(services.store, made.tenant_id, ada.id, {Role.ADMIN})


async def an_edited_vote(services: Services, unguarded: Store, made: Deployment) -> None:
    await without_guards(unguarded, "review_votes", "review_votes_no_update", "review_votes_append_only")
    await unguarded.of(made.tenant_id).fetch(
        "UPDATE review_votes SET comment = 'Not this!' WHERE review_id = $1", (await review_of(services, made)).id
    )


TAMPERS: tuple[Tamper, ...] = (
    lowered_policy,
    another_policy,
    another_configuration,
    shortened_exclusions,
    edited_manifest,
    edited_digests,
    another_number,
    another_agent,
    longer_time,
    a_role_taken_away,
    an_edited_vote,
)


async def without_guards(unguarded: Store, table: str, *triggers: str) -> None:
    """What the owner of the database can do."""
    for trigger in triggers:
        on = f" ON {table}" if unguarded.dialect == "postgres" else ""
        await unguarded.fetch(f"DROP TRIGGER IF EXISTS {trigger}{on}")


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.__name__)
async def test_what_was_changed_is_not_approved_any_more(tamper: Tamper, database_url: str, unguarded: Store) -> None:
    async with process(database_url) as services:
        made = await signed(services, await approved(services, await demo(services)))
        await check_approval(services, made)
        await tamper(services, unguarded, made)
        changed = await stored(services, made)
        for ask in (check_approval, signed_approval):
            with pytest.raises(ApprovalInvalidError):
                await ask(services, changed)


async def test_what_was_approved_elsewhere_or_by_nobody(database_url: str) -> None:
    async with process(database_url) as services:
        dev = await demo(services)
        made, other = await approved(services, dev), await approved(services, dev)
        for approval, reason in (
            (await signed_approval(services, other), "another deployment"),
            ("{}", "cannot be read"),
            ("", "cannot be read"),
        ):
            changed = await kept(services, made, approval)
            for check in (check_approval, check_kept_approval):
                with pytest.raises(ApprovalInvalidError, match=reason):
                    await check(services, changed)
        with pytest.raises(ApprovalInvalidError, match="no signed approval"):
            await check_approval(services, replace(made, approval=None))
        foreign = replace(services, approvals=ApprovalKeys.generate())
        changed = await kept(services, made, await signed_approval(foreign, made))
        with pytest.raises(ApprovalInvalidError, match="not signed by a worker of this installation"):
            await check_approval(services, changed)
        robbed = replace(services, vault=Vault([b"x" * KEY_BYTES]))
        with pytest.raises(ApprovalInvalidError, match="0 of 1"):
            await signed_approval(robbed, made)


async def test_what_has_lapsed_can_still_be_restored(database_url: str) -> None:
    async with process(database_url) as services:
        made = await signed(services, await approved(services, await demo(services)))
        services.store.clock_offset = DAY
        with pytest.raises(ApprovalInvalidError, match="lapsed"):
            await check_approval(services, made)
        await check_kept_approval(services, made)
        with pytest.raises(ApprovalInvalidError):
            await check_kept_approval(services, replace(made, version_id=new_id()))


async def test_a_worker_may_count_and_not_vote(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as services:
        dev = await demo(services)
        made = await approved(services, dev)
        worker = await open_store(postgres_database_url, role=DatabaseRole.WORKER)
        try:
            at_work = replace(services, store=worker)
            await check_approval(at_work, replace(made, approval=await signed_approval(at_work, made)))
            assert await deployments.get(worker, dev.tenant_id, made.id) == made
            vote = Vote(
                (await review_of(services, made)).id, dev.user.id, Decision.APPROVE, "a" * 64, None, None, made.due_at
            )
            with pytest.raises(Exception, match="permission denied"):
                await review_changes.vote(worker, dev.tenant_id, replace(vote, seal="s"))
        finally:
            await worker.close()
