"""Inputs and payloads of the mutations that take versions back, and lift what that left behind."""

import strawberry

from schema.agent_versions import AgentVersion
from schema.agents import Agent
from schema.deployment_verbs import raw_agent
from schema.ids import Kind, demand
from schema.info import given
from schema.payloads import Payload
from schema.rollbacks import Rollback
from windtunnel.operations.rollback_deployment import RollbackRequest

_ONCE = "The same key and input do nothing a second time, and give the same thing again, for 24 hours."
_REASON = "Why, in at least 10 characters, for the record."


@strawberry.input(description="Which agent to roll back, and why.")
class RollbackDeploymentInput:
    """The input of `rollbackDeployment`."""

    agent_id: strawberry.ID = strawberry.field(description="One that is in production.")
    to_version_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="One of its `rollbackTargets`; what was in production before when absent.",
    )
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)

    def request(self) -> RollbackRequest:
        """The input as plain values; NotFoundError for an id that cannot name anything."""
        to_version = given(self.to_version_id)
        return RollbackRequest(
            agent_id=raw_agent(self.agent_id),
            reason=self.reason,
            to_version_id=(
                None if to_version is None else demand(Kind.AGENT_VERSION, to_version, ("input", "to_version_id"))
            ),
            idempotency_key=given(self.idempotency_key),
        )


@strawberry.type(description="Outcome of `rollbackDeployment`.")
class RollbackDeploymentPayload(Payload):
    """The rollback, or why there is none."""

    rollback: Rollback | None = strawberry.field(
        default=None, description="The rollback, under way: it is over within 60 seconds."
    )


@strawberry.input(description="Of which agent nothing is to be held any more.")
class ReleaseHoldInput:
    """The input of `releaseHold`."""

    agent_id: strawberry.ID = strawberry.field(description="One that a rollback has put on hold.")
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)


@strawberry.type(description="Outcome of `releaseHold`.")
class ReleaseHoldPayload(Payload):
    """The agent, or why it is as before."""

    agent: Agent | None = strawberry.field(default=None, description="The agent, as it is now.")


@strawberry.input(description="Which version can be restored again.")
class ReleaseQuarantineInput:
    """The input of `releaseQuarantine`."""

    version_id: strawberry.ID = strawberry.field(description="A QUARANTINED one.")
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)

    def raw(self) -> str:
        """The stored id; NotFoundError for one that cannot name a version."""
        return demand(Kind.AGENT_VERSION, self.version_id, ("input", "version_id"))


@strawberry.type(description="Outcome of `releaseQuarantine`.")
class ReleaseQuarantinePayload(Payload):
    """The version, or why it is as before."""

    version: AgentVersion | None = strawberry.field(default=None, description="The version, as it is now.")
