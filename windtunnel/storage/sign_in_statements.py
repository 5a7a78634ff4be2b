"""The statements of sign-in that look across tenants: whose token it is says which tenant is meant."""

from windtunnel.storage.privilege import Privileged

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
