-- Environments: isolated, expiring copies of production. What is in one lies in a database of its own; here is its row,
-- what it is made of (noted before it is made, and until it is proven absent), and what happened to it.

ALTER TABLE tenants ADD COLUMN minimum_isolation VARCHAR(16) NOT NULL DEFAULT 'FULL'
    CHECK (minimum_isolation IN ('FULL', 'LANDLOCK', 'LOGICAL'));

CREATE TABLE environments (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    slot INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 10),
    namespace VARCHAR(16) NOT NULL UNIQUE CHECK (length(namespace) = 16),
    name VARCHAR(100) NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    status VARCHAR(16) NOT NULL CHECK (status IN (
        'PROVISIONING', 'READY', 'PAUSED', 'FAILED', 'EXPIRING', 'DELETING', 'DELETE_STUCK', 'DELETED')),
    created_ms BIGINT NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    request_id VARCHAR(100) NOT NULL,
    provision_by_ms BIGINT NOT NULL,
    ready_ms BIGINT,
    expires_ms BIGINT NOT NULL,
    cpu DOUBLE PRECISION NOT NULL CHECK (cpu > 0),
    memory_mb BIGINT NOT NULL CHECK (memory_mb > 0),
    storage_mb BIGINT NOT NULL CHECK (storage_mb > 0),
    max_simulations INTEGER NOT NULL CHECK (max_simulations > 0),
    isolation TEXT,
    production_revision BIGINT NOT NULL CHECK (production_revision >= 0),
    snapshot TEXT NOT NULL CHECK (length(snapshot) >= 2),
    snapshot_digest VARCHAR(64) NOT NULL CHECK (length(snapshot_digest) = 64),
    sealed_password TEXT,
    failure TEXT,
    warned_day_ms BIGINT,
    warned_hour_ms BIGINT,
    work_seq BIGINT NOT NULL CHECK (work_seq >= 0),
    worked_seq BIGINT NOT NULL CHECK (worked_seq BETWEEN 0 AND work_seq),
    simulations BIGINT NOT NULL CHECK (simulations >= 0),
    tokens BIGINT NOT NULL CHECK (tokens >= 0),
    cpu_ms BIGINT NOT NULL CHECK (cpu_ms >= 0),
    storage_bytes BIGINT NOT NULL CHECK (storage_bytes >= 0),
    ended_by VARCHAR(8) CHECK (ended_by IN ('PERSON', 'EXPIRY', 'FAILURE')),
    cleanup_started_ms BIGINT,
    remaining TEXT,
    deleted_ms BIGINT,
    receipt TEXT,
    receipt_digest VARCHAR(64) CHECK (length(receipt_digest) = 64),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_ms BIGINT NOT NULL,
    last_seq BIGINT NOT NULL CHECK (last_seq >= 0),
    fence BIGINT NOT NULL CHECK (fence >= 0),
    lease_owner VARCHAR(64),
    lease_until_ms BIGINT,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id),
    CHECK (provision_by_ms > created_ms AND provision_by_ms <= created_ms + 300000),
    CHECK (expires_ms > created_ms AND expires_ms <= created_ms + 604800000),
    CHECK (status NOT IN ('READY', 'PAUSED') OR ready_ms IS NOT NULL),
    CHECK (status NOT IN ('READY', 'PAUSED') OR isolation IS NOT NULL),
    CHECK ((status IN ('PROVISIONING', 'READY', 'PAUSED')) = (ended_by IS NULL)),
    CHECK ((status IN ('DELETING', 'DELETE_STUCK', 'DELETED')) = (cleanup_started_ms IS NOT NULL)),
    CHECK ((status = 'DELETE_STUCK') = (remaining IS NOT NULL)),
    CHECK ((status = 'DELETED') = (deleted_ms IS NOT NULL)),
    CHECK ((status = 'DELETED') = (receipt IS NOT NULL)),
    CHECK ((status = 'DELETED') = (receipt_digest IS NOT NULL)),
    CHECK (status <> 'DELETED' OR sealed_password IS NULL),
    CHECK (ended_by IS NULL OR ended_by <> 'FAILURE' OR failure IS NOT NULL),
    CHECK ((lease_owner IS NULL) = (lease_until_ms IS NULL))
);
CREATE UNIQUE INDEX environments_slots ON environments (tenant_id, slot) WHERE status <> 'DELETED';
CREATE INDEX environments_newest ON environments (tenant_id, created_ms, id);
CREATE INDEX environments_open ON environments (status, due_ms) WHERE status <> 'DELETED';

-- What an environment is made of. INTENDED comes before the thing itself, REMOVED after it is seen to be absent.
CREATE TABLE environment_resources (
    environment_id VARCHAR(36) NOT NULL,
    key VARCHAR(100) NOT NULL CHECK (length(key) BETWEEN 1 AND 100),
    tenant_id VARCHAR(36) NOT NULL,
    kind VARCHAR(20) NOT NULL CHECK (kind IN ('DIRECTORY', 'DATABASE', 'CHANNEL', 'PACKAGE')),
    locator VARCHAR(500) NOT NULL,
    status VARCHAR(10) NOT NULL CHECK (status IN ('INTENDED', 'CREATED', 'REMOVED')),
    created_ms BIGINT NOT NULL,
    removed_ms BIGINT,
    PRIMARY KEY (environment_id, key),
    FOREIGN KEY (tenant_id, environment_id) REFERENCES environments (tenant_id, id),
    CHECK ((status = 'REMOVED') = (removed_ms IS NOT NULL))
);

CREATE TABLE environment_events (
    environment_id VARCHAR(36) NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    tenant_id VARCHAR(36) NOT NULL,
    at_ms BIGINT NOT NULL,
    status VARCHAR(16) NOT NULL,
    step VARCHAR(40) NOT NULL,
    message TEXT NOT NULL,
    progress DOUBLE PRECISION NOT NULL CHECK (progress BETWEEN 0 AND 1),
    PRIMARY KEY (environment_id, seq),
    FOREIGN KEY (tenant_id, environment_id) REFERENCES environments (tenant_id, id)
);
