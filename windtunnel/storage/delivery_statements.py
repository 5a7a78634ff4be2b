"""The statements about deliveries of webhooks that look across tenants."""

from windtunnel.domain.policy import WEBHOOK_DELIVERIES_AT_ONCE_PER_WEBHOOK
from windtunnel.storage.privilege import Privileged

_DELIVERABLE = "status = 'PENDING' AND due_ms <= {now} AND (lease_until_ms IS NULL OR lease_until_ms <= {now})"
_NEXT_DELIVERIES = " UNION ALL ".join(
    "SELECT (SELECT id FROM webhook_deliveries WHERE webhook_deliveries.webhook_id = webhooks.id"  # noqa: S608
    f" AND {_DELIVERABLE} ORDER BY due_ms, id LIMIT 1 OFFSET {place}) AS id FROM webhooks"
    for place in range(WEBHOOK_DELIVERIES_AT_ONCE_PER_WEBHOOK)
)
"""The first few of each webhook, by as many probes of an index: a long queue costs no more than a short one."""

ANY_DUE_DELIVERY = Privileged(
    name="any_due_delivery",
    parameters=(),
    returns="TABLE (one integer)",
    sql=f"SELECT 1 AS one FROM webhook_deliveries WHERE {_DELIVERABLE} LIMIT 1",  # noqa: S608
    callers=("worker",),
)

CLAIM_DELIVERIES = Privileged(
    name="claim_deliveries",
    parameters=("text", "bigint", "bigint", "bigint"),  # owner, lease in ms, at once for a tenant, limit
    returns="TABLE (id text, tenant_id text, webhook_id text, attempts integer, fence bigint)",
    sql=(
        "WITH held AS ("  # noqa: S608
        " SELECT tenant_id, webhook_id, COUNT(*) AS number FROM webhook_deliveries"
        " WHERE lease_owner IS NOT NULL AND lease_until_ms > {now} GROUP BY tenant_id, webhook_id"
        "), candidates AS ("
        " SELECT due.id, due.tenant_id, due.due_ms, COALESCE(held.number, 0)"
        " + ROW_NUMBER() OVER (PARTITION BY due.webhook_id ORDER BY due.due_ms, due.id) AS place,"
        # Whoever did not answer well the last time comes after those who did.
        " CASE WHEN hook.last_delivery_ms IS NULL OR hook.last_status BETWEEN 200 AND 299 THEN 0 ELSE 1 END AS failing"
        f" FROM ({_NEXT_DELIVERIES}) AS next JOIN webhook_deliveries AS due ON due.id = next.id"
        " JOIN webhooks AS hook ON hook.id = due.webhook_id"
        " LEFT JOIN held ON held.webhook_id = due.webhook_id"
        "), in_turn AS ("
        " SELECT candidates.id, candidates.due_ms, COALESCE(busy.number, 0)"
        " + ROW_NUMBER() OVER (PARTITION BY candidates.tenant_id"
        " ORDER BY candidates.failing, candidates.place, candidates.due_ms, candidates.id) AS turn"
        " FROM candidates LEFT JOIN (SELECT tenant_id, SUM(number) AS number FROM held GROUP BY tenant_id) AS busy"
        " ON busy.tenant_id = candidates.tenant_id"
        f" WHERE candidates.place <= {WEBHOOK_DELIVERIES_AT_ONCE_PER_WEBHOOK:d}"
        "), chosen AS ("
        " SELECT id FROM in_turn WHERE turn <= $3 ORDER BY turn, due_ms, id LIMIT $4"
        ") UPDATE webhook_deliveries SET fence = fence + 1, attempts = attempts + 1, lease_owner = $1,"
        " lease_until_ms = {now} + $2"
        f" WHERE id IN (SELECT id FROM webhook_deliveries WHERE id IN (SELECT id FROM chosen) AND {_DELIVERABLE}"
        " {skip_locked}) RETURNING id, tenant_id, webhook_id, attempts, fence"
    ),
    callers=("worker",),
)

SWEEP_DELIVERIES = Privileged(
    name="sweep_deliveries",
    parameters=("bigint", "bigint"),  # kept for, in ms; limit
    returns="TABLE (id text)",
    sql=(
        "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries"
        " WHERE status <> 'PENDING' AND finished_ms <= {now} - $1 ORDER BY finished_ms LIMIT $2 {skip_locked})"
        " RETURNING id"
    ),
    callers=("worker",),
)
