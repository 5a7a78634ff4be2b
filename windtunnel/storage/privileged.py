"""The statements that look across tenants: each narrow, each named, each allowed to few.

Row level security shows a process the rows of one tenant at a time. What has to be found before the tenant is known
(whose token is this? what is to be done next?) is a function of the database on PostgreSQL, which runs as a role that
nobody can log in as; `migrate` installs them from these texts. SQLite runs the same texts as they are.
"""

from windtunnel.storage.delivery_statements import ANY_DUE_DELIVERY, CLAIM_DELIVERIES, SWEEP_DELIVERIES
from windtunnel.storage.deployment_statements import (
    CLAIM_DEPLOYMENTS,
    CLAIM_ROLLBACKS,
    DEPLOYMENTS_DUE,
    PRODUCTION_OF_ALL,
    RELEASE_DEPLOYMENT,
    RELEASE_ROLLBACK,
    RENEW_DEPLOYMENTS,
    RENEW_ROLLBACKS,
    ROLLBACKS_DUE,
    ROLLBACKS_OVERDUE,
    SPENT_RELEASES,
    TALLY_ROLLBACKS,
)
from windtunnel.storage.environment_statements import (
    CLAIM_ENVIRONMENTS,
    ENVIRONMENTS_DUE,
    ENVIRONMENTS_THAT_STAND,
    NAMESPACES_IN_USE,
    RELEASE_ENVIRONMENT,
    RENEW_ENVIRONMENTS,
)
from windtunnel.storage.experiment_statements import (
    ANY_CLAIMABLE_EXPERIMENT,
    CLAIM_EXPERIMENTS,
    RELEASE_EXPERIMENT,
    RENEW_EXPERIMENTS,
)
from windtunnel.storage.package_statements import SPENT_PACKAGES
from windtunnel.storage.privilege import Privileged
from windtunnel.storage.tally_statements import LONGEST_WAITS, TALLY_STATUSES, TALLY_STEPS

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

TALLY_SIMULATIONS = Privileged(
    name="tally_simulations",
    parameters=(),
    returns="TABLE (status text, simulations bigint, milliseconds bigint)",
    sql=(
        "SELECT status, COUNT(*) AS simulations, CAST(COALESCE(SUM(finished_ms - started_ms), 0) AS BIGINT)"
        " AS milliseconds FROM simulations GROUP BY status ORDER BY status"
    ),
    callers=("api", "worker"),
)

TENANT_OF_SLUG = Privileged(
    name="tenant_of_slug",
    parameters=("text",),
    returns="TABLE (id text, slug text, name text)",
    sql="SELECT id, slug, name FROM tenants WHERE slug = $1",
    callers=("api", "worker"),
)

SWEEP_IDEMPOTENCY_KEYS = Privileged(
    name="sweep_idempotency_keys",
    parameters=("bigint", "bigint"),  # window in ms, limit
    returns="TABLE (key text)",
    sql=(
        "DELETE FROM idempotency_keys WHERE (tenant_id, user_id, operation, key) IN ("
        " SELECT tenant_id, user_id, operation, key FROM idempotency_keys WHERE created_ms <= {now} - $1"
        " ORDER BY created_ms LIMIT $2 {skip_locked}) AND created_ms <= {now} - $1 RETURNING key"
    ),
    callers=("worker",),
)

SIGN_IN_BY_TOKEN = Privileged(
    name="sign_in_by_token",
    parameters=("text",),  # digest of the secret
    returns=(
        "TABLE (token_id text, token_roles text, expires_ms bigint, last_used_ms bigint, now_ms bigint, user_id text,"
        " user_name text, email text, tenant_id text, slug text, tenant_name text, role text)"
    ),
    sql=(
        "SELECT t.id AS token_id, t.roles AS token_roles, t.expires_ms, t.last_used_ms, {now} AS now_ms,"
        " u.id AS user_id, u.name AS user_name, u.email, n.id AS tenant_id, n.slug, n.name AS tenant_name, m.role"
        " FROM api_tokens AS t JOIN users AS u ON u.tenant_id = t.tenant_id AND u.id = t.user_id"
        " JOIN tenants AS n ON n.id = t.tenant_id"
        " LEFT JOIN memberships AS m ON m.tenant_id = t.tenant_id AND m.user_id = t.user_id"
        " WHERE t.digest = $1 AND t.revoked_ms IS NULL AND (t.expires_ms IS NULL OR t.expires_ms > {now})"
    ),
    callers=("api",),
    keeps_plan=True,
)

SIGN_IN_BY_IDENTITY = Privileged(
    name="sign_in_by_identity",
    parameters=("text", "text", "text"),  # slug of the tenant, issuer, subject
    returns=(
        "TABLE (now_ms bigint, tenant_id text, slug text, tenant_name text, told_ms bigint, told_roles text,"
        " user_id text, user_name text, email text, role text)"
    ),
    sql=(
        "SELECT {now} AS now_ms, n.id AS tenant_id, n.slug, n.name AS tenant_name, i.told_ms, i.told_roles,"
        " u.id AS user_id, u.name AS user_name, u.email, m.role FROM (SELECT 1 AS one) AS asked"
        " LEFT JOIN tenants AS n ON n.slug = $1"
        " LEFT JOIN identities AS i ON i.tenant_id = n.id AND i.issuer = $2 AND i.subject = $3"
        " LEFT JOIN users AS u ON u.tenant_id = i.tenant_id AND u.id = i.user_id"
        " LEFT JOIN memberships AS m ON m.tenant_id = u.tenant_id AND m.user_id = u.id"
    ),
    callers=("api",),
    keeps_plan=True,
)

