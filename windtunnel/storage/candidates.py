"""Versions on their way to production: made when a manifest was read, bound to their number when a review begins."""

from collections.abc import Mapping
from typing import Any

import orjson

from windtunnel.domain.agents import AgentVersion
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.ids import new_id
from windtunnel.storage.agent_versions import version_of
from windtunnel.storage.store import Store


async def bound(store: Store, tenant_id: str, agent_id: str, version: str) -> AgentVersion | None:
    """What has this number for good, if anything has."""
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2 AND version = $3 AND bound",
        tenant_id,
        agent_id,
        version,
    )
    return version_of(rows[0]) if rows else None


async def candidate(
    store: Store,
    deployment: Deployment,
    *,
    version: str,
    manifest: Mapping[str, Any],
    manifest_digest: str,
    classification: str,
) -> AgentVersion:
    """The version of the deployment's agent that is this package; the one that is there, when it was submitted before.

    Call it under the tenant's lock.
    """
    scope = store.of(deployment.tenant_id)
    rows = await scope.fetch(
        "SELECT * FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2 AND package_digest = $3 AND version = $4"
        " ORDER BY bound DESC, created_ms, id LIMIT 1",
        deployment.tenant_id,
        deployment.agent_id,
        deployment.package_digest,
        version,
    )
    if not rows:
        rows = await scope.fetch(
            "INSERT INTO agent_versions (id, tenant_id, agent_id, version, package_digest, manifest_digest, manifest,"
            " classification, changelog, submitted_by, created_ms, bound, state)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {now}, FALSE, 'CANDIDATE') RETURNING *",
            new_id(),
            deployment.tenant_id,
            deployment.agent_id,
            version,
            deployment.package_digest,
            manifest_digest,
            orjson.dumps(manifest).decode(),
            classification,
            deployment.changelog,
            deployment.submitted_by,
        )
    return version_of(rows[0])


async def bind(store: Store, version: AgentVersion) -> None:
    """From now on the number is that of these bytes. Raises ConstraintError when others have it."""
    await store.of(version.tenant_id).fetch(
        "UPDATE agent_versions SET bound = TRUE WHERE tenant_id = $1 AND id = $2 AND NOT bound",
        version.tenant_id,
        version.id,
    )
