"""Feature flags, and setting them."""

from typing import Self

import strawberry

from schema.info import given
from schema.payloads import Payload
from windtunnel.domain import flags as domain
from windtunnel.domain.flags import RolloutStage


@strawberry.type(description="A feature that can be switched.")
class FeatureFlag:
    """Shows `flags.FeatureFlag`."""

    name: str = strawberry.field(description="Its name.")
    enabled: bool = strawberry.field(description="Whether it is on; off is off for everybody.")
    stage: RolloutStage = strawberry.field(description="For whom it is there while it is on.")
    pilots: list[str] = strawberry.field(description="Slugs of the pilot agents.")

    @classmethod
    def of(cls, flag: domain.FeatureFlag) -> Self:
        """The flag as data."""
        return cls(name=flag.name.value, enabled=flag.enabled, stage=flag.stage, pilots=list(flag.pilots))


@strawberry.input(description="Which feature to switch, and for whom it is to be there.")
class SetFeatureFlagInput:
    """The input of `setFeatureFlag`."""

    name: str = strawberry.field(description="Its name, as in Health.features.")
    enabled: bool = strawberry.field(description="Whether it is to be on.")
    stage: RolloutStage | None = strawberry.field(
        default=strawberry.UNSET, description="For whom it is to be there; as before when absent."
    )
    pilots: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Slugs of the pilot agents, at most 100; as before when absent."
    )

    def change(self) -> tuple[str, bool, RolloutStage | None, list[str] | None]:
        """Name, switch, stage and pilots as plain values."""
        return self.name, self.enabled, given(self.stage), given(self.pilots)


@strawberry.type(description="Outcome of `setFeatureFlag`.")
class SetFeatureFlagPayload(Payload):
    """The flag, or why it was not set."""

    flag: FeatureFlag | None = strawberry.field(default=None, description="The flag, as it is now.")
