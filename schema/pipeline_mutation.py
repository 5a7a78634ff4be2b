"""The mutations of the deployment pipeline, from registering an agent to taking a version back."""

from typing import Annotated

import strawberry

from resolvers import pipeline
from schema.agent_versions import AgentVersion
from schema.agents import Agent
from schema.deployment_verbs import (
    ApproveDeploymentInput,
    ApproveDeploymentPayload,
    ClaimReviewInput,
    ClaimReviewPayload,
    RegisterAgentInput,
    RegisterAgentPayload,
    RejectDeploymentInput,
    RejectDeploymentPayload,
    RetryDeploymentInput,
    RetryDeploymentPayload,
    SubmitDeploymentInput,
    SubmitDeploymentPayload,
    WithdrawDeploymentInput,
    WithdrawDeploymentPayload,
    raw_agent,
    raw_deployment,
)
from schema.deployments import Deployment
from schema.fields import mutation
from schema.info import Info, given
from schema.reviews import SecurityReview
from schema.rollback_verbs import (
    ReleaseHoldInput,
    ReleaseHoldPayload,
    ReleaseQuarantineInput,
    ReleaseQuarantinePayload,
    RollbackDeploymentInput,
    RollbackDeploymentPayload,
)
from schema.rollbacks import Rollback
from windtunnel.domain.permissions import Action

_INPUT = strawberry.argument(description="What to do, in full.")


@strawberry.type(description="What can be done about agents in production.")
class PipelineMutation:
    """One field for each verb."""

    @mutation(Action.REGISTER_AGENT, "Register an agent: packages can be submitted for it then.")
    async def register_agent(self, info: Info, input: Annotated[RegisterAgentInput, _INPUT]) -> RegisterAgentPayload:
        """Its slug is taken from then on."""
        return RegisterAgentPayload(agent=Agent.of(await pipeline.register(info.context, input.request())))

    @mutation(
        Action.SUBMIT_DEPLOYMENT,
        "Submit an uploaded package (see `PUT /packages`); it always enters security review. "
        "Answers at once; it is validated within seconds.",
    )
    async def submit_deployment(
        self, info: Info, input: Annotated[SubmitDeploymentInput, _INPUT]
    ) -> SubmitDeploymentPayload:
        """A worker validates it."""
        made = await pipeline.submit(info.context, input.request())
        return SubmitDeploymentPayload(deployment=Deployment.of(made))

    @mutation(
        Action.WITHDRAW_DEPLOYMENT,
        "Take a submission back before it is decided; that of somebody else needs ADMIN.",
    )
    async def withdraw_deployment(
        self, info: Info, input: Annotated[WithdrawDeploymentInput, _INPUT]
    ) -> WithdrawDeploymentPayload:
        """For good."""
        raw, key = raw_deployment(input.deployment_id), given(input.idempotency_key)
        found = await pipeline.withdraw(info.context, raw, given(input.reason), key)
        return WithdrawDeploymentPayload(deployment=Deployment.of(found))

    @mutation(Action.CLAIM_REVIEW, "Say that you take up a review, so that others need not. Voting needs no claim.")
    async def claim_review(self, info: Info, input: Annotated[ClaimReviewInput, _INPUT]) -> ClaimReviewPayload:
        """Others see it at once."""
        return ClaimReviewPayload(review=SecurityReview.of(await pipeline.claim(info.context, input.raw())))

    @mutation(
        Action.APPROVE_DEPLOYMENT,
        "Approve: with the last approval that it needs, the deployment starts at once. "
        "Never by who has a part in what is reviewed.",
    )
    async def approve_deployment(
        self, info: Info, input: Annotated[ApproveDeploymentInput, _INPUT]
    ) -> ApproveDeploymentPayload:
        """One vote for each person."""
        found = await pipeline.approve(info.context, input.request())
        return ApproveDeploymentPayload(deployment=Deployment.of(found))

    @mutation(Action.REJECT_DEPLOYMENT, "Reject: one is enough. It needs a reason, and findings with their remedies.")
    async def reject_deployment(
        self, info: Info, input: Annotated[RejectDeploymentInput, _INPUT]
    ) -> RejectDeploymentPayload:
        """Who submitted it is told."""
        found = await pipeline.reject(info.context, input.request())
        return RejectDeploymentPayload(deployment=Deployment.of(found))

    @mutation(
        Action.RETRY_DEPLOYMENT,
        "Try a failed deployment once more: at most three attempts, within 24 hours of the approval.",
    )
    async def retry_deployment(
        self, info: Info, input: Annotated[RetryDeploymentInput, _INPUT]
    ) -> RetryDeploymentPayload:
        """By a worker."""
        found = await pipeline.retry(info.context, raw_deployment(input.deployment_id), given(input.idempotency_key))
        return RetryDeploymentPayload(deployment=Deployment.of(found))

    @mutation(
        Action.ROLLBACK_DEPLOYMENT,
        "Restore an earlier reviewed version within 60 s (30-day window). Without `toVersionId`: the previous one. "
        "What was submitted before is held until `releaseHold`.",
    )
    async def rollback_deployment(
        self, info: Info, input: Annotated[RollbackDeploymentInput, _INPUT]
    ) -> RollbackDeploymentPayload:
        """By a worker."""
        made = await pipeline.roll_back(info.context, input.request())
        return RollbackDeploymentPayload(rollback=Rollback.of(made))

    @mutation(Action.RELEASE_HOLD, "Lift the hold that a rollback put on submissions that were not deployed yet.")
    async def release_hold(self, info: Info, input: Annotated[ReleaseHoldInput, _INPUT]) -> ReleaseHoldPayload:
        """What was approved is deployed by itself."""
        raw, key = raw_agent(input.agent_id), given(input.idempotency_key)
        return ReleaseHoldPayload(agent=Agent.of(await pipeline.lift_hold(info.context, raw, input.reason, key)))

    @mutation(Action.RELEASE_QUARANTINE, "Make a version that a rollback took away eligible again.")
    async def release_quarantine(
        self, info: Info, input: Annotated[ReleaseQuarantineInput, _INPUT]
    ) -> ReleaseQuarantinePayload:
        """For further rollbacks."""
        key = given(input.idempotency_key)
        found = await pipeline.lift_quarantine(info.context, input.raw(), input.reason, key)
        return ReleaseQuarantinePayload(version=AgentVersion.of(found))
