-- VARCHAR(n) does not bind in SQLite; the checks of the common text do where a length matters.

CREATE TRIGGER architectures_immutable BEFORE UPDATE ON architectures
BEGIN
    SELECT RAISE(ABORT, 'an architecture is immutable');
END;
