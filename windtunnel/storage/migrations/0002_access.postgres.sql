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

-- Appends to a tenant's audit chain. The lock comes first, so that the end of the chain is read in a snapshot taken
-- after it; hence a function, which costs one round trip. `pieces` are the canonical JSON of the entry around what
-- only the chain knows: the time, the hash before, the number.
CREATE FUNCTION append_audit_entry(
    tenant TEXT, entry_id TEXT, actor TEXT, token TEXT, what TEXT, kind TEXT, subject TEXT, why TEXT, request TEXT,
    facts TEXT, pieces TEXT[], shift_ms BIGINT
) RETURNS TABLE (seq BIGINT, at_ms BIGINT, previous_hash TEXT, hash TEXT) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(tenant, 1));
    SELECT last.seq + 1, last.hash INTO seq, previous_hash FROM audit_entries AS last
        WHERE last.tenant_id = tenant ORDER BY last.seq DESC LIMIT 1;
    seq := COALESCE(seq, 1);
    previous_hash := COALESCE(previous_hash, repeat('0', 64));
    at_ms := CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + shift_ms;
    hash := encode(sha256(convert_to(
        pieces[1] || at_ms || pieces[2] || previous_hash || pieces[3] || seq || pieces[4], 'UTF8'
    )), 'hex');
    INSERT INTO audit_entries (
        tenant_id, seq, id, at_ms, actor_id, token_id, action, subject_kind, subject_id, reason, request_id, details,
        previous_hash, hash
    ) VALUES (tenant, seq, entry_id, at_ms, actor, token, what, kind, subject, why, request, facts, previous_hash, hash);
    RETURN NEXT;
END
$$;

-- Who may call what; triggers fire all the same.
REVOKE ALL ON FUNCTION refuse_update, refuse_change, append_audit_entry FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_audit_entry TO windtunnel_api, windtunnel_worker;
