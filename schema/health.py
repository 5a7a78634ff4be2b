"""Server state."""

from datetime import datetime
from typing import Self

import strawberry

from resolvers import flags
from resolvers import health as checks
from resolvers.health import HealthStatus
from schema.enums.describe import describe
from schema.fields import resolved
from schema.flags import FeatureFlag
from schema.info import Info
from windtunnel.domain.planning import PlannerMode

describe(
    HealthStatus,
    "How well a part of the server works.",
    {"OK": "As it should.", "DEGRADED": "It works, but less well.", "DOWN": "It does not work."},
)


@strawberry.type(description="One thing that the server depends on.")
class ComponentHealth:
    """Shows `health.Component`."""

    name: str = strawberry.field(description="What it is, e.g. database.")
    status: HealthStatus = strawberry.field(description="How well it works.")
    latency_ms: float | None = strawberry.field(description="How long its answer took; null when it was not asked.")
    detail: str | None = strawberry.field(description="What is wrong, or which kind it is.")

    @classmethod
    def of(cls, component: checks.Component) -> Self:
        """The component as data."""
        return cls(
            name=component.name, status=component.status, latency_ms=component.latency_ms, detail=component.detail
        )


@strawberry.type(
    description="Which planner answers: the built-in offline one or a model through the OpenAI Agents SDK."
)
class PlannerInfo:
    """Shows the planner."""

    mode: PlannerMode = strawberry.field(description="Which kind of model.")
    model: str | None = strawberry.field(description="Its name; null offline.")


@strawberry.type(description="Server state.")
class Health:
    """Shows `health.Health`."""

    status: HealthStatus = strawberry.field(description="How well the server works as a whole.")
    version: str = strawberry.field(description="Release of the server.")
    started_at: datetime = strawberry.field(description="When this process started.")
    components: list[ComponentHealth] = strawberry.field(description="What it depends on.")
    planner: PlannerInfo = strawberry.field(description="Which planner answers.")

    @resolved("What can be switched: as the viewer's tenant has set it, or as it is by default.")
    async def features(self, info: Info) -> list[FeatureFlag]:
        """Read when asked for."""
        return [FeatureFlag.of(flag) for flag in await flags.features(info.context)]

    @classmethod
    def of(cls, health: checks.Health) -> Self:
        """The state as data."""
        return cls(
            status=health.status,
            version=health.version,
            started_at=health.started_at,
            components=[ComponentHealth.of(component) for component in health.components],
            planner=PlannerInfo(mode=health.planner_mode, model=health.planner_model),
        )
