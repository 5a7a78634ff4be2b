"""The statements about deployments and rollbacks that look across tenants, for those who carry them out."""

from windtunnel.storage.privilege import Privileged
from windtunnel.storage.tally_statements import bucket

_FREE = "(lease_until_ms IS NULL OR lease_until_ms <= {now})"
_OPEN = "status IN ('SUBMITTED', 'VALIDATING', 'IN_REVIEW', 'APPROVED', 'HELD', 'DEPLOYING', 'DEPLOY_FAILED')"
"""As the index says of those that are not over: it is used where a statement says so, too."""

_TO_DO = (
    f"({_OPEN} AND due_ms <= {{now}} AND {_FREE} AND (status IN ('SUBMITTED', 'VALIDATING')"
    " OR (status IN ('APPROVED', 'DEPLOYING') AND (execute_by_ms > {now} OR status = 'DEPLOYING'))))"
)
_LAPSED = "(status IN ('APPROVED', 'HELD', 'DEPLOY_FAILED') AND execute_by_ms <= {now})"
_REVIEW = "(status = 'IN_REVIEW' AND due_ms <= {now})"

DEPLOYMENTS_DUE = Privileged(
    name="deployments_due",
    parameters=("bigint",),  # limit
    returns="TABLE (id text, tenant_id text, due text)",
    sql=(
        f"SELECT id, tenant_id, CASE WHEN {_REVIEW} THEN 'REVIEW' WHEN {_LAPSED} THEN 'LAPSED' ELSE 'TO_DO' END"  # noqa: S608
        f" AS due FROM deployments WHERE {_OPEN} AND ({_REVIEW} OR {_LAPSED} OR {_TO_DO})"
        f" ORDER BY CASE WHEN {_REVIEW} OR {_LAPSED} THEN 0 ELSE 1 END, id LIMIT $1"
    ),
    callers=("worker",),
)

CLAIM_DEPLOYMENTS = Privileged(
    name="claim_deployments",
    parameters=("text", "bigint", "bigint", "bigint"),  # owner, lease in ms, held per tenant, limit
    returns="SETOF deployments",
    sql=(
        "WITH held AS ("  # noqa: S608
        f" SELECT tenant_id, COUNT(*) AS number FROM deployments WHERE {_OPEN} AND lease_until_ms > {{now}}"
        " GROUP BY tenant_id"
        "), candidates AS ("
        # What is approved comes before what is to be checked; tenants take turns, and none has all hands.
        " SELECT d.id, d.due_ms, d.rank, COALESCE(held.number, 0)"
        " + ROW_NUMBER() OVER (PARTITION BY d.tenant_id ORDER BY d.rank, d.due_ms, d.id) AS place"
        " FROM (SELECT *, CASE WHEN status IN ('APPROVED', 'DEPLOYING') THEN 0 ELSE 1 END AS rank"
        f" FROM deployments WHERE {_TO_DO}) AS d LEFT JOIN held ON held.tenant_id = d.tenant_id"
        "), chosen AS ("
        " SELECT id FROM candidates WHERE place <= $3 ORDER BY rank, place, due_ms, id LIMIT $4"
        ") UPDATE deployments SET fence = fence + 1, lease_owner = $1, lease_until_ms = {now} + $2"
        f" WHERE id IN (SELECT id FROM deployments WHERE id IN (SELECT id FROM chosen) AND {_TO_DO} {{skip_locked}})"
        " RETURNING *"
    ),
    callers=("worker",),
)

RENEW_DEPLOYMENTS = Privileged(
    name="renew_deployments",
    parameters=("text[]", "text", "bigint"),  # ids, owner, lease in ms
    returns="TABLE (id text, fence bigint)",
    sql=(
        "UPDATE deployments SET lease_until_ms = {now} + $3 WHERE id = ANY($1) AND lease_owner = $2 RETURNING id, fence"
    ),
    callers=("worker",),
)

RELEASE_DEPLOYMENT = Privileged(
    name="release_deployment",
    parameters=("text", "text", "bigint"),  # id, owner, fence
    returns="TABLE (id text)",
    sql=(
        "UPDATE deployments SET lease_owner = NULL, lease_until_ms = NULL"
        " WHERE id = $1 AND lease_owner = $2 AND fence = $3 RETURNING id"
    ),
    callers=("worker",),
)

