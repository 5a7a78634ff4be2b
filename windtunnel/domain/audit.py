"""The audit log: who did what to which thing, when and why, each entry chained to the one before by its hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

import orjson
import rfc8785

from windtunnel.domain.entities import Kind, Subject

GENESIS_HASH = "0" * 64
"""What the first entry of every chain follows."""

REQUEST_ID_MAX_CHARS = 100
SUBJECT_ID_MAX_CHARS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AuditAction(StrEnum):
    """What an entry is about, the subject first."""

    SCENARIO_CREATED = "SCENARIO_CREATED"
    SCENARIO_DELETED = "SCENARIO_DELETED"
    ARCHITECTURE_DEFINED = "ARCHITECTURE_DEFINED"
    SIMULATION_STARTED = "SIMULATION_STARTED"
    SIMULATION_CANCELLED = "SIMULATION_CANCELLED"
    SIMULATION_FINISHED = "SIMULATION_FINISHED"
    FAILURE_INJECTED = "FAILURE_INJECTED"
    TELEMETRY_EXPORTED = "TELEMETRY_EXPORTED"
    EXPERIMENT_RUN = "EXPERIMENT_RUN"
    EXPERIMENT_CANCELLED = "EXPERIMENT_CANCELLED"
    EXPERIMENT_FINISHED = "EXPERIMENT_FINISHED"
    ENVIRONMENT_REQUESTED = "ENVIRONMENT_REQUESTED"
    ENVIRONMENT_READY = "ENVIRONMENT_READY"
    ENVIRONMENT_FAILED = "ENVIRONMENT_FAILED"
    ENVIRONMENT_EXTENDED = "ENVIRONMENT_EXTENDED"
    ENVIRONMENT_PAUSED = "ENVIRONMENT_PAUSED"
    ENVIRONMENT_RESUMED = "ENVIRONMENT_RESUMED"
    ENVIRONMENT_REFRESHED = "ENVIRONMENT_REFRESHED"
    ENVIRONMENT_EXPIRED = "ENVIRONMENT_EXPIRED"
    ENVIRONMENT_DELETE_REQUESTED = "ENVIRONMENT_DELETE_REQUESTED"
    ENVIRONMENT_DELETED = "ENVIRONMENT_DELETED"
    ENVIRONMENT_DELETE_STUCK = "ENVIRONMENT_DELETE_STUCK"
    MINIMUM_ISOLATION_SET = "MINIMUM_ISOLATION_SET"
    PRODUCTION_CONFIGURED = "PRODUCTION_CONFIGURED"
    AGENT_REGISTERED = "AGENT_REGISTERED"
    PACKAGE_UPLOADED = "PACKAGE_UPLOADED"
    PACKAGE_SIGNED = "PACKAGE_SIGNED"
    PACKAGE_DISCARDED = "PACKAGE_DISCARDED"
    DEPLOYMENT_SUBMITTED = "DEPLOYMENT_SUBMITTED"
    DEPLOYMENT_INVALID = "DEPLOYMENT_INVALID"
    DEPLOYMENT_WITHDRAWN = "DEPLOYMENT_WITHDRAWN"
    REVIEW_OPENED = "REVIEW_OPENED"
    REVIEW_CLAIMED = "REVIEW_CLAIMED"
    REVIEW_VOTED = "REVIEW_VOTED"
    REVIEW_EXPIRED = "REVIEW_EXPIRED"
    DEPLOYMENT_APPROVED = "DEPLOYMENT_APPROVED"
    DEPLOYMENT_REJECTED = "DEPLOYMENT_REJECTED"
    DEPLOYMENT_HELD = "DEPLOYMENT_HELD"
    DEPLOYMENT_STARTED = "DEPLOYMENT_STARTED"
    DEPLOYMENT_RETRIED = "DEPLOYMENT_RETRIED"
    DEPLOYMENT_COMPLETED = "DEPLOYMENT_COMPLETED"
    DEPLOYMENT_FAILED = "DEPLOYMENT_FAILED"
    DEPLOYMENT_LAPSED = "DEPLOYMENT_LAPSED"
    ROLLBACK_STARTED = "ROLLBACK_STARTED"
    ROLLBACK_COMPLETED = "ROLLBACK_COMPLETED"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    HOLD_PLACED = "HOLD_PLACED"
    HOLD_RELEASED = "HOLD_RELEASED"
    VERSION_QUARANTINED = "VERSION_QUARANTINED"
    VERSION_RELEASED = "VERSION_RELEASED"
    VERSION_PRUNED = "VERSION_PRUNED"
    FLAG_CHANGED = "FLAG_CHANGED"
    WEBHOOK_REGISTERED = "WEBHOOK_REGISTERED"
    WEBHOOK_DELETED = "WEBHOOK_DELETED"
    MEMBER_ROLES_SET = "MEMBER_ROLES_SET"
    TOKEN_ISSUED = "TOKEN_ISSUED"  # noqa: S105 - an action, no secret
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105
    ACCESS_DENIED = "ACCESS_DENIED"


@dataclass(frozen=True, slots=True)
class AuditDraft:
    """An entry to be appended. Without `actor_id` the system itself did it.

    `details` holds what was asked for, before and after: JSON values, Subjects and datetimes, which are kept as
    `audit_details.spelt` has them. Never a secret.
    """

    action: AuditAction
    subject: Subject
    actor_id: str | None = None
    token_id: str | None = None
    reason: str | None = None
    request_id: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry column by column, as stored: also one that was tampered with can be looked at.

    `details` is canonical JSON. `hash` covers every other column, `previous_hash` is that of entry `seq - 1`.
    """

    tenant_id: str
    seq: int
    id: str
    at_ms: int
    actor_id: str | None
    token_id: str | None
    action: str
    subject_kind: str
    subject_id: str
    reason: str | None
    request_id: str
    details: str
    previous_hash: str
    hash: str

    @property
    def at(self) -> datetime:
        """When it was appended, by the database's clock."""
        return _EPOCH + timedelta(milliseconds=self.at_ms)

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return Subject(Kind(self.subject_kind), self.subject_id)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; None: any. `since` is inclusive, `until` exclusive."""

    actions: frozenset[AuditAction] | None = None
    actor_id: str | None = None
    subject: Subject | None = None
    since: datetime | None = None
    until: datetime | None = None


COLUMNS = tuple(column.name for column in fields(AuditEntry))
_HASHED = tuple(name for name in COLUMNS if name not in {"hash", "details"})


def canonical_details(details: Mapping[str, object]) -> str:
    """RFC 8785 JSON. Raises ValueError for numbers that JSON cannot hold exactly."""
    return rfc8785.dumps(cast("Any", dict(details))).decode()


def canonical(entry: AuditEntry) -> bytes:
    """What is hashed: the columns but `hash` as one RFC 8785 object, `details` in it as an object of its own.

    Flat texts and whole numbers come out of orjson exactly as RFC 8785 has them, at a fiftieth of the cost.
    """
    columns: dict[str, object] = {name: getattr(entry, name) for name in _HASHED}
    columns["details"] = orjson.Fragment(entry.details)
    return orjson.dumps(columns, option=orjson.OPT_SORT_KEYS)


def pieces(entry: AuditEntry) -> list[str]:
    """`canonical` without `at_ms`, `previous_hash` and `seq`: the four texts around what is known only at the end."""
    return [
        f'{{{_members(entry, "action", "actor_id")},"at_ms":',
        f',{_members(entry, "details", "id")},"previous_hash":"',
        f'",{_members(entry, "reason", "request_id")},"seq":',
        f",{_members(entry, 'subject_id', 'subject_kind', 'tenant_id', 'token_id')}}}",
    ]


def _members(entry: AuditEntry, *names: str) -> str:
    columns = {name: orjson.Fragment(entry.details) if name == "details" else getattr(entry, name) for name in names}
    return orjson.dumps(columns).decode()[1:-1]


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 of `canonical`, in hex."""
    return sha256(canonical(entry)).hexdigest()


def is_intact(entry: AuditEntry) -> bool:
    """Whether an entry has the hash of its columns, whatever somebody may have written into them."""
    try:
        return entry.hash == hash_of(entry)
    except TypeError:  # what orjson raises for all that it cannot encode
        return False
