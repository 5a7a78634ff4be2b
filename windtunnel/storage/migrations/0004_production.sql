-- How production is configured: each entry, and a number that rises with each change. Environments copy it.

CREATE TABLE production (
    tenant_id VARCHAR(36) NOT NULL PRIMARY KEY REFERENCES tenants (id),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    updated_ms BIGINT NOT NULL,
    updated_by VARCHAR(36) NOT NULL,
    FOREIGN KEY (tenant_id, updated_by) REFERENCES users (tenant_id, id)
);

-- A secret is kept sealed, beside a fingerprint by which it can be compared; the key to both is not in the database.
CREATE TABLE production_entries (
    tenant_id VARCHAR(36) NOT NULL REFERENCES production (tenant_id),
    key VARCHAR(200) NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    secret BOOLEAN NOT NULL,
    value TEXT CHECK (length(value) <= 65536),
    sealed_value TEXT CHECK (length(sealed_value) >= 60),
    fingerprint VARCHAR(100) CHECK (length(fingerprint) >= 64),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    updated_ms BIGINT NOT NULL,
    updated_by VARCHAR(36) NOT NULL,
    PRIMARY KEY (tenant_id, key),
    FOREIGN KEY (tenant_id, updated_by) REFERENCES users (tenant_id, id),
    CHECK (secret = (value IS NULL)),
    CHECK (secret = (sealed_value IS NOT NULL)),
    CHECK (secret = (fingerprint IS NOT NULL))
);
