CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % is immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER architectures_immutable BEFORE UPDATE ON architectures
    FOR EACH ROW EXECUTE FUNCTION refuse_update();
