"""Taking a version back out of production, and what everybody who works with production must hear of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from windtunnel.domain.agents import Agent
from windtunnel.domain.deployments import Deployment


class RollbackStatus(StrEnum):
    """RUNNING until the version is restored (SUCCEEDED) or cannot be in time (FAILED)."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Rollback:
    """A rollback as stored. `deployment_id` is the one that is taken away. `pointer_fence` is what it may switch under.

    `notified` are the workflows that were told, by their global ids; `told` are the people, who hear of its end, too.
    """

    id: str
    tenant_id: str
    agent_id: str
    deployment_id: str
    from_version_id: str
    to_version_id: str
    status: RollbackStatus
    step: str
    reason: str
    requested_by: str
    request_id: str
    started_at: datetime
    deadline: datetime
    pointer_fence: int
    notified: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    finished_at: datetime | None = None
    duration_ms: int | None = None
    failure: str | None = None
    fence: int = 0
    lease_owner: str | None = None


class ProductionEventKind(StrEnum):
    """What happened to production."""

    VERSION_LIVE = "VERSION_LIVE"
    ROLLBACK_STARTED = "ROLLBACK_STARTED"
    ROLLBACK_COMPLETED = "ROLLBACK_COMPLETED"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    CONFIGURATION_CHANGED = "CONFIGURATION_CHANGED"


@dataclass(frozen=True, slots=True)
class ProductionEvent:
    """Something that happened to production, numbered without gaps in its tenant.

    Of a rollback, `version_id` is its target and `previous_id` the one taken away; both None for configuration.
    """

    seq: int
    at: datetime
    kind: ProductionEventKind
    agent_id: str | None = None
    version_id: str | None = None
    previous_id: str | None = None


def is_held(agent: Agent, deployment: Deployment) -> bool:
    """Whether the hold of a rollback keeps this request from being deployed: it was submitted before."""
    return agent.held_at is not None and deployment.submitted_at <= agent.held_at
