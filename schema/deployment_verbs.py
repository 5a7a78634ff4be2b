"""Inputs and payloads of the mutations that submit, follow up and decide deployments."""

from datetime import datetime

import strawberry

from resolvers import pipeline
from schema.agents import Agent
from schema.deployments import Deployment
from schema.digests import plain_digest
from schema.fields import resolved
from schema.ids import Kind, decode, demand
from schema.info import Info, given
from schema.payloads import Payload
from schema.reviews import SecurityReview
from windtunnel.domain.entities import Subject
from windtunnel.domain.failures import Severity
from windtunnel.domain.reviews import Finding
from windtunnel.domain.submissions import RegisterRequest, SubmitRequest
from windtunnel.operations.approve_deployment import ApproveRequest
from windtunnel.operations.reject_deployment import RejectRequest

_ONCE = "The same key and input do nothing a second time, and give the same thing again, for 24 hours."


def raw_agent(id: strawberry.ID) -> str:
    """The stored id that an input names; NotFoundError for one that cannot name an agent."""
    return demand(Kind.AGENT, id, ("input", "agent_id"))


def raw_deployment(id: strawberry.ID) -> str:
    """The stored id that an input names; NotFoundError for one that cannot name a deployment."""
    return demand(Kind.DEPLOYMENT, id, ("input", "deployment_id"))


@strawberry.input(description="Which agent to register.")
class RegisterAgentInput:
    """The input of `registerAgent`."""

    slug: str = strawberry.field(
        description="Its short name, which stays: lower-case letters, digits and hyphens. Manifests of its packages "
        "name it `TENANT/SLUG`."
    )
    name: str = strawberry.field(description="How to call it.")
    description: str = strawberry.field(description="What it is for.")
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)

    def request(self) -> RegisterRequest:
        """The input as plain values."""
        return RegisterRequest(self.slug, self.name, self.description, given(self.idempotency_key))


@strawberry.type(description="Outcome of `registerAgent`.")
class RegisterAgentPayload(Payload):
    """The agent, or why there is none."""

    agent: Agent | None = strawberry.field(default=None, description="The agent.")


@strawberry.input(description="Which package to deploy as which agent.")
class SubmitDeploymentInput:
    """The input of `submitDeployment`."""

    agent_id: strawberry.ID = strawberry.field(description="The agent; the manifest has to name it, too.")
    package_digest: str = strawberry.field(
        description="The sha256 of an uploaded package; name, version and data access come from its manifest."
    )
    changelog: str | None = strawberry.field(default=strawberry.UNSET, description="What is new, for the reviewers.")
    evidence_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Simulations or experiments to show the reviewers; they must have run this package.",
    )
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)

    def request(self) -> SubmitRequest:
        """The input as plain values; NotFoundError for an id that cannot name an agent."""
        return SubmitRequest(
            agent_id=raw_agent(self.agent_id),
            package_digest=plain_digest(self.package_digest),
            changelog=given(self.changelog),
            evidence=tuple(_subject(each) for each in given(self.evidence_ids) or ()),
            idempotency_key=given(self.idempotency_key),
        )


@strawberry.type(description="Outcome of `submitDeployment`.")
class SubmitDeploymentPayload(Payload):
    """The deployment, or why there is none."""

    deployment: Deployment | None = strawberry.field(
        default=None, description="The deployment: follow it with `deploymentEvents`."
    )

    @resolved("When a decision is expected; the same as `deployment.review.expectedBy` once there is a review.")
    async def expected_review_by(self, info: Info) -> datetime | None:
        """Reckoned when asked for."""
        deployment = self.deployment
        return None if deployment is None else await pipeline.expected_by(info.context, deployment.source)


@strawberry.input(description="Which deployment to take back.")
class WithdrawDeploymentInput:
    """The input of `withdrawDeployment`."""

    deployment_id: strawberry.ID = strawberry.field(description="One that nobody has decided yet.")
    reason: str | None = strawberry.field(default=strawberry.UNSET, description="Why, for the record.")
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)


