DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['production', 'production_entries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON %I USING (tenant_id = current_setting(''windtunnel.tenant'', true))', name
        );
        EXECUTE format('CREATE POLICY of_the_system ON %I TO windtunnel_system USING (true)', name);
    END LOOP;
END
$$;

-- The number never goes back. Workers copy the configuration; what is sealed in it is none of their business.
GRANT SELECT, INSERT, UPDATE ON production TO windtunnel_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON production_entries TO windtunnel_api;
GRANT SELECT ON production TO windtunnel_worker, windtunnel_system;
GRANT SELECT (tenant_id, key, secret, value, fingerprint, revision, updated_ms, updated_by)
    ON production_entries TO windtunnel_worker;