STILL_SIGNED_IN = Privileged(
    name="still_signed_in",
    parameters=("text[]", "text[]"),  # ids of tokens, ids of people who came without one of ours
    returns="TABLE (id text, token_roles text, role text)",
    sql=(
        "SELECT t.id, t.roles AS token_roles, m.role FROM api_tokens AS t"
        " LEFT JOIN memberships AS m ON m.tenant_id = t.tenant_id AND m.user_id = t.user_id"
        " WHERE t.id = ANY($1) AND t.revoked_ms IS NULL AND (t.expires_ms IS NULL OR t.expires_ms > {now})"
        " UNION ALL SELECT u.id, NULL AS token_roles, m.role FROM users AS u"
        " LEFT JOIN memberships AS m ON m.tenant_id = u.tenant_id AND m.user_id = u.id WHERE u.id = ANY($2)"
    ),
    callers=("api",),
)

TENANT_OF_TOKEN = Privileged(
    name="tenant_of_token",
    parameters=("text",),
    returns="TABLE (tenant_id text)",
    sql="SELECT tenant_id FROM api_tokens WHERE id = $1",
    callers=("api",),
)

TOKENS_WITH_PREFIX = Privileged(
    name="tokens_with_prefix",
    parameters=("text",),
    returns="TABLE (id text)",
    sql="SELECT id FROM api_tokens WHERE prefix = $1",
    callers=("api",),
)

AUDIT_CHAINS = Privileged(
    name="audit_chains",
    parameters=(),
    returns="TABLE (tenant_id text, slug text, seq bigint, hash text, now_ms bigint)",
    sql=(
        # Two look-ups in the primary key for each tenant, however long the chains are.
        "SELECT t.id AS tenant_id, t.slug AS slug,"
        " (SELECT MAX(a.seq) FROM audit_entries AS a WHERE a.tenant_id = t.id) AS seq,"
        " (SELECT a.hash FROM audit_entries AS a WHERE a.tenant_id = t.id ORDER BY a.seq DESC LIMIT 1) AS hash,"
        " {now} AS now_ms FROM tenants AS t ORDER BY t.slug"
    ),
    callers=("api", "worker"),
)

PACKAGES_OF_ANYBODY = Privileged(
    name="packages_of_anybody",
    parameters=("text[]",),  # digests
    returns="TABLE (digest text)",
    sql="SELECT DISTINCT digest FROM packages WHERE digest = ANY($1) AND discarded_ms IS NULL",
    callers=("worker",),
)

ENVIRONMENTS_WITH_WORK = Privileged(
    name="environments_with_work",
    parameters=(),
    returns="TABLE (id text, tenant_id text, status text, work_seq bigint)",
    sql=(
        "SELECT id, tenant_id, status, work_seq FROM environments"
        " WHERE status IN ('READY', 'PAUSED') AND work_seq > worked_seq ORDER BY tenant_id, id"
    ),
    callers=("worker",),
)

STATEMENTS: tuple[Privileged, ...] = (
    TENANT_OF_TOKEN,
    TOKENS_WITH_PREFIX,
    SIGN_IN_BY_TOKEN,
    SIGN_IN_BY_IDENTITY,
    STILL_SIGNED_IN,
    ANY_CLAIMABLE_SIMULATION,
    CLAIM_SIMULATIONS,
    RENEW_SIMULATIONS,
    RELEASE_SIMULATION,
    ENVIRONMENTS_WITH_WORK,
    TALLY_SIMULATIONS,
    TENANT_OF_SLUG,
    AUDIT_CHAINS,
    SWEEP_IDEMPOTENCY_KEYS,
    ANY_DUE_DELIVERY,
    CLAIM_DELIVERIES,
    SWEEP_DELIVERIES,
    PACKAGES_OF_ANYBODY,
    SPENT_PACKAGES,
    ENVIRONMENTS_DUE,
    CLAIM_ENVIRONMENTS,
    RENEW_ENVIRONMENTS,
    RELEASE_ENVIRONMENT,
    ENVIRONMENTS_THAT_STAND,
    NAMESPACES_IN_USE,
    CLAIM_DEPLOYMENTS,
    CLAIM_ROLLBACKS,
    DEPLOYMENTS_DUE,
    PRODUCTION_OF_ALL,
    RELEASE_DEPLOYMENT,
    RELEASE_ROLLBACK,
    RENEW_DEPLOYMENTS,
    RENEW_ROLLBACKS,
    ROLLBACKS_DUE,
    ROLLBACKS_OVERDUE,
    SPENT_RELEASES,
    TALLY_ROLLBACKS,
    ANY_CLAIMABLE_EXPERIMENT,
    CLAIM_EXPERIMENTS,
    RENEW_EXPERIMENTS,
    RELEASE_EXPERIMENT,
    TALLY_STATUSES,
    TALLY_STEPS,
    LONGEST_WAITS,
)
