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
from windtunnel.storage.sign_in_statements import (
    SIGN_IN_BY_IDENTITY,
    SIGN_IN_BY_TOKEN,
    STILL_SIGNED_IN,
    TENANT_OF_TOKEN,
    TOKENS_WITH_PREFIX,
)
from windtunnel.storage.simulation_statements import (
    ANY_CLAIMABLE_SIMULATION,
    CLAIM_SIMULATIONS,
    RELEASE_SIMULATION,
    RENEW_SIMULATIONS,
)
from windtunnel.storage.tally_statements import LONGEST_WAITS, TALLY_STATUSES, TALLY_STEPS

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
