-- One text for SQLite and PostgreSQL. Every reference carries the tenant, so that no row can point into another one.

CREATE TABLE tenants (
    id VARCHAR(36) PRIMARY KEY,
    slug VARCHAR(63) NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 63),
    name VARCHAR(200) NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_ms BIGINT NOT NULL
);

CREATE TABLE users (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    name VARCHAR(200) NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email VARCHAR(254) CHECK (length(email) BETWEEN 3 AND 254),
    created_ms BIGINT NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, email)
);

CREATE TABLE memberships (
    tenant_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    role VARCHAR(20) NOT NULL CHECK (role IN ('DEVELOPER', 'SECURITY_REVIEWER', 'OPERATOR', 'AUDITOR', 'ADMIN')),
    PRIMARY KEY (tenant_id, user_id, role),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE scenarios (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    title VARCHAR(80) NOT NULL CHECK (length(title) <= 80),
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 20000),
    folded TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX scenarios_newest ON scenarios (tenant_id, created_ms, id);

CREATE TABLE architectures (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    scenario_id VARCHAR(36),
    digest VARCHAR(64) NOT NULL CHECK (length(digest) = 64),
    body TEXT NOT NULL CHECK (length(body) >= 2),
    created_ms BIGINT NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, scenario_id) REFERENCES scenarios (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX architectures_of_scenario ON architectures (tenant_id, scenario_id);

CREATE TABLE simulations (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    scenario_id VARCHAR(36),
    architecture_id VARCHAR(36),
    environment_id VARCHAR(36),
    package_digest VARCHAR(64) CHECK (length(package_digest) = 64),
    status VARCHAR(16) NOT NULL
        CHECK (status IN ('QUEUED', 'PLANNING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    seed BIGINT NOT NULL CHECK (seed BETWEEN -2147483648 AND 2147483647),
    pace DOUBLE PRECISION NOT NULL CHECK (pace >= 0),
    planner_mode VARCHAR(16) NOT NULL CHECK (planner_mode IN ('OFFLINE', 'OPENAI')),
    failures VARCHAR(16) NOT NULL CHECK (failures IN ('AUTO', 'NONE', 'ONLY_LISTED')),
    inject_failures TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    created_by VARCHAR(36) NOT NULL,
    started_ms BIGINT,
    finished_ms BIGINT,
    interpretation TEXT,
    narrative TEXT,
    error_code VARCHAR(40),
    error_message TEXT,
    error_stage VARCHAR(16) CHECK (error_stage IN ('planning', 'simulating')),
    last_seq BIGINT NOT NULL CHECK (last_seq >= 0),
    story_from_seq BIGINT NOT NULL CHECK (story_from_seq BETWEEN 0 AND last_seq),
    fence BIGINT NOT NULL CHECK (fence >= 0),
    lease_owner VARCHAR(64),
    lease_until_ms BIGINT,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, scenario_id) REFERENCES scenarios (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, architecture_id) REFERENCES architectures (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id),
    CHECK (status NOT IN ('QUEUED', 'RUNNING', 'SUCCEEDED') OR architecture_id IS NOT NULL
        OR package_digest IS NOT NULL),
    CHECK (status <> 'RUNNING' OR started_ms IS NOT NULL),
    CHECK ((status IN ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (finished_ms IS NOT NULL)),
    CHECK ((status = 'FAILED') = (error_code IS NOT NULL)),
    CHECK ((error_code IS NULL) = (error_message IS NULL)),
    CHECK ((error_code IS NULL) = (error_stage IS NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until_ms IS NULL)),
    CHECK (lease_owner IS NULL OR status IN ('PLANNING', 'RUNNING'))
);
CREATE INDEX simulations_newest ON simulations (tenant_id, created_ms, id);
CREATE INDEX simulations_of_scenario ON simulations (tenant_id, scenario_id, created_ms, id);
CREATE INDEX simulations_of_architecture ON simulations (tenant_id, architecture_id);
CREATE INDEX simulations_open ON simulations (tenant_id, status, created_ms, id)
    WHERE status IN ('QUEUED', 'PLANNING', 'RUNNING');

CREATE TABLE simulation_events (
    simulation_id VARCHAR(36) NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    tenant_id VARCHAR(36) NOT NULL,
    kind VARCHAR(32) NOT NULL CHECK (kind IN (
        'SIMULATION_STARTED', 'PLANNER_STEP', 'ARCHITECTURE_PLANNED', 'AGENT_START', 'AGENT_END', 'TOOL_USED',
        'DATA_FLOW', 'FAILURE_EVENT', 'RECOVERY', 'OBSERVABILITY', 'NARRATIVE', 'SIMULATION_FINISHED')),
    at_ms BIGINT NOT NULL,
    elapsed_ms DOUBLE PRECISION NOT NULL CHECK (elapsed_ms >= 0),
    agent_key VARCHAR(200),
    message TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (simulation_id, seq),
    FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulations (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE simulation_commands (
    simulation_id VARCHAR(36) NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    tenant_id VARCHAR(36) NOT NULL,
    mode TEXT NOT NULL,
    target VARCHAR(200),
    step BIGINT CHECK (step >= 0),
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (simulation_id, number),
    FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulations (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE idempotency_keys (
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    operation VARCHAR(64) NOT NULL,
    key VARCHAR(200) NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    input_digest VARCHAR(64) NOT NULL CHECK (length(input_digest) = 64),
    result_id VARCHAR(36) NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, operation, key)
);
