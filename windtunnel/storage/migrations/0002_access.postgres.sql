-- Three roles that nobody logs in as, the same for all databases of the server: API and worker processes act as the
-- first two (`windtunnel_server` is both, for a server with its worker inside); the privileged statements run as the
-- last. None owns a table, so that row level security binds them.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entries_not_truncated BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['windtunnel_api', 'windtunnel_worker', 'windtunnel_server', 'windtunnel_system'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
    FOREACH name IN ARRAY ARRAY['windtunnel_api', 'windtunnel_worker', 'windtunnel_server', 'windtunnel_system'] LOOP
        IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO %I', name, current_user);
        END IF;
    END LOOP;
    IF NOT pg_has_role('windtunnel_server', 'windtunnel_api', 'MEMBER') THEN
        GRANT windtunnel_api, windtunnel_worker TO windtunnel_server;
    END IF;
END
$$;

DO $$
DECLARE
    name TEXT;
    owned TEXT;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO windtunnel_api, windtunnel_worker, windtunnel_system', current_schema());
    FOR name, owned IN
        SELECT tables.table_name, CASE tables.table_name WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END
        FROM information_schema.tables AS tables
        WHERE tables.table_schema = current_schema() AND tables.table_name <> 'schema_revisions'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON %I USING (%I = current_setting(''windtunnel.tenant'', true))', name, owned
        );
        EXECUTE format('CREATE POLICY of_the_system ON %I TO windtunnel_system USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO windtunnel_api, windtunnel_worker', name);
        EXECUTE format('GRANT SELECT, UPDATE ON %I TO windtunnel_system', name);
    END LOOP;
END
$$;

GRANT SELECT ON schema_revisions TO windtunnel_api, windtunnel_worker;

-- Which privileged statements are installed, by the digest of their texts.
CREATE TABLE schema_privileges (digest VARCHAR(64) NOT NULL);
GRANT SELECT ON schema_privileges TO windtunnel_api, windtunnel_worker;

-- What is never changed, and what is none of the workers' business.
REVOKE UPDATE, DELETE ON tenants, audit_entries FROM windtunnel_api, windtunnel_worker;
GRANT DELETE ON idempotency_keys, webhook_deliveries TO windtunnel_system;
REVOKE UPDATE ON audit_entries, architectures, scenarios, tenants, users, memberships, api_tokens FROM windtunnel_system;
REVOKE UPDATE ON architectures, scenarios FROM windtunnel_api, windtunnel_worker;
REVOKE INSERT, UPDATE, DELETE ON tenants, users, identities, memberships, api_tokens, feature_flags
    FROM windtunnel_worker;
REVOKE SELECT ON api_tokens, identities FROM windtunnel_worker;

-- The end of a tenant's audit chain, once nobody else can append to it before this transaction ends. The lock comes
-- first, so that the head is read in a snapshot taken after it; hence a function, which costs one round trip.
CREATE FUNCTION audit_head(tenant TEXT) RETURNS TABLE (seq BIGINT, hash TEXT, at_ms BIGINT)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(tenant, 1));
    RETURN QUERY
        SELECT COALESCE(head.seq, 0), head.hash::TEXT, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)
        FROM (SELECT 1) AS one LEFT JOIN (
            SELECT entry.seq, entry.hash FROM audit_entries AS entry WHERE entry.tenant_id = tenant
            ORDER BY entry.seq DESC LIMIT 1
        ) AS head ON TRUE;
END
$$;
