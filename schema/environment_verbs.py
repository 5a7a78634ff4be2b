"""Inputs and payloads of the mutations on environments."""

from datetime import timedelta

import strawberry

from schema.environments import Environment
from schema.ids import Kind, demand
from schema.info import given
from schema.payloads import Payload
from schema.viewers import Tenant
from windtunnel.domain.environment_rules import LIFETIME, LimitsRequest
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.operations.provision_environment import ProvisionRequest

_ONCE = "The same key and input do nothing a second time, and give the environment again, for 24 hours."


def raw_environment(id: strawberry.ID) -> str:
    """The stored id that an input names; NotFoundError for one that cannot name an environment."""
    return demand(Kind.ENVIRONMENT, id, ("input", "environment_id"))


@strawberry.input(description="What may be used in an environment; the usual where nothing is said.")
class ResourceLimitsInput:
    """The `limits` of `provisionEnvironment`."""

    cpu: float | None = strawberry.field(
        default=strawberry.UNSET, description="Cores for one run of code, 0.1 to 4; 1 when absent."
    )
    memory_mb: int | None = strawberry.field(
        default=strawberry.UNSET, description="Memory of one run of code in MiB, 64 to 4096; 512 when absent."
    )
    storage_mb: int | None = strawberry.field(
        default=strawberry.UNSET, description="What may be kept in the environment in MiB, 16 to 4096; 256 when absent."
    )
    max_simulations: int | None = strawberry.field(
        default=strawberry.UNSET, description="Simulations running at once, 1 to 20; 5 when absent."
    )

    def request(self) -> LimitsRequest:
        """The limits as plain values."""
        return LimitsRequest(
            cpu=given(self.cpu),
            memory_mb=given(self.memory_mb),
            storage_mb=given(self.storage_mb),
            max_simulations=given(self.max_simulations),
        )


@strawberry.input(description="Which environment to provision. `lifetime`: PT10M to P7D.")
class ProvisionEnvironmentInput:
    """The input of `provisionEnvironment`."""

    name: str = strawberry.field(description="What it is for, in 1 to 100 characters.")
    lifetime: timedelta | None = strawberry.field(
        default=LIFETIME, description="How long it lives, PT10M to P7D; it is deleted by itself."
    )
    limits: ResourceLimitsInput | None = strawberry.field(
        default=strawberry.UNSET, description="What may be used in it."
    )
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)

    def request(self) -> ProvisionRequest:
        """The input as plain values."""
        limits = given(self.limits)
        return ProvisionRequest(
            name=self.name,
            lifetime=LIFETIME if self.lifetime is None else self.lifetime,
            limits=limits.request() if limits else LimitsRequest(),
            idempotency_key=given(self.idempotency_key),
        )


@strawberry.type(description="Outcome of `provisionEnvironment`.")
class ProvisionEnvironmentPayload(Payload):
    """The environment, or why there is none."""

    environment: Environment | None = strawberry.field(
        default=None, description="The environment, being provisioned: follow it with `environmentEvents`."
    )


@strawberry.input(
    description="Which environment to give how much time. `lifetime` counts from now; beyond createdAt + 7 days it is "
    "refused, not clamped."
)
class ExtendEnvironmentInput:
    """The input of `extendEnvironment`."""

    environment_id: strawberry.ID = strawberry.field(description="A READY or PAUSED one whose time is not over.")
    lifetime: timedelta = strawberry.field(
        description="How long it lives from now on, PT10M to P7D; that may also be less than before."
    )
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)


@strawberry.type(description="Outcome of `extendEnvironment`.")
class ExtendEnvironmentPayload(Payload):
    """The environment, or why its time is as before."""

    environment: Environment | None = strawberry.field(default=None, description="The environment, as it is now.")


@strawberry.input(description="Which environment to pause.")
class PauseEnvironmentInput:
    """The input of `pauseEnvironment`."""

    environment_id: strawberry.ID = strawberry.field(description="A READY one whose time is not over.")


@strawberry.type(description="Outcome of `pauseEnvironment`.")
class PauseEnvironmentPayload(Payload):
    """The environment, or why it was not paused."""

    environment: Environment | None = strawberry.field(default=None, description="The environment, as it is now.")


@strawberry.input(description="Which environment to resume.")
class ResumeEnvironmentInput:
    """The input of `resumeEnvironment`."""

    environment_id: strawberry.ID = strawberry.field(description="A PAUSED one whose time is not over.")


@strawberry.type(description="Outcome of `resumeEnvironment`.")
class ResumeEnvironmentPayload(Payload):
    """The environment, or why it was not resumed."""

    environment: Environment | None = strawberry.field(default=None, description="The environment, as it is now.")


@strawberry.input(description="Which environment is to have another copy of production's configuration.")
class RefreshEnvironmentInput:
    """The input of `refreshEnvironment`."""

    environment_id: strawberry.ID = strawberry.field(description="A READY or PAUSED one whose time is not over.")
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=_ONCE)


@strawberry.type(description="Outcome of `refreshEnvironment`.")
class RefreshEnvironmentPayload(Payload):
    """The environment, or why its copy is as before."""

    environment: Environment | None = strawberry.field(default=None, description="The environment, as it is now.")


@strawberry.input(description="Which environment to delete.")
class DeleteEnvironmentInput:
    """The input of `deleteEnvironment`."""

    environment_id: strawberry.ID = strawberry.field(
        description="An environment; one that is on its way out already stays as it is."
    )


@strawberry.type(description="Outcome of `deleteEnvironment`.")
class DeleteEnvironmentPayload(Payload):
    """The environment, or why it is not deleted."""

    environment: Environment | None = strawberry.field(
        default=None, description="The environment, being deleted: `cleanup` tells how far that has come."
    )


@strawberry.input(description="How well code must be kept in for any to run in environments of the tenant.")
class SetMinimumIsolationInput:
    """The input of `setMinimumIsolation`."""

    minimum: IsolationLevel = strawberry.field(description="The least that is enough; FULL when nobody ever said.")


@strawberry.type(description="Outcome of `setMinimumIsolation`.")
class SetMinimumIsolationPayload(Payload):
    """The tenant, or why nothing was set."""

    tenant: Tenant | None = strawberry.field(default=None, description="The tenant, as it is now.")
