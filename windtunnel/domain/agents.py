"""Agents of a tenant, and their versions: each is one manifest of one package, and at most one is live."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class VersionState(StrEnum):
    """CANDIDATE -> LIVE -> STANDBY -> PRUNED; LIVE -> QUARANTINED -> STANDBY or PRUNED; STANDBY -> LIVE by a rollback.

    - CANDIDATE: never in production so far.
    - LIVE: in production now.
    - STANDBY: was in production, and can be restored.
    - QUARANTINED: a rollback took it away; a reviewer has to release it first.
    - PRUNED: no longer retained; what is known of it stays.
    """

    CANDIDATE = "CANDIDATE"
    LIVE = "LIVE"
    STANDBY = "STANDBY"
    QUARANTINED = "QUARANTINED"
    PRUNED = "PRUNED"


RETAINED_STATES = frozenset({VersionState.LIVE, VersionState.STANDBY, VersionState.QUARANTINED})


class Ineligible(StrEnum):
    """Why a version cannot be restored now."""

    IS_CURRENT = "IS_CURRENT"
    NEVER_LIVE = "NEVER_LIVE"
    PRUNED = "PRUNED"
    QUARANTINED = "QUARANTINED"
    WINDOW_CLOSED = "WINDOW_CLOSED"
    NOTHING_LIVE = "NOTHING_LIVE"


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as registered. While it is held (`held_by`: the rollback that did it), nothing older is deployed."""

    id: str
    tenant_id: str
    slug: str
    name: str
    description: str
    owner_id: str
    created_at: datetime
    last_version_seq: int = 0
    held_by: str | None = None
    held_at: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """A version. Its number is `bound` to its bytes from the first review on; `version_seq` orders first go-lives.

    `last_release` is the number of the release with which it went live last: of two, the later one was live later.
    """

    id: str
    tenant_id: str
    agent_id: str
    version: str
    package_digest: str
    manifest_digest: str
    manifest: Mapping[str, Any]
    classification: str
    changelog: str | None
    submitted_by: str
    created_at: datetime
    bound: bool = False
    state: VersionState = VersionState.CANDIDATE
    version_seq: int | None = None
    first_live_at: datetime | None = None
    last_live_at: datetime | None = None
    last_release: int | None = None
    approved_deployment_id: str | None = None
    quarantine_reason: str | None = None
    pruned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pointer:
    """What is in production of one agent. `fence` rises with each who sets out to change it; only the last one can."""

    tenant_id: str
    agent_id: str
    fence: int = 0
    release_seq: int = 0
    version_id: str | None = None
    deployment_id: str | None = None
    package_digest: str | None = None
    live_since: datetime | None = None
