"""The statements about environments that look across tenants, for those who take care of them."""

from windtunnel.storage.privilege import Privileged

_HOUR_MS = 3_600_000
_USABLE = "status IN ('READY', 'PAUSED')"
_FREE = "(lease_until_ms IS NULL OR lease_until_ms <= {now})"
_NOT_GONE = "status <> 'DELETED'"
"""As the index says of those that are still there: it is used where a statement says so, too."""

_TO_DO = (
    f"({_NOT_GONE} AND status IN ('PROVISIONING', 'FAILED', 'EXPIRING', 'DELETING', 'DELETE_STUCK')"
    f" AND due_ms <= {{now}} AND {_FREE})"
)
_OVERDUE = "(status = 'PROVISIONING' AND provision_by_ms <= {now})"
_EXPIRED = f"({_USABLE} AND expires_ms <= {{now}})"
_LAST_HOUR = (
    f"({_USABLE} AND expires_ms <= {{now}} + {_HOUR_MS} AND (warned_hour_ms IS NULL OR warned_hour_ms <> expires_ms))"
)
_LAST_DAY = (
    f"({_USABLE} AND expires_ms > {{now}} + {_HOUR_MS} AND expires_ms <= {{now}} + {24 * _HOUR_MS}"
    " AND (warned_day_ms IS NULL OR warned_day_ms <> expires_ms))"
)

ENVIRONMENTS_DUE = Privileged(
    name="environments_due",
    parameters=("bigint",),  # limit
    returns="TABLE (id text, tenant_id text, due text)",
    sql=(
        f"SELECT id, tenant_id, CASE WHEN {_OVERDUE} THEN 'OVERDUE' WHEN {_EXPIRED} THEN 'EXPIRED'"  # noqa: S608
        f" WHEN {_LAST_HOUR} THEN 'LAST_HOUR' WHEN {_LAST_DAY} THEN 'LAST_DAY' ELSE 'TO_DO' END AS due"
        f" FROM environments WHERE {_NOT_GONE}"
        f" AND ({_OVERDUE} OR {_EXPIRED} OR {_LAST_HOUR} OR {_LAST_DAY} OR {_TO_DO})"
        f" ORDER BY CASE WHEN {_TO_DO} THEN 1 ELSE 0 END, id LIMIT $1"
    ),
    callers=("worker",),
)

CLAIM_ENVIRONMENTS = Privileged(
    name="claim_environments",
    parameters=("text", "bigint", "bigint"),  # owner, lease in ms, limit
    returns="SETOF environments",
    sql=(
        "WITH candidates AS ("  # noqa: S608
        # What is taken away first gives a slot back; tenants take turns.
        " SELECT id, due_ms, CASE WHEN status = 'PROVISIONING' THEN 1 ELSE 0 END AS rank,"
        " ROW_NUMBER() OVER (PARTITION BY tenant_id, status ORDER BY due_ms, id) AS place"
        f" FROM environments WHERE {_TO_DO}"
        "), chosen AS ("
        " SELECT id FROM candidates ORDER BY rank, place, due_ms, id LIMIT $3"
        ") UPDATE environments SET fence = fence + 1, lease_owner = $1, lease_until_ms = {now} + $2"
        f" WHERE id IN (SELECT id FROM environments WHERE id IN (SELECT id FROM chosen) AND {_TO_DO} {{skip_locked}})"
        " RETURNING *"
    ),
    callers=("worker",),
)

RENEW_ENVIRONMENTS = Privileged(
    name="renew_environments",
    parameters=("text[]", "text", "bigint"),  # ids, owner, lease in ms
    returns="TABLE (id text, fence bigint)",
    sql=(
        "UPDATE environments SET lease_until_ms = {now} + $3 WHERE id = ANY($1) AND lease_owner = $2"
        " AND status <> 'DELETED' RETURNING id, fence"
    ),
    callers=("worker",),
)

RELEASE_ENVIRONMENT = Privileged(
    name="release_environment",
    parameters=("text", "text", "bigint"),  # id, owner, fence
    returns="TABLE (id text)",
    sql=(
        "UPDATE environments SET lease_owner = NULL, lease_until_ms = NULL"
        " WHERE id = $1 AND lease_owner = $2 AND fence = $3 RETURNING id"
    ),
    callers=("worker",),
)

ENVIRONMENTS_THAT_STAND = Privileged(
    name="environments_that_stand",
    parameters=(),
    returns="SETOF environments",
    sql=f"SELECT * FROM environments WHERE {_NOT_GONE} AND {_USABLE} ORDER BY tenant_id, id",  # noqa: S608
    callers=("worker",),
)

NAMESPACES_IN_USE = Privileged(
    name="namespaces_in_use",
    parameters=("text[]",),
    returns="TABLE (namespace text)",
    sql="SELECT namespace FROM environments WHERE namespace = ANY($1) AND status <> 'DELETED'",
    callers=("worker",),
)
