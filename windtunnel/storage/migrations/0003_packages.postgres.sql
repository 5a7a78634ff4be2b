CREATE TRIGGER packages_immutable BEFORE UPDATE ON packages
    FOR EACH ROW EXECUTE FUNCTION refuse_update();

DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['packages', 'package_signatures'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON %I USING (tenant_id = current_setting(''windtunnel.tenant'', true))', name
        );
        EXECUTE format('CREATE POLICY of_the_system ON %I TO windtunnel_system USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO windtunnel_api', name);
        EXECUTE format('GRANT SELECT ON %I TO windtunnel_worker, windtunnel_system', name);
    END LOOP;
END
$$;

-- What somebody has uploaded is not changed afterwards, and whoever deploys uploads nothing.
REVOKE UPDATE, DELETE ON packages FROM windtunnel_api;
REVOKE DELETE ON package_signatures FROM windtunnel_api;
