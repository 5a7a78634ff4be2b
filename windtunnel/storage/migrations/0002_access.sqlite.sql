CREATE TRIGGER audit_entries_are_not_edited BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_entries_are_not_removed BEFORE DELETE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- INSERT OR REPLACE removes rows without asking the trigger above.
CREATE TRIGGER audit_entries_are_not_replaced BEFORE INSERT ON audit_entries
WHEN EXISTS (
    SELECT 1 FROM audit_entries AS entry
    WHERE (entry.tenant_id = NEW.tenant_id AND entry.seq = NEW.seq) OR entry.id = NEW.id
        OR (entry.tenant_id = NEW.tenant_id AND entry.previous_hash = NEW.previous_hash)
)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
