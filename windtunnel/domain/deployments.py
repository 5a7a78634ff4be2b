"""A deployment: one request to bring one package of an agent into production, from submission to its end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from windtunnel.domain.packages import PackageCheck


class DeploymentStatus(StrEnum):
    """The states of a deployment; the legal transitions are in `pipeline_table`."""

    SUBMITTED = "SUBMITTED"
    VALIDATING = "VALIDATING"
    INVALID = "INVALID"
    IN_REVIEW = "IN_REVIEW"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    APPROVED = "APPROVED"
    HELD = "HELD"
    DEPLOYING = "DEPLOYING"
    DEPLOY_FAILED = "DEPLOY_FAILED"
    LIVE = "LIVE"
    RETIRED = "RETIRED"
    ROLLED_BACK = "ROLLED_BACK"
    LAPSED = "LAPSED"


FINAL_STATUSES = frozenset(
    {
        DeploymentStatus.INVALID,
        DeploymentStatus.REJECTED,
        DeploymentStatus.EXPIRED,
        DeploymentStatus.WITHDRAWN,
        DeploymentStatus.LAPSED,
        DeploymentStatus.RETIRED,
        DeploymentStatus.ROLLED_BACK,
    }
)
"""Where a stream of events ends; a rollback can still make a RETIRED or ROLLED_BACK one LIVE again."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as stored. `revision` rises with every change of it.

    `approval` is the signed statement (DSSE) that its votes led to. `due_at` is when a process should look at it again.
    """

    id: str
    tenant_id: str
    agent_id: str
    version_id: str | None
    package_digest: str
    manifest_digest: str | None
    status: DeploymentStatus
    submitted_by: str
    submitted_at: datetime
    token_id: str | None
    request_id: str
    changelog: str | None
    due_at: datetime
    checks: tuple[PackageCheck, ...] = ()
    quorum: int | None = None
    review_deadline: datetime | None = None
    approved_at: datetime | None = None
    execute_by: datetime | None = None
    approval: str | None = None
    attempts: int = 0
    deployed_at: datetime | None = None
    finished_at: datetime | None = None
    failure: str | None = None
    revision: int = 1
    last_seq: int = 0
    fence: int = 0
    lease_owner: str | None = None


@dataclass(frozen=True, slots=True)
class DeploymentFilter:
    """Which deployments are wanted; None: any. The moments are exclusive."""

    agent_id: str | None = None
    statuses: frozenset[DeploymentStatus] | None = None
    submitted_by: str | None = None
    submitted_after: datetime | None = None
    submitted_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeploymentEventDraft:
    """An event before it has a number; `actor_id` is the person who did it, None for the system."""

    status: DeploymentStatus
    step: str
    message: str
    actor_id: str | None = None
    progress: float | None = None


@dataclass(frozen=True, slots=True)
class DeploymentEvent:
    """Something that happened to a deployment, numbered without gaps."""

    deployment_id: str
    seq: int
    at: datetime
    status: DeploymentStatus
    step: str
    message: str
    actor_id: str | None
    progress: float | None
