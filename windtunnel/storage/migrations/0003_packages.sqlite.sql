CREATE TRIGGER packages_immutable BEFORE UPDATE ON packages
BEGIN
    SELECT RAISE(ABORT, 'a package is immutable');
END;
