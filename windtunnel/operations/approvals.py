"""Approvals, for those who deploy: votes are counted again and what they led to is signed; later it is looked at again.

Who can only write to the database, whatever they write, gets nothing deployed: what a review began as and what was said
in it are sealed with the vault's key, and approvals are signed with a key that processes without a worker do not have.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from windtunnel.domain.agents import AgentVersion
from windtunnel.domain.approvals import Approval, Approver
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.errors import ErrorCode, PolicyError
from windtunnel.domain.review_rules import digest_of_json
from windtunnel.domain.reviews import Review, ReviewStatus, Vote
from windtunnel.operations.approve_deployment import EXECUTE_WITHIN
from windtunnel.operations.counting_votes import votes_that_count
from windtunnel.operations.review_people import behind_tokens
from windtunnel.operations.services import Services
from windtunnel.storage import agent_versions, reviews
from windtunnel.vault.approvals import ApprovalKeys, ApprovalRefusedError

_NONCE_BYTES = 16


class ApprovalInvalidError(PolicyError):
    """A deployment is not approved, or not any more, or not for what it is now; the message is one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, policy="approval", code=ErrorCode.APPROVAL_INVALID)


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What an approval rests on, as it is now."""

    version: AgentVersion
    review: Review
    votes: list[Vote]
    approved_at: datetime
    execute_by: datetime


async def signed_approval(services: Services, deployment: Deployment) -> str:
    """The signed statement for a deployment whose votes, counted now, suffice. Raises ApprovalInvalidError."""
    grounds = await _grounds(services, deployment)
    approval = Approval(
        tenant_id=deployment.tenant_id,
        agent_id=deployment.agent_id,
        deployment_id=deployment.id,
        version_id=grounds.version.id,
        package_digest=deployment.package_digest,
        manifest_digest=grounds.version.manifest_digest,
        policy_digest=grounds.review.policy_digest,
        config_digest=grounds.review.config_digest,
        quorum=grounds.review.policy.quorum,
        approvers=tuple(Approver(vote.person_id, vote.at) for vote in grounds.votes),
        approved_at=grounds.approved_at,
        not_after=grounds.execute_by,
        nonce=secrets.token_hex(_NONCE_BYTES),
    )
    return _keys(services).sign_approval(approval)


async def check_approval(services: Services, deployment: Deployment) -> None:
    """Before each attempt to deploy: the statement is ours and about this, its votes still count, it is still in time.

    Raises ApprovalInvalidError.
    """
    approval = await _about(services, deployment)
    grounds = await _grounds(services, deployment)
    if (approval.policy_digest, approval.config_digest, approval.quorum) != (
        grounds.review.policy_digest,
        grounds.review.config_digest,
        grounds.review.policy.quorum,
    ):
        raise ApprovalInvalidError("The approval was given under another policy or configuration than this.")
    valid = {(vote.person_id, vote.at) for vote in grounds.votes}
    if not {(each.person_id, each.at) for each in approval.approvers} <= valid:
        raise ApprovalInvalidError("Somebody who approved may not review any more.")
    if await services.store.now() >= approval.not_after:
        raise ApprovalInvalidError("The approval has lapsed: it is good for 24 hours.")


async def check_kept_approval(services: Services, deployment: Deployment) -> None:
    """Before what was in production once is restored: the statement is ours, and about these bytes.

    Who approved it, and when, does not matter any more. Raises ApprovalInvalidError.
    """
    await _about(services, deployment)


async def _about(services: Services, deployment: Deployment) -> Approval:
    """What the deployment's statement says, which is signed here and about exactly this."""
    if deployment.approval is None:
        raise ApprovalInvalidError("There is no signed approval.")
    try:
        approval = _keys(services).verify_approval(deployment.approval)
    except ApprovalRefusedError as refused:
        raise ApprovalInvalidError(str(refused)) from None
    version = await _version(services, deployment)
    said = (approval.tenant_id, approval.agent_id, approval.deployment_id, approval.version_id)
    if said != (deployment.tenant_id, deployment.agent_id, deployment.id, version.id):
        raise ApprovalInvalidError("The approval is about another deployment.")
    if (approval.package_digest, approval.manifest_digest) != (deployment.package_digest, version.manifest_digest):
        raise ApprovalInvalidError("The approval is about other bytes than these.")
    return approval


async def _grounds(services: Services, deployment: Deployment) -> _Grounds:
    store, tenant_id = services.store, deployment.tenant_id
    version = await _version(services, deployment)
    review = (await reviews.of_deployments(store, tenant_id, [deployment.id])).get(deployment.id)
    if review is None or review.status is not ReviewStatus.APPROVED or deployment.quorum != review.policy.quorum:
        raise ApprovalInvalidError("Its review was not decided with an approval.")
    if deployment.approved_at is None or deployment.execute_by is None:
        raise ApprovalInvalidError("It is not approved.")
    votes = (await reviews.votes(store, tenant_id, [review.id]))[review.id]
    behind = await behind_tokens(store, tenant_id, [vote.token_id for vote in votes])
    counted = await votes_that_count(services, deployment, review, votes, behind)
    if len(counted) < review.policy.quorum:
        raise ApprovalInvalidError(
            f"It has {len(counted)} of {review.policy.quorum} approvals that count: of people who are reviewers now, "
            "had no part in it, and said so here, of exactly this."
        )
    if deployment.execute_by > max(vote.at for vote in counted) + EXECUTE_WITHIN:
        raise ApprovalInvalidError("Its approval was prolonged: it is good for 24 hours.")
    return _Grounds(version, review, counted, deployment.approved_at, deployment.execute_by)


async def _version(services: Services, deployment: Deployment) -> AgentVersion:
    """The version, which is of the bytes that the deployment was submitted with."""
    id = deployment.version_id or ""  # noqa: A001
    version = (await agent_versions.get_many(services.store, deployment.tenant_id, [id])).get(id)
    if version is None or version.agent_id != deployment.agent_id:
        raise ApprovalInvalidError("It has no version.")
    if version.package_digest != deployment.package_digest:
        raise ApprovalInvalidError("Its version is of another package.")
    if not version.manifest_digest == deployment.manifest_digest == digest_of_json(version.manifest):
        raise ApprovalInvalidError("Its manifest is not the one that was reviewed.")
    if version.version != version.manifest["version"]:
        raise ApprovalInvalidError("Its version has another number than its manifest.")
    return version


def _keys(services: Services) -> ApprovalKeys:
    if services.approvals is None:
        raise LookupError("only a worker has the keys for approvals")
    return services.approvals
