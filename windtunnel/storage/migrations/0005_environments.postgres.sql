CREATE FUNCTION guard_environment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.tenant_id, OLD.slot, OLD.namespace, OLD.created_ms, OLD.created_by)
        IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.slot, NEW.namespace, NEW.created_ms, NEW.created_by)
        OR OLD.status = 'DELETED'
        OR (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
            'PROVISIONING>READY', 'PROVISIONING>FAILED', 'PROVISIONING>DELETING',
            'READY>PAUSED', 'READY>EXPIRING', 'READY>DELETING', 'READY>FAILED',
            'PAUSED>READY', 'PAUSED>EXPIRING', 'PAUSED>DELETING', 'PAUSED>FAILED',
            'FAILED>DELETING', 'EXPIRING>DELETING',
            'DELETING>DELETED', 'DELETING>DELETE_STUCK', 'DELETE_STUCK>DELETING'))
    THEN
        RAISE EXCEPTION 'an environment cannot change like this' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER environments_go_on BEFORE UPDATE ON environments
    FOR EACH ROW EXECUTE FUNCTION guard_environment();
CREATE TRIGGER environments_stay BEFORE DELETE ON environments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER environment_events_immutable BEFORE UPDATE ON environment_events
    FOR EACH ROW EXECUTE FUNCTION refuse_update();
REVOKE ALL ON FUNCTION guard_environment FROM PUBLIC;

DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['environments', 'environment_resources', 'environment_events'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY of_the_tenant ON %I USING (tenant_id = current_setting(''windtunnel.tenant'', true))', name
        );
        EXECUTE format('CREATE POLICY of_the_system ON %I TO windtunnel_system USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO windtunnel_api, windtunnel_worker, windtunnel_system', name);
    END LOOP;
END
$$;

-- Asking for an environment is the API's business, making it and taking it away the workers'.
GRANT INSERT, UPDATE ON environments TO windtunnel_api;
GRANT UPDATE ON environments TO windtunnel_worker, windtunnel_system;
GRANT INSERT, UPDATE ON environment_resources TO windtunnel_worker;
GRANT INSERT ON environment_events TO windtunnel_api, windtunnel_worker;
GRANT UPDATE (minimum_isolation) ON tenants TO windtunnel_api;
