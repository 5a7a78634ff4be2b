"""The statements about experiments that look across tenants, for those who conduct them."""

from windtunnel.storage.privilege import Privileged

_CLAIMABLE = "(status IN ('QUEUED', 'RUNNING') AND (lease_until_ms IS NULL OR lease_until_ms <= {now}))"

ANY_CLAIMABLE_EXPERIMENT = Privileged(
    name="any_claimable_experiment",
    parameters=(),
    returns="TABLE (one integer)",
    sql=f"SELECT 1 AS one FROM experiments WHERE {_CLAIMABLE} LIMIT 1",  # noqa: S608
    callers=("worker",),
)

CLAIM_EXPERIMENTS = Privileged(
    name="claim_experiments",
    parameters=("text", "bigint", "bigint", "bigint"),  # owner, lease in ms, held per tenant, limit
    returns="SETOF experiments",
    sql=(
        "WITH held AS ("  # noqa: S608
        " SELECT tenant_id, COUNT(*) AS number FROM experiments"
        " WHERE status IN ('QUEUED', 'RUNNING') AND lease_until_ms > {now} GROUP BY tenant_id"
        "), candidates AS ("
        # Tenants take turns, and none has all hands.
        " SELECT e.id, e.created_ms, COALESCE(held.number, 0)"
        " + ROW_NUMBER() OVER (PARTITION BY e.tenant_id ORDER BY e.created_ms, e.id) AS place"
        f" FROM experiments AS e LEFT JOIN held ON held.tenant_id = e.tenant_id WHERE {_CLAIMABLE}"
        "), chosen AS ("
        " SELECT id FROM candidates WHERE place <= $3 ORDER BY place, created_ms, id LIMIT $4"
        ") UPDATE experiments SET fence = fence + 1, lease_owner = $1, lease_until_ms = {now} + $2"
        f" WHERE id IN (SELECT id FROM experiments WHERE id IN (SELECT id FROM chosen) AND {_CLAIMABLE}"
        " {skip_locked}) RETURNING *"
    ),
    callers=("worker",),
)

RENEW_EXPERIMENTS = Privileged(
    name="renew_experiments",
    parameters=("text[]", "text", "bigint"),  # ids, owner, lease in ms
    returns="TABLE (id text, fence bigint)",
    sql=(
        "UPDATE experiments SET lease_until_ms = {now} + $3 WHERE id = ANY($1) AND lease_owner = $2"
        " AND status IN ('QUEUED', 'RUNNING') RETURNING id, fence"
    ),
    callers=("worker",),
)

RELEASE_EXPERIMENT = Privileged(
    name="release_experiment",
    parameters=("text", "text", "bigint"),  # id, owner, fence
    returns="TABLE (id text)",
    sql=(
        "UPDATE experiments SET lease_owner = NULL, lease_until_ms = NULL"
        " WHERE id = $1 AND lease_owner = $2 AND fence = $3 RETURNING id"
    ),
    callers=("worker",),
)
