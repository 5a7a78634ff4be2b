-- Which tenant has uploaded which package. The bytes are kept elsewhere, by their digest; a row says whose they are, too.

CREATE TABLE packages (
    tenant_id VARCHAR(36) NOT NULL REFERENCES tenants (id),
    digest VARCHAR(64) NOT NULL CHECK (length(digest) = 64),
    size_bytes BIGINT NOT NULL CHECK (size_bytes BETWEEN 1 AND 52428800),
    name VARCHAR(127) CHECK (length(name) BETWEEN 3 AND 127),
    version VARCHAR(100) CHECK (length(version) BETWEEN 5 AND 100),
    uploaded_by VARCHAR(36) NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, digest),
    FOREIGN KEY (tenant_id, uploaded_by) REFERENCES users (tenant_id, id)
);
CREATE INDEX packages_by_digest ON packages (digest);

-- The signature beside a package: the one that was uploaded last.
CREATE TABLE package_signatures (
    tenant_id VARCHAR(36) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    signature_digest VARCHAR(64) NOT NULL CHECK (length(signature_digest) = 64),
    envelope TEXT NOT NULL CHECK (length(envelope) BETWEEN 2 AND 262144),
    uploaded_by VARCHAR(36) NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, digest),
    FOREIGN KEY (tenant_id, digest) REFERENCES packages (tenant_id, digest) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, uploaded_by) REFERENCES users (tenant_id, id)
);
