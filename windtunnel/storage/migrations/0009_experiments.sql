-- Experiments: many silent replications of an architecture under load. They are numbers only, and lie at home; those of
-- an architecture in an environment are deleted with it. The architecture may be in another database than this one.

CREATE TABLE experiments (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL,
    architecture_id VARCHAR(36) NOT NULL,
    environment_id VARCHAR(36),
    package_digest VARCHAR(64) CHECK (length(package_digest) = 64),
    status VARCHAR(10) NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    seed BIGINT NOT NULL,
    replications BIGINT NOT NULL CHECK (replications BETWEEN 1 AND 10000),
    tasks BIGINT NOT NULL CHECK (tasks BETWEEN 1 AND 100000),
    arrival_rate DOUBLE PRECISION NOT NULL CHECK (arrival_rate > 0),
    overrides TEXT,
    variant TEXT,
    progress DOUBLE PRECISION NOT NULL CHECK (progress BETWEEN 0 AND 1),
    last_seq BIGINT NOT NULL CHECK (last_seq >= 1),
    findings TEXT,
    failure TEXT,
    created_by VARCHAR(36) NOT NULL,
    request_id VARCHAR(100) NOT NULL,
    created_ms BIGINT NOT NULL,
    finished_ms BIGINT,
    fence BIGINT NOT NULL CHECK (fence >= 0),
    lease_owner VARCHAR(64),
    lease_until_ms BIGINT,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, environment_id) REFERENCES environments (tenant_id, id),
    FOREIGN KEY (tenant_id, package_digest) REFERENCES packages (tenant_id, digest),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id),
    CHECK (replications * tasks <= 50000000),
    CHECK ((status IN ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (finished_ms IS NOT NULL)),
    CHECK ((status = 'SUCCEEDED') = (findings IS NOT NULL)),
    CHECK ((status = 'FAILED') = (failure IS NOT NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until_ms IS NULL)),
    CHECK (finished_ms IS NULL OR lease_owner IS NULL)
);
CREATE INDEX experiments_newest ON experiments (tenant_id, created_ms, id);
CREATE INDEX experiments_of_architecture ON experiments (tenant_id, architecture_id, created_ms, id);
CREATE INDEX experiments_of_environment ON experiments (tenant_id, environment_id) WHERE environment_id IS NOT NULL;
CREATE INDEX experiments_open ON experiments (status, created_ms) WHERE status IN ('QUEUED', 'RUNNING');

CREATE TABLE experiment_events (
    experiment_id VARCHAR(36) NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    tenant_id VARCHAR(36) NOT NULL,
    at_ms BIGINT NOT NULL,
    status VARCHAR(10) NOT NULL,
    progress DOUBLE PRECISION NOT NULL CHECK (progress BETWEEN 0 AND 1),
    PRIMARY KEY (experiment_id, seq),
    FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiments (tenant_id, id) ON DELETE CASCADE
);
