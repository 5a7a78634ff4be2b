-- The deployment pipeline: agents, their versions, requests to deploy them, reviews with votes, what is in production, and
-- how it is taken back. What the specification promises about review and order is refused here, whoever writes.

-- By which token a token was issued: whoever is behind that one is behind this one, too.
ALTER TABLE api_tokens ADD COLUMN issued_with VARCHAR(36);

CREATE TABLE agents (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    slug VARCHAR(63) NOT NULL CHECK (length(slug) BETWEEN 1 AND 63),
    name VARCHAR(200) NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT NOT NULL CHECK (length(description) <= 2000),
    folded TEXT NOT NULL,
    owner_id VARCHAR(36) NOT NULL,
    created_ms BIGINT NOT NULL,
    last_version_seq BIGINT NOT NULL CHECK (last_version_seq >= 0),
    held_by VARCHAR(36),
    held_ms BIGINT,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, slug),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
    CHECK ((held_by IS NULL) = (held_ms IS NULL))
);
CREATE INDEX agents_newest ON agents (tenant_id, created_ms, id);

-- A version of an agent: one manifest of one package. Its number is bound once a request for it is in review.
CREATE TABLE agent_versions (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL,
    agent_id VARCHAR(36) NOT NULL,
    version VARCHAR(100) NOT NULL CHECK (length(version) BETWEEN 5 AND 100),
    package_digest VARCHAR(64) NOT NULL CHECK (length(package_digest) = 64),
    manifest_digest VARCHAR(64) NOT NULL CHECK (length(manifest_digest) = 64),
    manifest TEXT NOT NULL CHECK (length(manifest) >= 2),
    classification VARCHAR(12) NOT NULL
        CHECK (classification IN ('public', 'internal', 'confidential', 'restricted')),
    changelog TEXT CHECK (length(changelog) <= 20000),
    submitted_by VARCHAR(36) NOT NULL,
    created_ms BIGINT NOT NULL,
    bound BOOLEAN NOT NULL,
    state VARCHAR(12) NOT NULL CHECK (state IN ('CANDIDATE', 'LIVE', 'STANDBY', 'QUARANTINED', 'PRUNED')),
    version_seq BIGINT CHECK (version_seq >= 1),
    first_live_ms BIGINT,
    last_live_ms BIGINT,
    last_release BIGINT CHECK (last_release >= 1),
    approved_deployment_id VARCHAR(36),
    quarantine_reason TEXT,
    pruned_ms BIGINT,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, agent_id, id),
    UNIQUE (tenant_id, agent_id, version_seq),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id),
    FOREIGN KEY (tenant_id, package_digest) REFERENCES packages (tenant_id, digest),
    FOREIGN KEY (tenant_id, submitted_by) REFERENCES users (tenant_id, id),
    CHECK (bound OR state = 'CANDIDATE'),
    CHECK ((state IN ('CANDIDATE')) = (version_seq IS NULL)),
    CHECK ((version_seq IS NULL) = (first_live_ms IS NULL)),
    CHECK ((version_seq IS NULL) = (last_live_ms IS NULL)),
    CHECK ((version_seq IS NULL) = (last_release IS NULL)),
    CHECK (version_seq IS NULL OR approved_deployment_id IS NOT NULL),
    CHECK ((state = 'QUARANTINED') <= (quarantine_reason IS NOT NULL)),
    CHECK ((state = 'PRUNED') = (pruned_ms IS NOT NULL))
);
CREATE UNIQUE INDEX agent_versions_numbers ON agent_versions (tenant_id, agent_id, version) WHERE bound;
CREATE UNIQUE INDEX agent_versions_live ON agent_versions (tenant_id, agent_id) WHERE state = 'LIVE';
CREATE INDEX agent_versions_newest ON agent_versions (tenant_id, agent_id, created_ms, id);
CREATE INDEX agent_versions_of_package ON agent_versions (tenant_id, package_digest);

