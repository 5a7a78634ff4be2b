"""Which packages nobody needs any more: the statements that let their bytes go."""

from windtunnel.domain.policy import PACKAGE_UNUSED_KEPT_MS
from windtunnel.storage.privilege import Privileged


def _some(table: str, alias: str, condition: str) -> str:
    """Whether the table has something of the package that meets the condition."""
    its = f"{alias}.tenant_id = packages.tenant_id AND {alias}.package_digest = packages.digest"
    return f"EXISTS (SELECT 1 FROM {table} AS {alias} WHERE {its} AND {condition})"  # noqa: S608


NEEDED = " OR ".join(
    (
        _some("agent_versions", "v", "v.state IN ('LIVE', 'STANDBY', 'QUARANTINED')"),
        _some(
            "deployments",
            "d",
            "d.status IN ('SUBMITTED', 'VALIDATING', 'IN_REVIEW', 'APPROVED', 'HELD', 'DEPLOYING', 'DEPLOY_FAILED')",
        ),
        _some("simulations", "s", "s.status IN ('QUEUED', 'PLANNING', 'RUNNING')"),
        # As packages in environments are named: by the first half of their digests.
        (
            "EXISTS (SELECT 1 FROM environment_resources AS r WHERE r.tenant_id = packages.tenant_id"
            " AND r.kind = 'PACKAGE' AND r.status <> 'REMOVED'"
            " AND r.key = 'package-' || substr(packages.digest, 1, 32))"
        ),
    )
)
"""Retained or open to decisions, run at this moment, or in an environment that stands."""

_SINCE = f"{{now}} - {PACKAGE_UNUSED_KEPT_MS}"
SPENT = (
    f"discarded_ms IS NULL AND NOT ({NEEDED}) AND ("
    f"{_some('agent_versions', 'v', 'v.pruned_ms >= packages.created_ms')}"
    f" OR (created_ms <= {_SINCE}"
    f" AND NOT {_some('deployments', 'd', f'COALESCE(d.finished_ms, d.created_ms) > {_SINCE}')}"
    f" AND NOT {_some('simulations', 's', f's.created_ms > {_SINCE}')}))"
)
"""Not needed, and pruned since it was uploaded, or used by nobody for PACKAGE_UNUSED_KEPT_MS."""

SPENT_PACKAGES = Privileged(
    name="spent_packages",
    parameters=("bigint",),  # limit
    returns="TABLE (tenant_id text, digest text)",
    sql=f"SELECT tenant_id, digest FROM packages WHERE {SPENT} ORDER BY tenant_id, digest LIMIT $1",  # noqa: S608
    callers=("worker",),
)
