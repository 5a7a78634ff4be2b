"""The security review of a deployment: who may decide, by when, what was decided and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from windtunnel.domain.failures import Severity


class ReviewStatus(StrEnum):
    """QUEUED -> IN_REVIEW (claimed) -> APPROVED, REJECTED, EXPIRED or WITHDRAWN; deciding needs no claim."""

    QUEUED = "QUEUED"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


WAITING_STATUSES = frozenset({ReviewStatus.QUEUED, ReviewStatus.IN_REVIEW})


class Decision(StrEnum):
    """What one person says."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a review needs, as it was when it began: it is kept with the review, and changes of it come too late."""

    quorum: int
    signature_required: bool
    classification: str
    default_hours: float


@dataclass(frozen=True, slots=True)
class Review:
    """A review as stored. `excluded` are people who had a part in what is reviewed and may not vote.

    `seal` binds what must stay of it, under a key that the database does not have.
    """

    id: str
    tenant_id: str
    deployment_id: str
    status: ReviewStatus
    risk: Severity
    policy: Policy
    policy_digest: str
    config_digest: str
    excluded: tuple[str, ...]
    queued_at: datetime
    expires_at: datetime
    expected_at: datetime
    expected_basis: str
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    reminded: int = 0
    decided_at: datetime | None = None
    comment: str | None = None
    seal: str = ""


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews are wanted; None: any."""

    statuses: frozenset[ReviewStatus] | None = None
    claimed_by: str | None = None
    min_risk: Severity | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person said, of exactly these bytes; `seal` is as in `Review`."""

    review_id: str
    person_id: str
    decision: Decision
    reviewed_digest: str
    comment: str | None
    token_id: str | None
    at: datetime
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reviewer found, and what would remedy it."""

    severity: Severity
    title: str
    detail: str
    remediation: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A simulation or experiment that ran the package, as it was when it was offered.

    One that ran in an environment has that one's id, and the digest of the production configuration that it copied.
    """

    deployment_id: str
    kind: str
    subject_id: str
    summary: str
    environment_id: str | None = None
    snapshot_digest: str | None = None


class QueueChange(StrEnum):
    """How the review queue moved."""

    ENTERED = "ENTERED"
    CLAIMED = "CLAIMED"
    DECIDED = "DECIDED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class QueueEvent:
    """One move of the tenant's review queue, numbered without gaps."""

    seq: int
    at: datetime
    change: QueueChange
    review_id: str
