"""Approvals of deployments: in-toto statements of who approved which bytes, under which policy, and until when."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import rfc8785

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:windtunnel:approval:1"
TARGET = "production"
"""What an approval is for."""


@dataclass(frozen=True, slots=True)
class Approver:
    """One of those who approved: the id of the person, and when they said so."""

    person_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """What was approved. Nothing is deployed by it after `not_after`; `nonce` makes every statement another one."""

    tenant_id: str
    agent_id: str
    deployment_id: str
    version_id: str
    package_digest: str
    manifest_digest: str
    policy_digest: str
    config_digest: str
    quorum: int
    approvers: tuple[Approver, ...]
    approved_at: datetime
    not_after: datetime
    nonce: str

    @property
    def statement(self) -> bytes:
        """The in-toto statement, as RFC 8785 JSON. Moments are in milliseconds."""
        return rfc8785.dumps(
            {
                "_type": STATEMENT,
                "subject": [{"name": self.package_digest, "digest": {"sha256": self.package_digest}}],
                "predicateType": PREDICATE,
                "predicate": {
                    "target": TARGET,
                    "tenant": self.tenant_id,
                    "agent": self.agent_id,
                    "deployment": self.deployment_id,
                    "version": self.version_id,
                    "manifestDigest": self.manifest_digest,
                    "policyDigest": self.policy_digest,
                    "configurationDigest": self.config_digest,
                    "quorum": self.quorum,
                    "approvers": [{"person": each.person_id, "at": _spelt(each.at)} for each in self.approvers],
                    "approvedAt": _spelt(self.approved_at),
                    "notAfter": _spelt(self.not_after),
                    "nonce": self.nonce,
                },
            }
        )


def approval_of(statement: bytes) -> Approval | None:
    """The reverse of `Approval.statement`; None for anything that it cannot have written."""
    try:
        found = _read(orjson.loads(statement))
        same = found.statement == statement
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return found if same else None


def _read(told: Any) -> Approval:
    predicate = told["predicate"]
    return Approval(
        tenant_id=predicate["tenant"],
        agent_id=predicate["agent"],
        deployment_id=predicate["deployment"],
        version_id=predicate["version"],
        package_digest=told["subject"][0]["digest"]["sha256"],
        manifest_digest=predicate["manifestDigest"],
        policy_digest=predicate["policyDigest"],
        config_digest=predicate["configurationDigest"],
        quorum=predicate["quorum"],
        approvers=tuple(
            Approver(each["person"], datetime.fromisoformat(each["at"])) for each in predicate["approvers"]
        ),
        approved_at=datetime.fromisoformat(predicate["approvedAt"]),
        not_after=datetime.fromisoformat(predicate["notAfter"]),
        nonce=predicate["nonce"],
    )


def _spelt(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