@strawberry.type(description="Outcome of `withdrawDeployment`.")
class WithdrawDeploymentPayload(Payload):
    """The deployment, or why it is as before."""

    deployment: Deployment | None = strawberry.field(default=None, description="The deployment, as it is now.")


@strawberry.input(description="Which review to take up.")
class ClaimReviewInput:
    """The input of `claimReview`."""

    review_id: strawberry.ID = strawberry.field(description="One that waits; others can decide it all the same.")

    def raw(self) -> str:
        """The stored id; NotFoundError for one that cannot name a review."""
        return demand(Kind.REVIEW, self.review_id, ("input", "review_id"))


@strawberry.type(description="Outcome of `claimReview`.")
class ClaimReviewPayload(Payload):
    """The review, or why it is as before."""

    review: SecurityReview | None = strawberry.field(default=None, description="The review, as it is now.")


@strawberry.input(description="Which deployment to approve, and what was read of it.")
class ApproveDeploymentInput:
    """The input of `approveDeployment`."""

    deployment_id: strawberry.ID = strawberry.field(description="One in review, and not the viewer's own.")
    reviewed_digest: str = strawberry.field(
        description="The digest of the package that the reviewer read; another one is refused with DIGEST_MISMATCH."
    )
    comment: str | None = strawberry.field(default=strawberry.UNSET, description="What there is to add.")
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)

    def request(self) -> ApproveRequest:
        """The input as plain values; NotFoundError for an id that cannot name a deployment."""
        return ApproveRequest(
            deployment_id=raw_deployment(self.deployment_id),
            reviewed_digest=plain_digest(self.reviewed_digest),
            comment=given(self.comment),
            idempotency_key=given(self.idempotency_key),
        )


@strawberry.type(description="Outcome of `approveDeployment`.")
class ApproveDeploymentPayload(Payload):
    """The deployment, or why the vote does not count."""

    deployment: Deployment | None = strawberry.field(
        default=None, description="The deployment, as it is now: APPROVED when no further vote is needed."
    )


@strawberry.input(description="What was found, and what would remedy it.")
class ReviewFindingInput:
    """One of `findings` of `rejectDeployment`."""

    severity: Severity = strawberry.field(description="How bad it is.")
    title: str = strawberry.field(description="What it is, in a line.")
    detail: str = strawberry.field(description="More about it.")
    remediation: str = strawberry.field(description="What to do about it.")


@strawberry.input(description="Which deployment to reject, and why.")
class RejectDeploymentInput:
    """The input of `rejectDeployment`."""

    deployment_id: strawberry.ID = strawberry.field(description="One in review, and not the viewer's own.")
    reason: str = strawberry.field(description="Why, in at least 20 characters.")
    findings: list[ReviewFindingInput] = strawberry.field(description="At least one.")
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)

    def request(self) -> RejectRequest:
        """The input as plain values; NotFoundError for an id that cannot name a deployment."""
        return RejectRequest(
            deployment_id=raw_deployment(self.deployment_id),
            reason=self.reason,
            findings=tuple(Finding(each.severity, each.title, each.detail, each.remediation) for each in self.findings),
            idempotency_key=given(self.idempotency_key),
        )


@strawberry.type(description="Outcome of `rejectDeployment`.")
class RejectDeploymentPayload(Payload):
    """The deployment, or why it is as before."""

    deployment: Deployment | None = strawberry.field(default=None, description="The deployment, as it is now.")


@strawberry.input(description="Which deployment to try once more.")
class RetryDeploymentInput:
    """The input of `retryDeployment`."""

    deployment_id: strawberry.ID = strawberry.field(
        description="One that failed, fewer than three times, and was approved less than 24 hours ago."
    )
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)


@strawberry.type(description="Outcome of `retryDeployment`.")
class RetryDeploymentPayload(Payload):
    """The deployment, or why it is as before."""

    deployment: Deployment | None = strawberry.field(default=None, description="The deployment, as it is now.")


def _subject(id: strawberry.ID) -> Subject | None:
    named = decode(id)
    return None if named is None else Subject(*named)
