"""Versions of agents: their rows and pages. What changes them is in `releases`."""

from collections.abc import Iterable
from typing import Any

import orjson

from windtunnel.domain.agents import AgentVersion, VersionState
from windtunnel.storage.store import Store
from windtunnel.storage.texts import known_ids
from windtunnel.storage.times import moment, optional_moment


async def get_many(store: Store, tenant_id: str, ids: Iterable[str]) -> dict[str, AgentVersion]:
    """Those of the tenant's versions that exist, by id."""
    if not (known := known_ids(ids)):
        return {}
    rows = await store.of(tenant_id).fetch(
        "SELECT * FROM agent_versions WHERE tenant_id = $1 AND id = ANY($2)", tenant_id, known
    )
    return {row["id"]: version_of(row) for row in rows}


def version_of(row: dict[str, Any]) -> AgentVersion:
    """A row of the table as the domain's value."""
    return AgentVersion(
        id=row["id"],
        tenant_id=row["tenant_id"],
        agent_id=row["agent_id"],
        version=row["version"],
        package_digest=row["package_digest"],
        manifest_digest=row["manifest_digest"],
        manifest=orjson.loads(row["manifest"]),
        classification=row["classification"],
        changelog=row["changelog"],
        submitted_by=row["submitted_by"],
        created_at=moment(row["created_ms"]),
        bound=bool(row["bound"]),
        state=VersionState(row["state"]),
        version_seq=row["version_seq"],
        first_live_at=optional_moment(row["first_live_ms"]),
        last_live_at=optional_moment(row["last_live_ms"]),
        last_release=row["last_release"],
        approved_deployment_id=row["approved_deployment_id"],
        quarantine_reason=row["quarantine_reason"],
        pruned_at=optional_moment(row["pruned_ms"]),
    )
