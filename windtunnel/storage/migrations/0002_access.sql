-- Who may come in, what they did, what they are told: each table belongs to tenants, like those before.

CREATE TABLE identities (
    tenant_id VARCHAR(36) NOT NULL,
    issuer VARCHAR(500) NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
    subject VARCHAR(255) NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    user_id VARCHAR(36) NOT NULL,
    told_ms BIGINT NOT NULL,
    told_roles TEXT,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, issuer, subject),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE api_tokens (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    user_id VARCHAR(36) NOT NULL,
    issued_by VARCHAR(36) NOT NULL,
    name VARCHAR(100) NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    prefix VARCHAR(16) NOT NULL CHECK (length(prefix) BETWEEN 1 AND 16),
    digest VARCHAR(64) NOT NULL UNIQUE CHECK (length(digest) = 64),
    roles TEXT NOT NULL CHECK (length(roles) >= 2),
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT CHECK (expires_ms > created_ms),
    last_used_ms BIGINT,
    revoked_ms BIGINT,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, issued_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX api_tokens_newest ON api_tokens (tenant_id, created_ms, id);

CREATE TABLE audit_entries (
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    id VARCHAR(36) NOT NULL UNIQUE,
    at_ms BIGINT NOT NULL,
    actor_id VARCHAR(36),
    token_id VARCHAR(36),
    action VARCHAR(40) NOT NULL,
    subject_kind VARCHAR(40) NOT NULL,
    subject_id VARCHAR(100) NOT NULL,
    reason TEXT,
    request_id VARCHAR(100) NOT NULL,
    details TEXT NOT NULL CHECK (length(details) >= 2),
    previous_hash VARCHAR(64) NOT NULL CHECK (length(previous_hash) = 64),
    hash VARCHAR(64) NOT NULL CHECK (length(hash) = 64),
    PRIMARY KEY (tenant_id, seq),
    UNIQUE (tenant_id, previous_hash),
    FOREIGN KEY (tenant_id, actor_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX audit_entries_of_subject ON audit_entries (tenant_id, subject_id, seq);
CREATE INDEX audit_entries_of_actor ON audit_entries (tenant_id, actor_id, seq);

CREATE TABLE inboxes (
    tenant_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    last_seq BIGINT NOT NULL CHECK (last_seq >= 1),
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE notifications (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    kind VARCHAR(40) NOT NULL,
    title VARCHAR(200) NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    body TEXT NOT NULL,
    subject_kind VARCHAR(40) NOT NULL,
    subject_id VARCHAR(100) NOT NULL,
    created_ms BIGINT NOT NULL,
    read_ms BIGINT,
    UNIQUE (tenant_id, user_id, seq),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX notifications_unread ON notifications (tenant_id, user_id, seq) WHERE read_ms IS NULL;

CREATE TABLE webhooks (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    url VARCHAR(2000) NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    kinds TEXT NOT NULL CHECK (length(kinds) >= 2),
    sealed_secret TEXT NOT NULL CHECK (length(sealed_secret) >= 40),
    created_ms BIGINT NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    last_delivery_ms BIGINT,
    last_status INTEGER,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX webhooks_newest ON webhooks (tenant_id, created_ms, id);

CREATE TABLE webhook_deliveries (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL,
    webhook_id VARCHAR(36) NOT NULL,
    kind VARCHAR(40) NOT NULL,
    body TEXT NOT NULL CHECK (length(body) >= 2),
    status VARCHAR(16) NOT NULL CHECK (status IN ('PENDING', 'DELIVERED', 'DEAD')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    created_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    finished_ms BIGINT,
    last_status INTEGER,
    last_error TEXT,
    fence BIGINT NOT NULL CHECK (fence >= 0),
    lease_owner VARCHAR(64),
    lease_until_ms BIGINT,
    CHECK ((status = 'PENDING') = (finished_ms IS NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until_ms IS NULL)),
    CHECK (lease_owner IS NULL OR status = 'PENDING'),
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_ms) WHERE status = 'PENDING';
CREATE INDEX webhook_deliveries_in_turn ON webhook_deliveries (webhook_id, due_ms, id) WHERE status = 'PENDING';
CREATE INDEX webhook_deliveries_held ON webhook_deliveries (tenant_id, webhook_id) WHERE lease_owner IS NOT NULL;
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_ms) WHERE status <> 'PENDING';
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (tenant_id, status, webhook_id, created_ms, id);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (tenant_id, webhook_id, created_ms, id);

CREATE TABLE feature_flags (
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    name VARCHAR(64) NOT NULL,
    enabled BOOLEAN NOT NULL,
    stage VARCHAR(16) NOT NULL CHECK (stage IN ('PILOT', 'INTERNAL', 'ALL')),
    pilots TEXT NOT NULL CHECK (length(pilots) >= 2),
    updated_ms BIGINT NOT NULL,
    updated_by VARCHAR(36) NOT NULL,
    PRIMARY KEY (tenant_id, name),
    FOREIGN KEY (tenant_id, updated_by) REFERENCES users (tenant_id, id)
);

-- A key belongs to the person who chose it: nobody is handed what another one asked for. The keys of the last day are
-- forgotten, since nobody knows whose they were.
DROP TABLE idempotency_keys;
CREATE TABLE idempotency_keys (
    tenant_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    operation VARCHAR(64) NOT NULL,
    key VARCHAR(200) NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    input_digest VARCHAR(64) NOT NULL CHECK (length(input_digest) = 64),
    result_id VARCHAR(36) NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, operation, key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_ms);
