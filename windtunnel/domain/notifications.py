"""Notifications: what a person is told of what happened to their things, numbered for each person without gaps."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from windtunnel.domain.entities import Subject

TITLE_MAX_CHARS = 200


class NotificationKind(StrEnum):
    """What a notification tells. A member's name is also the type of the webhook message that tells the same."""

    SIMULATION_FINISHED = "SIMULATION_FINISHED"
    EXPERIMENT_FINISHED = "EXPERIMENT_FINISHED"
    DEPLOYMENT_INVALID = "DEPLOYMENT_INVALID"
    DEPLOYMENT_HELD = "DEPLOYMENT_HELD"
    DEPLOYMENT_WITHDRAWN = "DEPLOYMENT_WITHDRAWN"
    DEPLOYMENT_LAPSED = "DEPLOYMENT_LAPSED"
    NO_ELIGIBLE_REVIEWER = "NO_ELIGIBLE_REVIEWER"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    ENVIRONMENT_FAILED = "ENVIRONMENT_FAILED"
    ENVIRONMENT_EXPIRED = "ENVIRONMENT_EXPIRED"
    ENVIRONMENT_DELETE_STUCK = "ENVIRONMENT_DELETE_STUCK"
    REVIEW_REQUESTED = "REVIEW_REQUESTED"
    DEPLOYMENT_APPROVED = "DEPLOYMENT_APPROVED"
    DEPLOYMENT_REJECTED = "DEPLOYMENT_REJECTED"
    DEPLOYMENT_SUCCEEDED = "DEPLOYMENT_SUCCEEDED"
    DEPLOYMENT_FAILED = "DEPLOYMENT_FAILED"
    REVIEW_EXPIRING = "REVIEW_EXPIRING"
    REVIEW_EXPIRED = "REVIEW_EXPIRED"
    ROLLBACK_STARTED = "ROLLBACK_STARTED"
    ROLLBACK_COMPLETED = "ROLLBACK_COMPLETED"
    ENVIRONMENT_READY = "ENVIRONMENT_READY"
    ENVIRONMENT_EXPIRING = "ENVIRONMENT_EXPIRING"


@dataclass(frozen=True, slots=True)
class NotificationDraft:
    """What is to be told, in plain text that can be stored; `title` has at most TITLE_MAX_CHARS characters."""

    kind: NotificationKind
    title: str
    body: str
    subject: Subject


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification as stored. `seq` counts those of this person from 1 without gaps; `read_at` is None until read."""

    id: str
    user_id: str
    seq: int
    kind: NotificationKind
    title: str
    body: str
    subject: Subject
    created_at: datetime
    read_at: datetime | None = None