CREATE TABLE deployments (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL,
    agent_id VARCHAR(36) NOT NULL,
    version_id VARCHAR(36),
    package_digest VARCHAR(64) NOT NULL,
    manifest_digest VARCHAR(64),
    status VARCHAR(16) NOT NULL CHECK (status IN (
        'SUBMITTED', 'VALIDATING', 'INVALID', 'IN_REVIEW', 'REJECTED', 'EXPIRED', 'WITHDRAWN', 'APPROVED', 'HELD',
        'DEPLOYING', 'DEPLOY_FAILED', 'LIVE', 'RETIRED', 'ROLLED_BACK', 'LAPSED')),
    submitted_by VARCHAR(36) NOT NULL,
    created_ms BIGINT NOT NULL,
    token_id VARCHAR(36),
    request_id VARCHAR(100) NOT NULL,
    changelog TEXT CHECK (length(changelog) <= 20000),
    checks TEXT,
    quorum INTEGER CHECK (quorum >= 1),
    review_deadline_ms BIGINT,
    approved_ms BIGINT,
    execute_by_ms BIGINT,
    approval TEXT,
    attempts INTEGER NOT NULL CHECK (attempts BETWEEN 0 AND 3),
    deployed_ms BIGINT,
    finished_ms BIGINT,
    failure TEXT,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    last_seq BIGINT NOT NULL CHECK (last_seq >= 0),
    due_ms BIGINT NOT NULL,
    fence BIGINT NOT NULL CHECK (fence >= 0),
    lease_owner VARCHAR(64),
    lease_until_ms BIGINT,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, agent_id, id),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id),
    FOREIGN KEY (tenant_id, agent_id, version_id) REFERENCES agent_versions (tenant_id, agent_id, id),
    FOREIGN KEY (tenant_id, package_digest) REFERENCES packages (tenant_id, digest),
    FOREIGN KEY (tenant_id, submitted_by) REFERENCES users (tenant_id, id),
    CHECK (status IN ('SUBMITTED', 'VALIDATING', 'INVALID', 'WITHDRAWN') OR version_id IS NOT NULL),
    CHECK (status IN ('SUBMITTED', 'VALIDATING', 'WITHDRAWN') OR checks IS NOT NULL),
    CHECK (status IN ('SUBMITTED', 'VALIDATING', 'INVALID', 'WITHDRAWN')
        OR (quorum IS NOT NULL AND review_deadline_ms IS NOT NULL)),
    CHECK ((status IN ('APPROVED', 'HELD', 'DEPLOYING', 'DEPLOY_FAILED', 'LIVE', 'RETIRED', 'ROLLED_BACK', 'LAPSED'))
        = (execute_by_ms IS NOT NULL)),
    CHECK ((execute_by_ms IS NULL) = (approved_ms IS NULL)),
    CHECK (execute_by_ms IS NULL OR execute_by_ms <= approved_ms + 86400000),
    CHECK (status NOT IN ('LIVE', 'RETIRED', 'ROLLED_BACK') OR (deployed_ms IS NOT NULL AND approval IS NOT NULL)),
    CHECK ((status IN ('INVALID', 'REJECTED', 'EXPIRED', 'WITHDRAWN', 'LAPSED', 'RETIRED', 'ROLLED_BACK'))
        = (finished_ms IS NOT NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until_ms IS NULL))
);
CREATE UNIQUE INDEX deployments_live ON deployments (tenant_id, agent_id) WHERE status = 'LIVE';
CREATE INDEX deployments_newest ON deployments (tenant_id, created_ms, id);
CREATE INDEX deployments_of_agent ON deployments (tenant_id, agent_id, created_ms, id);
CREATE INDEX deployments_of_version ON deployments (tenant_id, version_id, created_ms, id);
CREATE INDEX deployments_open ON deployments (status, due_ms)
    WHERE status IN ('SUBMITTED', 'VALIDATING', 'IN_REVIEW', 'APPROVED', 'HELD', 'DEPLOYING', 'DEPLOY_FAILED');

CREATE TABLE deployment_events (
    deployment_id VARCHAR(36) NOT NULL,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    tenant_id VARCHAR(36) NOT NULL,
    at_ms BIGINT NOT NULL,
    status VARCHAR(16) NOT NULL,
    step VARCHAR(40) NOT NULL,
    message TEXT NOT NULL,
    actor_id VARCHAR(36),
    progress DOUBLE PRECISION CHECK (progress BETWEEN 0 AND 1),
    PRIMARY KEY (deployment_id, seq),
    FOREIGN KEY (tenant_id, deployment_id) REFERENCES deployments (tenant_id, id),
    FOREIGN KEY (tenant_id, actor_id) REFERENCES users (tenant_id, id)
);

