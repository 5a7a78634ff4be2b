"""Agents, their versions, and requests to deploy them."""

from typing import Any, cast

from piccolo.columns import BigInt, Boolean, DoublePrecision, Integer, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Agents(Table, db=_DB, tablename="agents"):
    """Agents. A row stays."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    slug = Varchar(63)
    name = Varchar(200)
    description = Text()
    folded = Text()
    owner_id = Varchar(36)
    created_ms = BigInt()
    last_version_seq = BigInt()
    held_by = Varchar(36, null=True, default=None)
    held_ms = BigInt(null=True, default=None)
    revision = BigInt()


class AgentVersions(Table, db=_DB, tablename="agent_versions"):
    """Versions of agents, each of one package."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    agent_id = Varchar(36)
    version = Varchar(100)
    package_digest = Varchar(64)
    manifest_digest = Varchar(64)
    manifest = Text()
    classification = Varchar(12)
    changelog = Text(null=True, default=None)
    submitted_by = Varchar(36)
    created_ms = BigInt()
    bound = Boolean()
    state = Varchar(12)
    version_seq = BigInt(null=True, default=None)
    first_live_ms = BigInt(null=True, default=None)
    last_live_ms = BigInt(null=True, default=None)
    last_release = BigInt(null=True, default=None)
    approved_deployment_id = Varchar(36, null=True, default=None)
    quarantine_reason = Text(null=True, default=None)
    pruned_ms = BigInt(null=True, default=None)


class Deployments(Table, db=_DB, tablename="deployments"):
    """Requests to deploy, with their lease."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    agent_id = Varchar(36)
    version_id = Varchar(36, null=True, default=None)
    package_digest = Varchar(64)
    manifest_digest = Varchar(64, null=True, default=None)
    status = Varchar(16)
    submitted_by = Varchar(36)
    created_ms = BigInt()
    token_id = Varchar(36, null=True, default=None)
    request_id = Varchar(100)
    changelog = Text(null=True, default=None)
    checks = Text(null=True, default=None)
    quorum = Integer(null=True, default=None)
    review_deadline_ms = BigInt(null=True, default=None)
    approved_ms = BigInt(null=True, default=None)
    execute_by_ms = BigInt(null=True, default=None)
    approval = Text(null=True, default=None)
    attempts = Integer()
    deployed_ms = BigInt(null=True, default=None)
    finished_ms = BigInt(null=True, default=None)
    failure = Text(null=True, default=None)
    revision = BigInt()
    last_seq = BigInt()
    due_ms = BigInt()
    fence = BigInt()
    lease_owner = Varchar(64, null=True, default=None)
    lease_until_ms = BigInt(null=True, default=None)


class DeploymentEvents(Table, db=_DB, tablename="deployment_events"):
    """What happened to deployments, numbered without gaps."""

    deployment_id = Varchar(36)
    seq = BigInt(primary_key=True)
    tenant_id = Varchar(36)
    at_ms = BigInt()
    status = Varchar(16)
    step = Varchar(40)
    message = Text()
    actor_id = Varchar(36, null=True, default=None)
    progress = DoublePrecision(null=True, default=None)
