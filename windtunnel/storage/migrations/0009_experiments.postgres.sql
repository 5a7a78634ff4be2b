-- What is done of an experiment that is not over: whoever takes it over does the rest.
CREATE TABLE experiment_chunks (
    experiment_id VARCHAR(36) NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 0),
    tenant_id VARCHAR(36) NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (experiment_id, number),
    FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiments (tenant_id, id) ON DELETE CASCADE
);

CREATE FUNCTION guard_experiments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.tenant_id, OLD.architecture_id, OLD.environment_id, OLD.package_digest, OLD.seed, OLD.replications,
            OLD.tasks, OLD.arrival_rate, OLD.overrides, OLD.variant, OLD.created_by, OLD.created_ms)
        IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.architecture_id, NEW.environment_id, NEW.package_digest, NEW.seed,
            NEW.replications, NEW.tasks, NEW.arrival_rate, NEW.overrides, NEW.variant, NEW.created_by, NEW.created_ms)
        OR OLD.status IN ('SUCCEEDED', 'FAILED', 'CANCELLED')
        OR (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
            'QUEUED>RUNNING', 'QUEUED>FAILED', 'QUEUED>CANCELLED', 'RUNNING>SUCCEEDED', 'RUNNING>FAILED',
            'RUNNING>CANCELLED'))
    THEN
        RAISE EXCEPTION 'an experiment cannot change like this' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER experiments_go_on BEFORE UPDATE ON experiments FOR EACH ROW EXECUTE FUNCTION guard_experiments();
CREATE TRIGGER experiment_events_immutable BEFORE UPDATE ON experiment_events
    FOR EACH ROW EXECUTE FUNCTION refuse_update();
CREATE TRIGGER experiment_chunks_immutable BEFORE UPDATE ON experiment_chunks
    FOR EACH ROW EXECUTE FUNCTION refuse_update();
REVOKE ALL ON FUNCTION guard_experiments FROM PUBLIC;

DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['experiments', 'experiment_events', 'experiment_chunks'] LOOP
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

-- People ask for experiments and cancel them through the API; only workers conduct them.
GRANT INSERT, UPDATE, DELETE ON experiments TO windtunnel_api;
GRANT UPDATE, DELETE ON experiments TO windtunnel_worker;
GRANT UPDATE ON experiments TO windtunnel_system;
GRANT INSERT ON experiment_events TO windtunnel_api, windtunnel_worker;
GRANT DELETE ON experiment_chunks TO windtunnel_api;
GRANT INSERT, DELETE ON experiment_chunks TO windtunnel_worker;