-- The review of a deployment. `excluded` are the people who may not vote: they have a part in what is reviewed. Reviews
-- and votes are sealed with a key that is not here: what somebody else wrote into these tables leads to no approval.
CREATE TABLE reviews (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL,
    deployment_id VARCHAR(36) NOT NULL,
    status VARCHAR(10) NOT NULL CHECK (status IN (
        'QUEUED', 'IN_REVIEW', 'APPROVED', 'REJECTED', 'EXPIRED', 'WITHDRAWN')),
    risk VARCHAR(8) NOT NULL CHECK (risk IN ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    risk_rank INTEGER NOT NULL CHECK (risk_rank BETWEEN 0 AND 3),
    policy TEXT NOT NULL CHECK (length(policy) >= 2),
    policy_digest VARCHAR(64) NOT NULL CHECK (length(policy_digest) = 64),
    config_digest VARCHAR(64) NOT NULL CHECK (length(config_digest) = 64),
    excluded TEXT NOT NULL CHECK (length(excluded) >= 2),
    claimed_by VARCHAR(36),
    claimed_ms BIGINT,
    queued_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    expected_ms BIGINT NOT NULL,
    expected_basis TEXT NOT NULL,
    reminded INTEGER NOT NULL CHECK (reminded BETWEEN 0 AND 3),
    decided_ms BIGINT,
    comment TEXT,
    seal TEXT NOT NULL CHECK (length(seal) >= 1),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, deployment_id),
    FOREIGN KEY (tenant_id, deployment_id) REFERENCES deployments (tenant_id, id),
    FOREIGN KEY (tenant_id, claimed_by) REFERENCES users (tenant_id, id),
    CHECK (expires_ms = queued_ms + 86400000),
    CHECK ((status IN ('QUEUED', 'IN_REVIEW')) = (decided_ms IS NULL)),
    CHECK ((claimed_by IS NULL) = (claimed_ms IS NULL)),
    CHECK (status <> 'IN_REVIEW' OR claimed_by IS NOT NULL),
    CHECK (status <> 'REJECTED' OR length(comment) >= 20)
);
CREATE INDEX reviews_waiting ON reviews (tenant_id, expires_ms, id);

CREATE TABLE review_votes (
    review_id VARCHAR(36) NOT NULL,
    person_id VARCHAR(36) NOT NULL,
    tenant_id VARCHAR(36) NOT NULL,
    decision VARCHAR(7) NOT NULL CHECK (decision IN ('APPROVE', 'REJECT')),
    reviewed_digest VARCHAR(64) NOT NULL CHECK (length(reviewed_digest) = 64),
    comment TEXT,
    token_id VARCHAR(36),
    at_ms BIGINT NOT NULL,
    seal TEXT NOT NULL CHECK (length(seal) >= 1),
    PRIMARY KEY (review_id, person_id),
    FOREIGN KEY (tenant_id, review_id) REFERENCES reviews (tenant_id, id),
    FOREIGN KEY (tenant_id, person_id) REFERENCES users (tenant_id, id)
);

CREATE TABLE review_findings (
    review_id VARCHAR(36) NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    tenant_id VARCHAR(36) NOT NULL,
    severity VARCHAR(8) NOT NULL CHECK (severity IN ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    title VARCHAR(200) NOT NULL CHECK (length(title) >= 1),
    detail TEXT NOT NULL CHECK (length(detail) >= 1),
    remediation TEXT NOT NULL CHECK (length(remediation) >= 1),
    PRIMARY KEY (review_id, number),
    FOREIGN KEY (tenant_id, review_id) REFERENCES reviews (tenant_id, id)
);

-- What ran this package, as it was when it was offered: what it points to may be gone later.
CREATE TABLE review_evidence (
    deployment_id VARCHAR(36) NOT NULL,
    subject_id VARCHAR(36) NOT NULL,
    tenant_id VARCHAR(36) NOT NULL,
    kind VARCHAR(40) NOT NULL CHECK (kind IN ('Simulation', 'Experiment')),
    summary TEXT NOT NULL,
    environment_id VARCHAR(36),
    snapshot_digest VARCHAR(64),
    PRIMARY KEY (deployment_id, subject_id),
    FOREIGN KEY (tenant_id, deployment_id) REFERENCES deployments (tenant_id, id),
    CHECK ((environment_id IS NULL) = (snapshot_digest IS NULL))
);

-- What is in production: one row per agent, the truth about it. Switched under its fence by whoever deploys or rolls back.
CREATE TABLE pointers (
    tenant_id VARCHAR(36) NOT NULL,
    agent_id VARCHAR(36) NOT NULL,
    fence BIGINT NOT NULL CHECK (fence >= 0),
    release_seq BIGINT NOT NULL CHECK (release_seq >= 0),
    version_id VARCHAR(36),
    deployment_id VARCHAR(36),
    package_digest VARCHAR(64),
    live_since_ms BIGINT,
    PRIMARY KEY (tenant_id, agent_id),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id),
    FOREIGN KEY (tenant_id, agent_id, version_id) REFERENCES agent_versions (tenant_id, agent_id, id),
    FOREIGN KEY (tenant_id, agent_id, deployment_id) REFERENCES deployments (tenant_id, agent_id, id),
    CHECK ((release_seq = 0) = (version_id IS NULL)),
    CHECK ((version_id IS NULL) = (deployment_id IS NULL)),
    CHECK ((version_id IS NULL) = (package_digest IS NULL)),
    CHECK ((version_id IS NULL) = (live_since_ms IS NULL))
);

