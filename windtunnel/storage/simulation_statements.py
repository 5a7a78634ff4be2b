"""The statements about simulations that look across tenants, for those who conduct them."""

from windtunnel.storage.privilege import Privileged

_CLAIMABLE = (
    "(status = 'QUEUED' OR (status IN ('PLANNING', 'RUNNING') AND (lease_until_ms IS NULL OR lease_until_ms <= {now})))"
)

ANY_CLAIMABLE_SIMULATION = Privileged(
    name="any_claimable_simulation",
    parameters=(),
    returns="TABLE (one integer)",
    sql=f"SELECT 1 AS one FROM simulations WHERE {_CLAIMABLE} LIMIT 1",  # noqa: S608
    callers=("worker",),
)

CLAIM_SIMULATIONS = Privileged(
    name="claim_simulations",
    parameters=("text", "bigint", "bigint", "bigint"),  # owner, lease in ms, running per tenant, limit
    returns="SETOF simulations",
    sql=(
        "WITH tenant_load AS ("  # noqa: S608
        " SELECT tenant_id, COUNT(*) AS running FROM simulations WHERE status = 'RUNNING' GROUP BY tenant_id"
        "), candidates AS ("
        " SELECT s.id, s.created_ms, s.status, COALESCE(tenant_load.running, 0)"
        " + ROW_NUMBER() OVER (PARTITION BY s.tenant_id, s.status ORDER BY s.created_ms, s.id) AS place"
        f" FROM simulations AS s LEFT JOIN tenant_load ON tenant_load.tenant_id = s.tenant_id WHERE {_CLAIMABLE}"
        "), chosen AS ("
        " SELECT id FROM candidates WHERE status <> 'QUEUED' OR place <= $3"
        " ORDER BY CASE WHEN status = 'QUEUED' THEN place ELSE 0 END, created_ms, id LIMIT $4"
        ") UPDATE simulations SET fence = fence + 1, lease_owner = $1, lease_until_ms = {now} + $2,"
        " started_ms = CASE WHEN status = 'QUEUED' THEN {now} ELSE started_ms END,"
        " status = CASE WHEN status = 'QUEUED' THEN 'RUNNING' ELSE status END"
        f" WHERE id IN (SELECT id FROM simulations WHERE id IN (SELECT id FROM chosen) AND {_CLAIMABLE}"
        " {skip_locked}) RETURNING *"
    ),
    callers=("worker",),
)

RENEW_SIMULATIONS = Privileged(
    name="renew_simulations",
    parameters=("text[]", "text", "bigint"),  # ids, owner, lease in ms
    returns="TABLE (id text, fence bigint)",
    sql=(
        "UPDATE simulations SET lease_until_ms = {now} + $3 WHERE id = ANY($1) AND lease_owner = $2"
        " AND status IN ('PLANNING', 'RUNNING') RETURNING id, fence"
    ),
    callers=("api", "worker"),
)

RELEASE_SIMULATION = Privileged(
    name="release_simulation",
    parameters=("text", "text", "bigint"),  # id, owner, fence
    returns="TABLE (id text)",
    sql=(
        "UPDATE simulations SET lease_owner = NULL, lease_until_ms = NULL"
        " WHERE id = $1 AND lease_owner = $2 AND fence = $3 RETURNING id"
    ),
    callers=("api", "worker"),
)
