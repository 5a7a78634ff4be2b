CREATE TRIGGER environments_go_on BEFORE UPDATE ON environments
WHEN (OLD.id, OLD.tenant_id, OLD.slot, OLD.namespace, OLD.created_ms, OLD.created_by)
    <> (NEW.id, NEW.tenant_id, NEW.slot, NEW.namespace, NEW.created_ms, NEW.created_by)
    OR OLD.status = 'DELETED'
    OR (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN (
        'PROVISIONING>READY', 'PROVISIONING>FAILED', 'PROVISIONING>DELETING',
        'READY>PAUSED', 'READY>EXPIRING', 'READY>DELETING', 'READY>FAILED',
        'PAUSED>READY', 'PAUSED>EXPIRING', 'PAUSED>DELETING', 'PAUSED>FAILED',
        'FAILED>DELETING', 'EXPIRING>DELETING',
        'DELETING>DELETED', 'DELETING>DELETE_STUCK', 'DELETE_STUCK>DELETING'))
BEGIN
    SELECT RAISE(ABORT, 'an environment cannot change like this');
END;

CREATE TRIGGER environments_stay BEFORE DELETE ON environments
BEGIN
    SELECT RAISE(ABORT, 'the row of an environment stays');
END;

CREATE TRIGGER environment_events_immutable BEFORE UPDATE ON environment_events
BEGIN
    SELECT RAISE(ABORT, 'an event is immutable');
END;
