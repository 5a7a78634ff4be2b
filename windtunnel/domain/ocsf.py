"""Audit entries as events of the Open Cybersecurity Schema Framework (https://schema.ocsf.io), version 1.5."""

from dataclasses import dataclass
from typing import Any

import orjson

from windtunnel import __version__
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.viewers import User

VERSION = "1.5.0"
API_ACTIVITY, APPLICATION_LIFECYCLE, ENTITY_MANAGEMENT = 6003, 6002, 3004
CREATE, UPDATE, DELETE = 1, 3, 4
"""Activities of Entity Management, and of API Activity."""
INSTALL, REMOVE, START, STOP = 1, 2, 3, 4
"""Activities of Application Lifecycle."""
OTHER = 99
SUCCESS, FAILURE = 1, 2
INFORMATIONAL, MEDIUM = 1, 3

_VENDOR = "Windtunnel"


@dataclass(frozen=True, slots=True)
class OcsfClass:
    """The class of an event, what was done in its terms, and how it went."""

    uid: int
    activity: int
    status: int = SUCCESS
    severity: int = INFORMATIONAL


def class_of(action: str) -> OcsfClass:
    """Refusals are API Activity; what begins, goes live or ends is Application Lifecycle; the rest are changes."""
    return _CLASSES.get(action, OcsfClass(ENTITY_MANAGEMENT, UPDATE))


def ocsf_event(entry: AuditEntry, slug: str, actor: User | None) -> dict[str, Any]:
    """The event; `slug` names the tenant, `actor` is who did it, None for the system itself."""
    kind = class_of(entry.action)
    event = {
        "category_uid": kind.uid // 1000,
        "class_uid": kind.uid,
        "activity_id": kind.activity,
        "type_uid": kind.uid * 100 + kind.activity,
        "time": entry.at_ms,
        "severity_id": kind.severity,
        "status_id": kind.status,
        "message": entry.action,
        "metadata": {
            "version": VERSION,
            "product": {"name": _VENDOR, "vendor_name": _VENDOR, "version": __version__},
            "log_name": "audit",
            "event_code": entry.action,
            "uid": entry.id,
            "sequence": entry.seq,
            "tenant_uid": entry.tenant_id,
            **({"correlation_uid": entry.request_id} if entry.request_id else {}),
        },
        "actor": _actor(entry, slug, actor),
    }
    return event | _about(kind, entry)


def _actor(entry: AuditEntry, slug: str, actor: User | None) -> dict[str, Any]:
    if entry.actor_id is None:
        return {"app_name": _VENDOR}
    user: dict[str, Any] = {
        "uid": entry.actor_id,
        "name": actor.name if actor else entry.actor_id,
        "type_id": 1,
        "account": {"uid": entry.tenant_id, "name": slug, "type_id": OTHER, "type": "Tenant"},
    }
    if actor and actor.email:
        user["email_addr"] = actor.email
    if entry.token_id:
        user["credential_uid"] = entry.token_id
    return {"user": user}


def _about(kind: OcsfClass, entry: AuditEntry) -> dict[str, Any]:
    """What the event is about, where its class wants it."""
    details = orjson.loads(entry.details)
    subject = {"uid": entry.subject_id, "type": entry.subject_kind}
    comment = {"comment": entry.reason} if entry.reason else {}
    if kind.uid == API_ACTIVITY:
        return {
            "api": {"operation": str(details.get("attempted", entry.action)), "request": {"uid": entry.request_id}},
            "src_endpoint": {"name": "not recorded"},
            "resources": [{**subject, "data": details}],
        }
    if kind.uid == APPLICATION_LIFECYCLE:
        return {"app": {"uid": entry.subject_id, "name": entry.subject_kind, "vendor_name": _VENDOR}}
    return {"entity": {**subject, "data": details}, **comment}


_CLASSES: dict[str, OcsfClass] = {
    AuditAction.ACCESS_DENIED: OcsfClass(API_ACTIVITY, OTHER, FAILURE, MEDIUM),
    **{
        action: OcsfClass(ENTITY_MANAGEMENT, CREATE)
        for action in (
            AuditAction.SCENARIO_CREATED,
            AuditAction.ARCHITECTURE_DEFINED,
            AuditAction.ENVIRONMENT_REQUESTED,
            AuditAction.AGENT_REGISTERED,
            AuditAction.PACKAGE_UPLOADED,
            AuditAction.DEPLOYMENT_SUBMITTED,
            AuditAction.WEBHOOK_REGISTERED,
            AuditAction.TOKEN_ISSUED,
        )
    },
    **{
        action: OcsfClass(ENTITY_MANAGEMENT, DELETE)
        for action in (
            AuditAction.SCENARIO_DELETED,
            AuditAction.ENVIRONMENT_DELETED,
            AuditAction.PACKAGE_DISCARDED,
            AuditAction.VERSION_PRUNED,
            AuditAction.WEBHOOK_DELETED,
            AuditAction.TOKEN_REVOKED,
        )
    },
    **{
        action: OcsfClass(APPLICATION_LIFECYCLE, START)
        for action in (AuditAction.SIMULATION_STARTED, AuditAction.EXPERIMENT_RUN, AuditAction.DEPLOYMENT_STARTED)
    },
    **{
        action: OcsfClass(APPLICATION_LIFECYCLE, STOP)
        for action in (
            AuditAction.SIMULATION_CANCELLED,
            AuditAction.SIMULATION_FINISHED,
            AuditAction.EXPERIMENT_CANCELLED,
            AuditAction.EXPERIMENT_FINISHED,
        )
    },
    AuditAction.DEPLOYMENT_COMPLETED: OcsfClass(APPLICATION_LIFECYCLE, INSTALL),
    AuditAction.DEPLOYMENT_FAILED: OcsfClass(APPLICATION_LIFECYCLE, INSTALL, FAILURE, MEDIUM),
    AuditAction.ROLLBACK_STARTED: OcsfClass(APPLICATION_LIFECYCLE, START),
    AuditAction.ROLLBACK_COMPLETED: OcsfClass(APPLICATION_LIFECYCLE, INSTALL),
    AuditAction.ROLLBACK_FAILED: OcsfClass(APPLICATION_LIFECYCLE, INSTALL, FAILURE, MEDIUM),
    AuditAction.VERSION_QUARANTINED: OcsfClass(APPLICATION_LIFECYCLE, REMOVE),
}
