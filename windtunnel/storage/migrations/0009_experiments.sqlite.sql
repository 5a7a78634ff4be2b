-- What is done of an experiment that is not over: whoever takes it over does the rest.
CREATE TABLE experiment_chunks (
    experiment_id VARCHAR(36) NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 0),
    tenant_id VARCHAR(36) NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (experiment_id, number),
    FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiments (tenant_id, id) ON DELETE CASCADE
);

CREATE TRIGGER experiments_go_on BEFORE UPDATE ON experiments
WHEN (OLD.id, OLD.tenant_id, OLD.architecture_id, OLD.seed, OLD.replications, OLD.tasks, OLD.arrival_rate,
        OLD.created_by, OLD.created_ms)
    <> (NEW.id, NEW.tenant_id, NEW.architecture_id, NEW.seed, NEW.replications, NEW.tasks, NEW.arrival_rate,
        NEW.created_by, NEW.created_ms)
    OR OLD.environment_id IS NOT NEW.environment_id
    OR OLD.package_digest IS NOT NEW.package_digest
    OR OLD.overrides IS NOT NEW.overrides
    OR OLD.variant IS NOT NEW.variant
    OR OLD.status IN ('SUCCEEDED', 'FAILED', 'CANCELLED')
    OR (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
        'QUEUED>RUNNING', 'QUEUED>FAILED', 'QUEUED>CANCELLED', 'RUNNING>SUCCEEDED', 'RUNNING>FAILED',
        'RUNNING>CANCELLED'))
BEGIN
    SELECT RAISE(ABORT, 'an experiment cannot change like this');
END;

CREATE TRIGGER experiment_events_immutable BEFORE UPDATE ON experiment_events
BEGIN
    SELECT RAISE(ABORT, 'an event is immutable');
END;

CREATE TRIGGER experiment_chunks_immutable BEFORE UPDATE ON experiment_chunks
BEGIN
    SELECT RAISE(ABORT, 'a chunk is immutable');
END;