_RUNNING = f"(status = 'RUNNING' AND {_FREE} AND deadline_ms > {{now}})"

ROLLBACKS_DUE = Privileged(
    name="rollbacks_due",
    parameters=(),
    returns="TABLE (id text, due text)",
    sql=(
        "SELECT id, CASE WHEN deadline_ms <= {now} THEN 'OVERDUE' ELSE 'TO_DO' END AS due FROM rollbacks"  # noqa: S608
        f" WHERE status = 'RUNNING' AND (deadline_ms <= {{now}} OR {_FREE})"
    ),
    callers=("worker",),
)

ROLLBACKS_OVERDUE = Privileged(
    name="rollbacks_overdue",
    parameters=(),
    returns="SETOF rollbacks",
    sql="SELECT * FROM rollbacks WHERE status = 'RUNNING' AND deadline_ms <= {now} ORDER BY deadline_ms, id",
    callers=("worker",),
)

CLAIM_ROLLBACKS = Privileged(
    name="claim_rollbacks",
    parameters=("text", "bigint", "bigint"),  # owner, lease in ms, limit
    returns="SETOF rollbacks",
    sql=(
        "UPDATE rollbacks SET fence = fence + 1, lease_owner = $1, lease_until_ms = {now} + $2 WHERE id IN ("  # noqa: S608
        f"SELECT id FROM rollbacks WHERE {_RUNNING} ORDER BY deadline_ms, id LIMIT $3 {{skip_locked}}) AND {_RUNNING}"
        " RETURNING *"
    ),
    callers=("worker",),
)

RENEW_ROLLBACKS = Privileged(
    name="renew_rollbacks",
    parameters=("text[]", "text", "bigint"),  # ids, owner, lease in ms
    returns="TABLE (id text, fence bigint)",
    sql=(
        "UPDATE rollbacks SET lease_until_ms = {now} + $3 WHERE id = ANY($1) AND lease_owner = $2"
        " AND status = 'RUNNING' RETURNING id, fence"
    ),
    callers=("worker",),
)

RELEASE_ROLLBACK = Privileged(
    name="release_rollback",
    parameters=("text", "text", "bigint"),  # id, owner, fence
    returns="TABLE (id text)",
    sql=(
        "UPDATE rollbacks SET lease_owner = NULL, lease_until_ms = NULL"
        " WHERE id = $1 AND lease_owner = $2 AND fence = $3 RETURNING id"
    ),
    callers=("worker",),
)

PRODUCTION_OF_ALL = Privileged(
    name="production_of_all",
    parameters=(),
    returns="SETOF pointers",
    sql="SELECT * FROM pointers WHERE version_id IS NOT NULL ORDER BY tenant_id, agent_id",
    callers=("worker",),
)

SPENT_RELEASES = Privileged(
    name="spent_releases",
    parameters=("text[]", "text[]"),  # ids of agents, digests
    returns="TABLE (tenant_id text, agent_id text, digest text)",
    sql=(
        "SELECT v.tenant_id, v.agent_id, v.package_digest AS digest FROM agents AS a JOIN agent_versions AS v"  # noqa: S608
        " ON v.tenant_id = a.tenant_id AND v.agent_id = a.id AND v.package_digest = ANY($2)"
        " WHERE a.id = ANY($1) AND v.state IN ('CANDIDATE', 'PRUNED') AND NOT EXISTS (SELECT 1 FROM deployments AS d"
        f" WHERE d.tenant_id = v.tenant_id AND d.package_digest = v.package_digest AND {_OPEN})"
    ),
    callers=("worker",),
)

ROLLBACK_BUCKETS_MS = (250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 45_000, 60_000)
"""How long rollbacks took, in metrics: the last one is what they have to stay under."""

_BUCKET = bucket(ROLLBACK_BUCKETS_MS, "duration_ms")

TALLY_ROLLBACKS = Privileged(
    name="tally_rollbacks",
    parameters=(),
    returns="TABLE (status text, up_to_ms bigint, rollbacks bigint, milliseconds bigint)",
    sql=(
        f"SELECT status, {_BUCKET} AS up_to_ms, COUNT(*) AS rollbacks,"  # noqa: S608
        " CAST(SUM(duration_ms) AS BIGINT) AS milliseconds FROM rollbacks WHERE status <> 'RUNNING' GROUP BY 1, 2"
    ),
    callers=("api", "worker"),
)