CREATE TABLE rollbacks (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL,
    agent_id VARCHAR(36) NOT NULL,
    deployment_id VARCHAR(36) NOT NULL,
    from_version_id VARCHAR(36) NOT NULL,
    to_version_id VARCHAR(36) NOT NULL,
    status VARCHAR(10) NOT NULL CHECK (status IN ('RUNNING', 'SUCCEEDED', 'FAILED')),
    step VARCHAR(40) NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) BETWEEN 10 AND 2000),
    requested_by VARCHAR(36) NOT NULL,
    request_id VARCHAR(100) NOT NULL,
    started_ms BIGINT NOT NULL,
    deadline_ms BIGINT NOT NULL,
    finished_ms BIGINT,
    duration_ms BIGINT CHECK (duration_ms >= 0),
    failure TEXT,
    notified TEXT NOT NULL CHECK (length(notified) >= 2),
    told TEXT NOT NULL CHECK (length(told) >= 2),
    pointer_fence BIGINT NOT NULL,
    fence BIGINT NOT NULL CHECK (fence >= 0),
    lease_owner VARCHAR(64),
    lease_until_ms BIGINT,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id),
    FOREIGN KEY (tenant_id, agent_id, deployment_id) REFERENCES deployments (tenant_id, agent_id, id),
    FOREIGN KEY (tenant_id, agent_id, from_version_id) REFERENCES agent_versions (tenant_id, agent_id, id),
    FOREIGN KEY (tenant_id, agent_id, to_version_id) REFERENCES agent_versions (tenant_id, agent_id, id),
    FOREIGN KEY (tenant_id, requested_by) REFERENCES users (tenant_id, id),
    CHECK (deadline_ms = started_ms + 60000),
    CHECK (from_version_id <> to_version_id),
    CHECK ((status = 'RUNNING') = (finished_ms IS NULL)),
    CHECK ((status = 'RUNNING') = (duration_ms IS NULL)),
    CHECK ((status = 'FAILED') = (failure IS NOT NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until_ms IS NULL))
);
CREATE UNIQUE INDEX rollbacks_running ON rollbacks (tenant_id, agent_id) WHERE status = 'RUNNING';
CREATE INDEX rollbacks_of_deployment ON rollbacks (tenant_id, deployment_id, started_ms, id);

-- What whoever works with production must hear of, and how the review queue moved: two logs per tenant, without gaps.
CREATE TABLE production_events (
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    at_ms BIGINT NOT NULL,
    kind VARCHAR(30) NOT NULL CHECK (kind IN (
        'VERSION_LIVE', 'ROLLBACK_STARTED', 'ROLLBACK_COMPLETED', 'ROLLBACK_FAILED', 'CONFIGURATION_CHANGED')),
    agent_id VARCHAR(36),
    version_id VARCHAR(36),
    previous_id VARCHAR(36),
    PRIMARY KEY (tenant_id, seq),
    CHECK ((kind = 'CONFIGURATION_CHANGED') = (agent_id IS NULL)),
    CHECK ((kind = 'CONFIGURATION_CHANGED') = (version_id IS NULL))
);

CREATE TABLE review_queue_events (
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    at_ms BIGINT NOT NULL,
    change VARCHAR(10) NOT NULL CHECK (change IN ('ENTERED', 'CLAIMED', 'DECIDED', 'EXPIRED', 'WITHDRAWN')),
    review_id VARCHAR(36) NOT NULL,
    PRIMARY KEY (tenant_id, seq),
    FOREIGN KEY (tenant_id, review_id) REFERENCES reviews (tenant_id, id)
);

-- Who follows what happens to production, as of the last time that they were seen: a rollback tells whom it told.
CREATE TABLE production_followers (
    id VARCHAR(36) PRIMARY KEY,
    tenant_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    agent_ids TEXT CHECK (length(agent_ids) >= 2),
    seen_ms BIGINT NOT NULL,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX production_followers_seen ON production_followers (tenant_id, seen_ms);

-- When the bytes of a package were let go, because nothing needs them any more: its row stays, for the history, and counts
-- for nothing. Uploaded again, it is there again.
ALTER TABLE packages ADD COLUMN discarded_ms BIGINT;
CREATE INDEX deployments_of_package ON deployments (tenant_id, package_digest);

-- Which simulations ran a package.
CREATE INDEX simulations_of_package ON simulations (tenant_id, package_digest, created_ms, id)
    WHERE package_digest IS NOT NULL;
